"""Whether a person can be erased now: every state of a visit and of a drive has its answer."""

from __future__ import annotations

import pytest

from rules.service.erasing import Refusal, refused
from schemas.booking import BookingState
from schemas.case import CaseState
from schemas.pickup import LegState

HERE = {BookingState.ARRIVED, BookingState.WORKING, BookingState.READY}
WHY = {
    LegState.ON_THE_WAY: Refusal.DRIVER_UNDER_WAY,
    LegState.COLLECTED: Refusal.CAR_IN_OUR_HANDS,
    LegState.ON_THE_WAY_BACK: Refusal.CAR_IN_OUR_HANDS,
}


@pytest.mark.parametrize("visit", BookingState)
def test_a_car_that_is_here_is_given_back_first(visit: BookingState) -> None:
    found = refused(erased=False, visits=[BookingState.COMPLETED, visit], drives=[], cases=[])
    assert found == (Refusal.CAR_IN_OUR_HANDS if visit in HERE else None)


@pytest.mark.parametrize("drive", LegState)
def test_a_drive_that_has_begun_goes_to_its_end_first(drive: LegState) -> None:
    assert refused(
        erased=False, visits=[BookingState.AGREED], drives=[LegState.PLANNED, drive], cases=[CaseState.BOOKED]
    ) == WHY.get(drive)


def test_nobody_is_erased_twice() -> None:
    assert refused(erased=True, visits=[], drives=[], cases=[]) is Refusal.ERASED
    assert refused(erased=False, visits=[], drives=[], cases=[CaseState.IN_WORKSHOP]) is Refusal.CAR_IN_OUR_HANDS
