"""Windows that are offered wait for the parts that must be ordered, counted in days on which the house opens."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.service import capacity
from rules.service.asking import Asks
from rules.service.operations import SUGGESTED, suggested
from rules.service.parts import KNOWN, ordered, shelf
from rules.service.places import Places, day_limits
from schemas.booking import BookingKind
from schemas.errors import BadInput
from schemas.moment import local
from schemas.operation import Skill
from tests.unit.rules.dealers import dealer, resources

HOUSE = resources(vans=1, technicians=[tuple(Skill)])
FRIDAY = datetime(2026, 11, 27, 9, 10, tzinfo=UTC)
ALTERNATOR = suggested([("alternator", "")])  # two days


def test_who_says_nothing_waits_for_nothing():
    assert shelf("") is shelf(" ;\n") is None
    assert ordered(dealer(), ALTERNATOR, FRIDAY) is None


def test_what_lies_on_the_shelf_is_here_and_the_rest_comes_when_the_house_opens_again():
    assert shelf("valve; Tyre") == {"Valve", "Tyre"} and shelf("Nothing") == frozenset()
    found = ordered(dealer(parts_shelf="nothing"), ALTERNATOR, FRIDAY)
    assert found is not None and found.names == ("Alternator",)
    assert local(found.here_at, "Europe/Berlin").isoformat() == "2026-11-30T08:00:00+01:00", (
        "Saturday is a day, Sunday none"
    )
    assert ordered(dealer(parts_shelf="alternator"), ALTERNATOR, FRIDAY) is None


def test_in_the_evening_nobody_orders():
    house = dealer(parts_shelf="nothing")
    battery = suggested([("battery_12v", "")])  # a day
    by_day, at_night = (ordered(house, battery, FRIDAY - timedelta(days=4) + timedelta(hours=n)) for n in (0, 11))
    assert by_day is not None and at_night is not None
    assert by_day.here_at.date().isoformat() == "2026-11-24" and at_night.here_at.date().isoformat() == "2026-11-25"


@pytest.mark.parametrize("text", ["tire", "nothing; valve", "2026"])
def test_a_part_that_nobody_knows_is_refused_by_its_field(text):
    with pytest.raises(BadInput) as refused:
        shelf(text)
    assert refused.value.field == "parts_shelf" and "12 V battery" in str(refused.value)


SHUTTLE = day_limits("shuttle 900")


@settings(max_examples=60, deadline=None)
@given(
    rule=st.sampled_from(sorted(SUGGESTED)),
    here=st.sets(st.sampled_from(sorted(KNOWN.values()))),
    hours=st.integers(0, 24 * 60),
    kind=st.sampled_from(BookingKind),
)
def test_no_offer_begins_before_its_parts_are_here_and_only_the_desk_books_before(rule, here, hours, kind):
    at = FRIDAY + timedelta(hours=hours)
    house = dealer(parts_shelf="; ".join(here) or "nothing")
    parts = ordered(house, suggested([(rule, "")]), at)
    asks = {online: Asks(Places(SHUTTLE, online=online), parts=parts) for online in (False, True)}
    plain = capacity.free(house, kind, at, HOUSE, {}, count=3, asks=Asks(Places(SHUTTLE)))
    assert capacity.free(house, kind, at, HOUSE, {}, count=3, asks=asks[False]) == plain
    if parts is None:
        return
    assert date.fromisoformat(f"{local(parts.here_at, house.zone):%Y-%m-%d}") > local(at, house.zone).date()
    for options in (
        capacity.offered(house, kind, at, HOUSE, {}, asks=asks[False]),
        capacity.free(house, kind, at, HOUSE, {}, count=3, asks=asks[True]),
    ):
        assert options and all(option.window.starts_at >= parts.here_at for option in options)
    early = plain[0].window.starts_at
    if early < parts.here_at:
        assert capacity.at(house, kind, early, at, HOUSE, {}, asks=asks[True]) is None
        assert capacity.at(house, kind, early, at, HOUSE, {}, asks=asks[False]) is not None
