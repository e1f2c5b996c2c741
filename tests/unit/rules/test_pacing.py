"""How fast what was found on trial comes before the desk: dangerous at once, the rest as the workshop can take it, and
all of it in the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.service.pacing import Found, day_of, in_turn, visits_a_day
from schemas.verdict import Severity
from tests.unit.rules.dealers import dealer

MONDAY = datetime(2026, 11, 23, 9, 10, tzinfo=UTC)
FINDS = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from(list(Severity)), st.integers(0, 400), st.booleans()),
    max_size=40,
).map(
    lambda rows: [
        Found(n, car, severity, MONDAY - timedelta(hours=age), joins)
        for n, (car, severity, age, joins) in enumerate(rows, start=1)
    ]
)


@given(FINDS, st.integers(-2, 6))
def test_no_more_new_cars_than_places_and_nothing_dangerous_waits(found, places):
    turn = in_turn(found, places)
    at_once = {one.vehicle_id for one in found if one.joins or one.severity is Severity.NOW}
    assert {one for one in found if one.severity is Severity.NOW or one.joins} <= set(turn)
    assert len({one.vehicle_id for one in turn} - at_once) <= max(0, places)
    assert {one.id for one in found if one.vehicle_id in {o.vehicle_id for o in turn}} == {
        one.id for one in turn
    }  # one visit


@given(FINDS, st.integers(1, 6))
def test_day_after_day_all_of_them_come_and_the_urgent_ones_first(found, places):
    left, days = list(found), []
    while left:
        turn = in_turn(left, places)
        assert turn
        days.append(turn)
        left = [one for one in left if one not in turn]
    best = [
        max(one.severity.rank for one in left)
        for left in ([o for later in days[n:] for o in later] for n in range(len(days)))
    ]
    assert all(max(one.severity.rank for one in day) == rank for day, rank in zip(days, best, strict=True))
    assert sorted(one.id for day in days for one in day) == [one.id for one in found]


def test_a_day_has_as_many_places_as_the_workshop_has_time_and_none_when_it_is_closed():
    two_bays = dealer(opening_hours="Mo-Fr 08:00-18:00", workshop_minutes=120)
    assert visits_a_day(two_bays, 2, MONDAY) == 10
    assert visits_a_day(two_bays, 0, MONDAY) == 5  # who has not said how many bays there are has at least one
    assert visits_a_day(two_bays, 2, MONDAY - timedelta(days=1)) == 0
    assert visits_a_day(dealer(opening_hours="Mo-Fr 08:00-09:00", workshop_minutes=480), 1, MONDAY) == 1


def test_the_day_that_changes_its_clock_is_one_day_of_23_or_25_hours():
    spring, autumn = datetime(2026, 3, 29, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC)
    assert [(b - a) / timedelta(hours=1) for a, b in (day_of(dealer(), spring), day_of(dealer(), autumn))] == [23, 25]
