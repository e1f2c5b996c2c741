"""A change of state is a row of its own: old, new, why, who, when."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Actor(BaseModel):
    """Who did it: `car`, `worker`, `owner`, `staff:<id>`, `api:<key>`, `command`, `system`, or `somebody` of whom
    nothing is known.
    """

    model_config = ConfigDict(frozen=True)

    name: str


class Change(BaseModel):
    """One row of history."""

    model_config = ConfigDict(frozen=True)

    dealer_id: int
    noun: str
    subject_id: int
    old: str | None
    new: str
    reason: str
    actor: str
    at: datetime
