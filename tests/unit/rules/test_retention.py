"""What past retention means when clocks may be wrong: all must agree, few go at once, and for a day they can come
back.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.service.clocks import apart
from rules.service.retention import GRACE, MOST_A_DAY, Plan, Witnesses, date_of, day_of, plan
from schemas.retention import RetentionWord

NOW = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)
TODAY = day_of(NOW)
KEPT = 400
YEAR = range(TODAY - KEPT, TODAY + 2)


def by(**changes: object) -> Witnesses:
    return Witnesses(**{"own": NOW, "told": NOW, "newest": TODAY, "machine": NOW, **changes})  # type: ignore[arg-type]


def test_an_ordinary_day_detaches_one_and_drops_the_one_of_the_day_before():
    first = plan([TODAY - KEPT - 1, *YEAR], {}, KEPT, by())
    assert (first.detach, first.drop, first.attach, first.refused) == ((TODAY - KEPT - 1,), (), (), "")
    later = plan(YEAR, {TODAY - KEPT - 1: NOW - GRACE}, KEPT, by())
    assert (later.detach, later.drop) == ((), (TODAY - KEPT - 1,))
    assert plan(YEAR, {TODAY - KEPT - 1: NOW - GRACE / 2}, KEPT, by()).drop == ()


@pytest.mark.parametrize("wrong", ["own", "told"])
@pytest.mark.parametrize("days", [500, 40])
def test_one_clock_that_is_days_ahead_takes_nothing_away_and_says_so(wrong, days):
    found = plan(YEAR, {}, KEPT, by(**{wrong: NOW + timedelta(days=days)}))
    assert found.detach == found.drop == ()
    assert "past retention by one clock and not by all" in found.refused and str(date_of(TODAY + days)) in found.refused


def test_a_wrong_clock_of_the_whole_machine_is_known_by_what_cars_say():
    far = NOW + timedelta(days=500)
    found = plan(YEAR, {}, KEPT, by(own=far, told=far, machine=far))
    assert found.detach == () and f"the newest reading is of {date_of(TODAY)}" in found.refused


def test_even_when_everybody_is_wrong_few_days_go_and_they_come_back_when_the_clocks_are_right_again():
    far = NOW + timedelta(days=500)
    found = plan(YEAR, {}, KEPT, by(own=far, told=far, machine=far, newest=TODAY + 500))
    assert (
        found.detach == tuple(YEAR)[:MOST_A_DAY] and found.drop == () and "no more than 7 go in a day" in found.refused
    )
    gone = dict.fromkeys(found.detach, far)
    assert (
        plan(
            set(YEAR) - gone.keys(),
            gone,
            KEPT,
            by(own=far, told=far, machine=far + timedelta(hours=23), newest=TODAY + 500),
        ).detach
        == ()
    )
    right = plan(set(YEAR) - gone.keys(), gone, KEPT, by())
    assert right.attach == found.detach and right.drop == right.detach == ()


def test_a_house_without_readings_loses_nothing():
    assert plan([], {}, KEPT, by(newest=None)) == Plan()
    found = plan(range(TODAY - 900, TODAY - 450), {}, KEPT, by(newest=None))
    assert found.detach == () and found.refused


def test_where_no_car_speaks_any_more_a_person_says_what_day_it_is():
    silent = by(newest=TODAY - 300)
    days = range(TODAY - 500, TODAY - 299)
    assert (
        plan(days, {}, KEPT, silent).detach == ()
        and "by one clock and not by all" in plan(days, {}, KEPT, silent).refused
    )
    result = RetentionWord(NOW.date(), None, NOW - timedelta(hours=1))
    assert plan(days, {}, KEPT, by(newest=TODAY - 300, word=result)).detach == tuple(days)[:MOST_A_DAY]
    assert (
        plan(days, {}, KEPT, by(newest=TODAY - 300, word=RetentionWord(date(2036, 1, 1), None, NOW))).first_kept
        == TODAY - KEPT
    )  # never beyond the clocks
    assert (
        plan(
            days, {}, KEPT, by(newest=TODAY - 300, word=RetentionWord(NOW.date(), None, NOW - timedelta(days=2)))
        ).detach
        == ()
    )  # his word is old
    many = plan(days, {}, KEPT, by(newest=TODAY, word=RetentionWord(None, 60, NOW)))
    assert len(many.detach) == 60


def test_a_time_lapse_keeps_up_with_itself():
    found = plan(range(TODAY - 600, TODAY + 2), {}, KEPT, by(speed=600.0))
    assert len(found.detach) == 200 and found.refused == ""


DAYS = st.integers(-1000, 1000)


@given(
    DAYS,
    DAYS,
    st.one_of(st.none(), DAYS),
    st.sets(st.integers(TODAY - 1500, TODAY + 500)),
    st.dictionaries(DAYS, st.integers(0, 100)),
)
def test_nothing_goes_that_one_witness_would_keep(own, told, newest, attached, hours):
    witnesses = by(
        own=NOW + timedelta(days=own),
        told=NOW + timedelta(days=told),
        newest=None if newest is None else TODAY + newest,
    )
    detached = {TODAY + day: NOW - timedelta(hours=h) for day, h in hours.items() if TODAY + day not in attached}
    found = plan(attached, detached, KEPT, witnesses)
    first = TODAY + min(own, told, newest) - KEPT if newest is not None else -(10**9)
    assert all(day < first for day in (*found.detach, *found.drop))
    assert all(at <= NOW - GRACE for day, at in detached.items() if day in found.drop)
    assert len(found.detach) + sum(at > NOW - GRACE for at in detached.values()) <= max(
        MOST_A_DAY, sum(at > NOW - GRACE for at in detached.values())
    )
    assert (
        not {*found.attach} & {*found.drop}
        and {*found.attach, *found.drop} <= detached.keys()
        and {*found.detach} <= attached
    )


def test_clocks_that_agree_say_nothing_and_those_that_do_not_say_how_far():
    assert apart(NOW, NOW + timedelta(minutes=9)) is None
    assert apart(NOW + timedelta(days=500), NOW) == "500 days ahead of the database's"
    assert apart(NOW - timedelta(hours=1), NOW) == "1 hour behind the database's"
