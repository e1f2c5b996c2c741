"""What an owner agreed to hear, with its proof. The newest row of a purpose counts; no row means no."""

from __future__ import annotations

from datetime import datetime, time

from pydantic import BaseModel, ConfigDict

from schemas.message import Purpose


class Consent(BaseModel):
    """One yes or no, dated, with the words that were shown and where."""

    model_config = ConfigDict(frozen=True)

    owner_id: int
    purpose: Purpose
    given: bool
    at: datetime
    source: str  #: csv import, desk, STOP by text, owner page
    wording: str


class Owner(BaseModel):
    """A person who may be texted. Their zone and quiet hours rule, not ours."""

    model_config = ConfigDict(frozen=True)

    id: int
    dealer_id: int
    name: str
    phone: str | None  #: E.164
    email: str | None
    channel: str
    language: str
    zone: str
    quiet_from: time
    quiet_to: time
    address: str | None
    place: str | None = None  #: where that is, as schemas/place.py writes it
    access_notes: str | None = None  #: what a driver must know at the door
    contact: str | None = None  #: whom they meet there, where that is somebody else
    stopped_at: datetime | None
    erased_at: datetime | None = None  #: a pseudonym stands in their place since
