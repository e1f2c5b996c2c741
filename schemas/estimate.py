"""Extra work found in the workshop, line by line; nothing starts without the owner's recorded yes."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from schemas.verdict import Severity


class EstimateLine(BaseModel):
    """One piece of work. Money is in minor units (cents) of the dealer's currency."""

    model_config = ConfigDict(frozen=True)

    id: int
    booking_id: int
    title: str
    amount_minor: int
    labour_minor: int = 0  #: of the amount; the rest is parts
    urgency: Severity = Severity.ADVICE
    answer: str | None  #: approved | declined
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    withdrawn_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether the owner is still to say yes or no."""
        return self.answer is None and self.withdrawn_at is None
