"""A day takes as many visits of a kind as the dealer says, some of them for the desk alone; and work takes a technician
who can do it, for as long as it takes.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.service import capacity
from rules.service.asking import Asks, Work
from rules.service.places import Limit, Places, counted, day_limits
from schemas.booking import BookingKind
from schemas.errors import BadInput
from schemas.moment import local
from schemas.operation import Skill
from schemas.slot import Use
from tests.unit.rules.dealers import dealer, resources

MONDAY = datetime(2026, 11, 23, 9, 10, tzinfo=UTC)  # 10:10 in Berlin
M, HV = Skill.MECHANICAL, Skill.HIGH_VOLTAGE


def day(moment):
    return local(moment, "Europe/Berlin").date()


def test_limits_are_read_as_they_are_written():
    assert day_limits("") == {}
    assert day_limits("pickup 8, desk 2\nLoaner 3; tow 1 desk 1") == {
        "pickup": Limit(8, 2),
        "loaner": Limit(3),
        "tow": Limit(1, 1),
    }


@pytest.mark.parametrize("text", ["pickups 8", "pickup", "pickup -1", "pickup 2, desk 3", "tow 1; tow 2", "pickup 8 2"])
def test_a_limit_that_cannot_be_is_refused_by_its_field(text):
    with pytest.raises(BadInput) as refused:
        day_limits(text)
    assert refused.value.field == "day_limits"


def test_a_full_day_is_passed_over_and_the_last_place_is_the_desk_s():
    kind, today = BookingKind.DROP_OFF, day(MONDAY)
    taken = counted([("drop_off", today, False)])
    for online, first in ((False, today), (True, today + timedelta(days=1))):
        asks = Asks(Places(day_limits("drop_off 2, desk 1"), taken, online))
        [option] = capacity.free(dealer(), kind, MONDAY, resources(bays=3), {}, count=1, asks=asks)
        assert day(option.window.starts_at) == first, online


def test_two_windows_of_an_offer_take_two_places():
    asks = Asks(Places(day_limits("pickup 1")))
    one, two = capacity.offered(dealer(), BookingKind.PICKUP, MONDAY, resources(drivers=2, bays=2), {}, asks=asks)
    assert day(one.window.starts_at) < day(two.window.starts_at)


def test_a_loaner_has_a_limit_of_its_own():
    places = Places(day_limits("loaner 1"), counted([("pickup", day(MONDAY), True)]))
    asks, cars = Asks(places), resources(loaners=3)
    assert capacity.at(dealer(), BookingKind.DROP_OFF, MONDAY.replace(hour=10, minute=30), MONDAY, cars, {}, asks=asks)
    found = capacity.at(
        dealer(), BookingKind.DROP_OFF, MONDAY.replace(hour=10, minute=30), MONDAY, cars, {}, loaner=True, asks=asks
    )
    assert found is None and places.full(BookingKind.DROP_OFF, day(MONDAY), loaner=True) == "loaner"


def test_work_takes_a_technician_who_knows_it_for_as_long_as_it_takes():
    house = resources(technicians=[(M,), (M, HV)])
    asks = Asks(work=Work(240, frozenset({HV})))
    [option] = capacity.free(dealer(), BookingKind.DROP_OFF, MONDAY, house, {}, count=1, asks=asks)
    labour = next(claim for claim in option.claims if claim.use is Use.LABOUR)
    assert labour.resource_id == 101 and labour.window.ends_at - labour.window.starts_at == timedelta(hours=4)
    busy = {101: [labour.window]}
    [later] = capacity.free(dealer(), BookingKind.DROP_OFF, MONDAY, house, busy, count=1, asks=asks)
    assert later.window.starts_at >= labour.window.ends_at, "the other one does not know high voltage"


def test_work_that_nobody_here_knows_is_never_free_and_says_so():
    house, work = resources(technicians=[(M,)]), Work(60, frozenset({HV}))
    assert capacity.free(dealer(), BookingKind.DROP_OFF, MONDAY, house, {}, asks=Asks(work=work)) == ()
    assert capacity.unable(work, house) == "high voltage work"
    assert capacity.unable(work, resources()) == "" == capacity.unable(Work(60, frozenset({M})), house)


def test_where_no_technician_is_planned_every_visit_takes_the_same_time_and_a_bay_alone():
    [option] = capacity.free(
        dealer(), BookingKind.DROP_OFF, MONDAY, resources(), {}, count=1, asks=Asks(work=Work(240, frozenset({HV})))
    )
    [claim] = option.claims
    assert claim.window.ends_at - claim.window.starts_at == timedelta(minutes=dealer().workshop_minutes)


@settings(max_examples=25, deadline=None)
@given(
    limit=st.integers(1, 4),
    desk=st.integers(0, 1),
    asked=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=12),
)
def test_whatever_is_booked_no_day_has_more_than_its_limit_and_nobody_works_twice(limit, desk, asked):
    house, taken, seen = resources(bays=3, loaners=2, technicians=[(M,), (M,)]), {}, Counter()
    limits = day_limits(f"drop_off {limit}, desk {desk}; loaner 1")
    visits = []
    for online, loaner in asked:
        asks = Asks(Places(limits, counted(visits), online), Work(90, frozenset({M})))
        found = capacity.free(dealer(), BookingKind.DROP_OFF, MONDAY, house, taken, count=1, loaner=loaner, asks=asks)
        for option in found:
            on = day(option.window.starts_at)
            visits.append(("drop_off", on, loaner))
            seen[("drop_off", on)] += 1
            seen[("loaner", on)] += loaner
            for claim in option.claims:
                assert not any(capacity.overlap(claim.window, w) for w in taken.get(claim.resource_id, ()))
                taken.setdefault(claim.resource_id, []).append(claim.window)
    assert all(count <= (limit if what == "drop_off" else 1) for (what, _), count in seen.items())
