"""An operation: a piece of workshop work, how long it takes, who can do it, and which parts it is likely to need."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Skill(StrEnum):
    """What a technician must know for it."""

    MECHANICAL = "mechanical"
    ELECTRICAL = "electrical"
    HIGH_VOLTAGE = "high_voltage"
    TYRES = "tyres"


class Part(BaseModel):
    """A part that the work is likely to need. `lead_days`: how long it takes to get one that is not on the shelf; 0: it
    is on the shelf.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    lead_days: int = 0


class Operation(BaseModel):
    """One piece of work. `minutes` are of labour, without waiting."""

    model_config = ConfigDict(frozen=True)

    code: str
    title: str
    minutes: int
    skill: Skill
    mobile: bool = False  #: it can be done where the car stands, with what fits into a van
    parts: tuple[Part, ...] = ()
