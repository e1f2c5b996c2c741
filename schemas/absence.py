"""Somebody is away: for a while nothing that needs them can be promised, and what is theirs then is somebody else's."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Absence(BaseModel):
    """From when until when, and why. `ended_at`: it was taken back."""

    model_config = ConfigDict(frozen=True)

    id: int
    dealer_id: int
    staff_id: int
    starts_at: datetime
    ends_at: datetime
    reason: str
    ended_at: datetime | None = None
