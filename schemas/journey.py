"""A case's journey, and the map of it: the steps from the car's first word to its own proof, who takes each, and the
time it may take. One list for the picture, the live funnel and the test that plays it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
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


@dataclass(frozen=True, slots=True)
class Journey:
    """What became of one case.

    `reached` holds the time of each step that it took; `longest_silence` is the longest time that somebody who waited
    here heard nothing; promises are counted by what became of them, without those that are the owner's.
    """

    case_id: int
    reached: dict[Step, datetime]
    closed: bool = False
    dismissed: bool = False
    comebacks: int = 0
    confirmed: bool = False  #: a person said that it is healed, where the car could not
    texts: int = 0  #: to its owner, whatever became of them
    left: int = 0  #: of these, how many left
    offers: int = 0
    answered: bool = False  #: the owner took or declined an offer, or wrote
    kept: int = 0
    moved: int = 0
    broken: int = 0
    silent: int = 0  #: broken, and the owner heard nothing before
    longest_silence: timedelta | None = None
    asked: bool = False  #: how it was
    score: int | None = None
    rules: tuple[str, ...] = ()
