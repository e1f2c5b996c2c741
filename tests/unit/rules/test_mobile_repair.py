"""A technician comes to the car: with a van, within a day's hours, for work that needs no workshop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.service import capacity
from rules.service.asking import Asks, work_of
from rules.service.claims import window_of, work_end
from rules.service.operations import SUGGESTED, suggested
from rules.service.travel import within
from schemas.booking import BookingKind
from schemas.errors import BadInput
from schemas.operation import Skill
from schemas.place import Place
from schemas.slot import Use, Window
from tests.unit.rules.dealers import dealer, resources

MONDAY = datetime(2026, 11, 23, 9, 10, tzinfo=UTC)
BATTERY = suggested([("battery_12v", "")])  # an hour, electrical
HOUSE = resources(vans=1, technicians=[(Skill.ELECTRICAL,), (Skill.TYRES,)])
MOBILE = BookingKind.MOBILE_REPAIR


def asks(*rules: str) -> Asks:
    return Asks(work=work_of(suggested((rule, "") for rule in rules)))


def test_it_takes_a_van_and_whoever_knows_the_work_for_both_ways_and_no_bay():
    house = dealer()
    option = capacity.offered(house, MOBILE, MONDAY, HOUSE, {}, asks=asks("battery_12v"))[0]
    use = {claim.use: claim for claim in option.claims}
    way, work = timedelta(minutes=house.drive_minutes), timedelta(minutes=60)
    start = option.window.starts_at
    assert set(use) == {Use.WAY, Use.VAN, Use.LABOUR}
    assert option.window == use[Use.WAY].window == Window(starts_at=start, ends_at=start + way)
    assert use[Use.LABOUR].resource_id == 100, "the one who knows electrics"
    assert use[Use.LABOUR].window == Window(starts_at=start, ends_at=start + way + work + way)
    assert use[Use.VAN].window == Window(starts_at=start + way, ends_at=start + way + work + way)
    assert option.ready_by == start + way + work


@given(hours=st.integers(0, 14 * 24), minutes=st.sampled_from((30, 60, 90)))
def test_what_it_takes_tells_its_window_and_its_end_again_and_lies_in_one_opening(hours: int, minutes: int):
    house, at = dealer(drive_minutes=minutes), MONDAY + timedelta(hours=hours)
    for option in capacity.free(house, MOBILE, at, HOUSE, {}, count=3, asks=asks("tyre_leak")):
        spans = [(claim.use, claim.window.starts_at, claim.window.ends_at) for claim in option.claims]
        assert (window_of(MOBILE, spans), work_end(spans)) == (option.window, option.ready_by)
        first, last = min(s for _, s, _ in spans), max(e for _, _, e in spans)
        assert capacity._opening(house, at.date()).holds(Window(starts_at=first, ends_at=last))


@pytest.mark.parametrize("rule", sorted(SUGGESTED))
def test_work_that_needs_the_workshop_is_not_done_on_the_road(rule: str):
    skilled = resources(vans=1, technicians=[tuple(Skill)])
    found = capacity.free(dealer(), MOBILE, MONDAY, skilled, {}, count=1, asks=asks(rule))
    assert bool(found) is SUGGESTED[rule].mobile
    assert SUGGESTED[rule].mobile or asks(rule).work.bound == (SUGGESTED[rule].title,)


@pytest.mark.parametrize("there", [{"vans": 0, "technicians": [tuple(Skill)]}, {"vans": 1}, {"technicians": ((),)}])
def test_without_a_van_or_anybody_who_knows_it_nothing_is_free(there):
    assert not capacity.free(dealer(), MOBILE, MONDAY, resources(**there), {}, asks=asks("battery_12v"))


def test_two_that_are_offered_together_can_both_be_held():
    one, two = capacity.offered(dealer(), MOBILE, MONDAY, HOUSE, {}, asks=asks("battery_12v"))
    taken = [(claim.resource_id, claim.window) for claim in (*one.claims, *two.claims)]
    assert not any(a is not b and a[0] == b[0] and capacity.overlap(a[1], b[1]) for a in taken for b in taken)


def test_nobody_drives_beyond_the_radius_to_repair():
    here, far = Place(latitude=53.55, longitude=10.0), Place(latitude=53.55, longitude=12.0)
    with pytest.raises(BadInput, match="we come to cars within 20 km"):
        within(MOBILE, here, 20, far)
