"""What a change of owner means for the work on a car."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rules.service.pickup import in_our_hands
from schemas.booking import Booking, BookingState
from schemas.case import Case
from schemas.pickup import Leg

_HERE = (BookingState.ARRIVED, BookingState.WORKING, BookingState.READY)


@dataclass(frozen=True, slots=True)
class Settlement:
    """`refused` says why the car cannot change hands now; else whether an agreed visit ends."""

    refused: str | None
    ends_visit: bool


def with_us(booking: Booking | None, legs: Sequence[Leg]) -> bool:
    """Whether we have the car: it is in the building, or a driver of ours sits in it. `booking` is the live visit."""
    return booking is not None and (booking.state in _HERE or in_our_hands(legs) is not None)


def settle(case: Case, booking: Booking | None, legs: Sequence[Leg]) -> Settlement:
    """`booking` is the case's live visit.

    A car that is with us goes back to whoever gave it to us, before it is anybody else's.
    """
    if with_us(booking, legs):
        return Settlement(
            f"the car is with us for case {case.id}: hand it over first, then it can have another owner", False
        )
    return Settlement(None, booking is not None and booking.state is BookingState.AGREED)
