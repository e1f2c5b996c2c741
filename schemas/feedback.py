"""One question, once, after the car has proved the repair."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Feedback(BaseModel):
    """The owner's answer: a score of 1 to 5 and perhaps words."""

    model_config = ConfigDict(frozen=True)

    case_id: int
    asked_at: datetime
    answered_at: datetime | None
    score: int | None
    words: str | None
