"""The journey map: the steps of a case from the car's first word to its own proof, who takes each, and the time it may
take. One list for the picture, the live funnel and the test that plays it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Step(StrEnum):
    """What a case has reached."""

    FOUND = "found"
    TAKEN = "taken"
    TOLD = "told"
    AGREED = "agreed"
    HERE = "here"
    REPAIRED = "repaired"
    PROVED = "proved"


@dataclass(frozen=True, slots=True)
class Stop:
    """One step of the map. `within`: the time that it may take from the step before; None: nobody is held to one."""

    step: Step
    title: str
    who: str
    within: timedelta | None


#: In order. The time between agreed and here is the customer's choice, and so is nobody's budget.
JOURNEY = (
    Stop(Step.FOUND, "The car says so", "the car", None),
    Stop(Step.TAKEN, "Somebody of us has taken it", "advisor", timedelta(hours=4)),
    Stop(Step.TOLD, "Its owner knows", "advisor", timedelta(hours=4)),
    Stop(Step.AGREED, "A time is agreed", "owner", timedelta(days=3)),
    Stop(Step.HERE, "The car is here", "driver or owner", None),
    Stop(Step.REPAIRED, "It is repaired", "technician", timedelta(days=2)),
    Stop(Step.PROVED, "The car shows that it is healed", "the car", timedelta(days=14)),
)
