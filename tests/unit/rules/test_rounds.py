"""A day's drives: no plan breaks what a driver's time allows, and none is worse than insertion on the same legs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from rules.service import ordering
from rules.service.ordering import best
from rules.service.rounds import Day, Errand, Plan, Shift, inserted
from rules.service.travel import HANDOVER, estimate
from schemas.pickup import LegKind
from schemas.place import Place
from schemas.slot import Window

EIGHT = datetime(2026, 11, 23, 7, tzinfo=UTC)  #: in Berlin
HOUSE = Place(latitude=53.5503, longitude=9.9920)


def _at(minutes: int) -> datetime:
    return EIGHT + timedelta(minutes=minutes)


def _window(start: int, length: int = 60) -> Window:
    return Window(starts_at=_at(start), ends_at=_at(start + length))


@some.composite
def days(draw: some.DrawFn) -> Day:
    count, drivers = draw(some.integers(0, 9)), draw(some.integers(1, 4))
    near = some.floats(-0.15, 0.15)
    places = [HOUSE, *(Place(latitude=53.55 + draw(near), longitude=9.99 + draw(near)) for _ in range(count))]
    shifts = []
    for driver in range(1, drivers + 1):
        start, pause = draw(some.sampled_from((0, 0, 120))), draw(some.booleans())
        free = (_window(start, 300 - start), _window(330, 270)) if pause else (_window(start, 600 - start),)
        shifts.append(Shift(driver, free))
    errands = []
    for n in range(count):
        driver = draw(some.one_of(some.none(), some.integers(1, drivers)))
        window = _window(30 * draw(some.integers(0, 18)), draw(some.sampled_from((30, 60, 60, 120))))
        errands.append(Errand(n, draw(some.sampled_from(LegKind)), n + 1, window, driver, bound=False))
    return Day(tuple(errands), tuple(shifts), estimate(places), draw(some.booleans()))


def _sound(day: Day, plan: Plan) -> None:
    driven = [stop.errand.leg_id for stops in plan.rounds.values() for stop in stops]
    assert sorted([*driven, *(errand.leg_id for errand in plan.nobodys)]) == sorted(
        errand.leg_id for errand in day.errands
    ), "every leg is there once"
    free = {shift.driver: shift.free for shift in day.shifts}
    for driver, stops in plan.rounds.items():
        for stop in stops:
            window = stop.errand.window
            assert any(one.starts_at <= window.starts_at and window.ends_at <= one.ends_at for one in free[driver]), (
                "the driver is there"
            )
            assert stop.arrives >= window.starts_at, "nobody stands at the door too early"
            assert stop.late == max(timedelta(), stop.arrives + HANDOVER - window.ends_at)
        for one, other in zip(stops, stops[1:], strict=False):
            assert one.done <= other.leaves, "nobody is in two places"
        for one, other in combinations((stop.errand.window for stop in stops), 2):  # in whatever order they are driven
            assert not day.apart or one.ends_at <= other.starts_at or other.ends_at <= one.starts_at, (
                "nobody's time is booked twice"
            )


@given(days())
def test_a_plan_by_insertion_is_sound(day: Day) -> None:
    _sound(day, inserted(day))


@pytest.mark.skipif(not ordering.INSTALLED, reason="the extra `routes` is not installed")
@given(days())
def test_the_best_plan_is_sound_and_never_worse_than_insertion_on_the_same_legs(day: Day) -> None:
    found = best(day)
    _sound(day, found)
    assert found.cost <= inserted(day).cost


@given(days())
def test_without_the_library_the_plan_is_the_one_by_insertion(day: Day) -> None:
    assert best(day, with_vroom=False) == inserted(day)


def test_a_return_and_a_collection_next_door_are_one_drivers_round() -> None:
    """Bring one car home and take the neighbour's along."""
    north, south = Place(latitude=53.68, longitude=9.99), Place(latitude=53.42, longitude=9.99)
    legs = (
        Errand(1, LegKind.RETURN, 1, _window(0)),
        Errand(2, LegKind.RETURN, 2, _window(0)),
        Errand(3, LegKind.COLLECT, 3, _window(60)),
        Errand(4, LegKind.COLLECT, 4, _window(60)),
    )
    day = Day(
        legs, tuple(Shift(n, (_window(-60, 600),)) for n in (1, 2)), estimate([HOUSE, north, south, south, north])
    )
    plan = best(day)
    assert sorted(tuple(stop.errand.leg_id for stop in stops) for stops in plan.rounds.values()) == [(1, 4), (2, 3)]


def test_a_leg_that_has_begun_stays_with_its_driver() -> None:
    legs = (
        Errand(1, LegKind.COLLECT, 1, _window(0), driver=2, bound=True),
        Errand(2, LegKind.COLLECT, 1, _window(0), driver=2),
    )
    day = Day(legs, (Shift(1, (_window(0, 600),)), Shift(2, ())), estimate([HOUSE, HOUSE]))
    assert best(day).driver_of() == {1: 2, 2: 1}, "also when they should be away; what they have not begun is another's"


def test_of_equal_drivers_each_keeps_what_they_have() -> None:
    legs = tuple(Errand(n, LegKind.COLLECT, 1, _window(60 * n), driver=n) for n in (1, 2, 3))
    near = Place(latitude=53.56, longitude=9.99)
    day = Day(legs, tuple(Shift(n, (_window(0, 600),)) for n in (3, 1, 2)), estimate([HOUSE, near]))
    assert inserted(day).driver_of() == {1: 1, 2: 2, 3: 3}


def test_when_nobody_is_there_a_leg_is_nobodys_and_said_to_be() -> None:
    legs = (Errand(1, LegKind.COLLECT, 1, _window(0)), Errand(2, LegKind.COLLECT, 1, _window(30)))
    day = Day(legs, (Shift(1, (_window(0, 600),)),), estimate([HOUSE, HOUSE]))
    assert [errand.leg_id for errand in best(day).nobodys] == [2], "their windows overlap, and there is one driver"


@pytest.mark.parametrize("free", [(), (_window(0, 30),)], ids=["nobody is there", "nobody is there for long enough"])
def test_a_day_on_which_no_leg_fits_anybody_is_a_plan_too(free: tuple[Window, ...]) -> None:
    legs = tuple(Errand(n, LegKind.COLLECT, 1, _window(60 * n)) for n in (1, 2, 3))
    plan = best(Day(legs, (Shift(1, free), Shift(2, ())), estimate([HOUSE, HOUSE])))
    assert len(plan.nobodys) == 3 and plan.rounds == {1: (), 2: ()}
