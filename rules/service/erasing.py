"""Whether a person can be erased now. Pure; a named reason when not."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from schemas.booking import BookingState
from schemas.case import CaseState
from schemas.pickup import LegState


class Refusal(StrEnum):
    """Why not."""

    ERASED = "erased"  #: already
    CAR_IN_OUR_HANDS = "car_in_our_hands"  #: it is in the workshop, or a driver has it
    DRIVER_UNDER_WAY = "driver_under_way"  #: to them, or to bring it back


_HERE: Final = frozenset({BookingState.ARRIVED, BookingState.WORKING, BookingState.READY})
_HELD: Final = frozenset({LegState.COLLECTED, LegState.ON_THE_WAY_BACK})
#: What is only promised is called off with the person; what has begun goes to its end first.
CALLED_OFF: Final = frozenset({CaseState.OPEN, CaseState.CONTACTED, CaseState.BOOKED})


def refused(
    *, erased: bool, visits: Iterable[BookingState], drives: Iterable[LegState], cases: Iterable[CaseState]
) -> Refusal | None:
    """`visits` and `drives` of this owner, those that have ended left out or not; `cases` of theirs."""
    if erased:
        return Refusal.ERASED
    legs = set(drives)
    if _HERE & set(visits) or _HELD & legs or CaseState.IN_WORKSHOP in set(cases):
        return Refusal.CAR_IN_OUR_HANDS
    return Refusal.DRIVER_UNDER_WAY if LegState.ON_THE_WAY in legs else None
