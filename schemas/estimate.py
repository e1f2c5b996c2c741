"""Extra work found in the workshop, line by line; nothing starts without the owner's recorded yes."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class EstimateLine(BaseModel):
    """One piece of work. Money is in minor units (cents) of the dealer's currency."""

    model_config = ConfigDict(frozen=True)

    id: int
    booking_id: int
    title: str
    amount_minor: int
    answer: str | None  #: approved | declined
