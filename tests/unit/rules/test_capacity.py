"""What can be promised: in opening hours, with everything a visit needs, and never in an hour that nobody could
name.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.service import capacity, opening
from schemas.booking import BookingKind
from schemas.errors import BadInput
from schemas.moment import from_local, local
from schemas.slot import Use, Window
from tests.unit.rules.dealers import dealer, resources

MONDAY = datetime(2026, 11, 23, 9, 10, tzinfo=UTC)  # 10:10 in Berlin


def wall(moment, zone="Europe/Berlin"):
    return local(moment, zone).strftime("%a %H:%M")


def test_two_windows_are_offered_on_the_same_day_two_hours_apart():
    one, two = capacity.offered(dealer(), BookingKind.PICKUP, MONDAY, resources(), {})
    assert (wall(one.window.starts_at), wall(two.window.starts_at)) == ("Mon 11:30", "Mon 13:30")


def test_two_windows_that_are_offered_together_do_not_need_the_same_driver_at_once():
    one, two = capacity.offered(dealer(), BookingKind.PICKUP, MONDAY, resources(), {})
    taken = [(claim.resource_id, claim.window) for claim in (*one.claims, *two.claims)]
    assert not any(a is not b and a[0] == b[0] and capacity.overlap(a[1], b[1]) for a in taken for b in taken)


def test_the_return_is_planned_after_the_work():
    option = capacity.offered(dealer(), BookingKind.PICKUP, MONDAY, resources(), {})[0]
    use = {claim.use: claim.window for claim in option.claims}
    assert use[Use.COLLECT].ends_at <= use[Use.WORK].starts_at and use[Use.WORK].ends_at <= use[Use.RETURN].starts_at
    assert option.ready_by == use[Use.WORK].ends_at


def test_what_does_not_fit_today_is_offered_on_the_next_open_day_and_holidays_are_none():
    friday_evening = datetime(2026, 12, 24, 15, 45, tzinfo=UTC)  # Thursday 16:45; Friday and Saturday are Christmas
    options = capacity.free(dealer(), BookingKind.DROP_OFF, friday_evening, resources(), {}, count=1)
    assert wall(options[0].window.starts_at) == "Mon 08:00"


def test_a_country_whose_holidays_the_opening_hours_do_not_know_keeps_them_all_the_same():
    where = dealer(zone="Asia/Kolkata", country="IN")
    republic_day = datetime(2027, 1, 26, tzinfo=UTC)  # a Tuesday
    assert opening.open_times(where, republic_day, republic_day + timedelta(hours=12)) == ()
    nowhere = dealer(zone="Asia/Kolkata", country="XX")
    assert len(opening.open_times(nowhere, republic_day, republic_day + timedelta(hours=12))) == 1


def test_a_driver_who_is_busy_all_day_leaves_no_pickup_but_the_bay_is_free():
    busy = {1: [Window(starts_at=MONDAY - timedelta(days=1), ends_at=MONDAY + timedelta(days=40))]}
    assert capacity.offered(dealer(), BookingKind.PICKUP, MONDAY, resources(), busy) == ()
    assert len(capacity.offered(dealer(), BookingKind.DROP_OFF, MONDAY, resources(), busy)) == 2


def test_a_loaner_is_promised_only_when_one_is_free_from_the_collection_to_the_return():
    option = capacity.free(dealer(), BookingKind.PICKUP, MONDAY, resources(loaners=1), {}, count=1, loaner=True)[0]
    loan = next(claim for claim in option.claims if claim.use is Use.LOANER)
    assert loan.window.starts_at == option.window.starts_at and loan.window.ends_at == max(
        claim.window.ends_at for claim in option.claims
    )
    assert capacity.free(dealer(), BookingKind.PICKUP, MONDAY, resources(), {}, loaner=True) == ()


def test_work_spreads_over_the_bays():
    one = capacity.free(
        dealer(),
        BookingKind.DROP_OFF,
        MONDAY,
        resources(bays=2),
        {2: [Window(starts_at=MONDAY, ends_at=MONDAY + timedelta(minutes=1))]},
        count=1,
    )
    assert one[0].claims[0].resource_id == 3


@pytest.mark.parametrize("text", ["whenever", "Mo-Fr 8", ""])
def test_opening_hours_that_cannot_be_read_are_refused(text):
    with pytest.raises(BadInput, match="opening_hours"):
        opening.check_hours(text, "Europe/Berlin", "DE")


def test_a_window_in_the_past_is_refused_and_one_outside_opening_hours_is_not_free():
    with pytest.raises(BadInput, match="past"):
        capacity.at(dealer(), BookingKind.DROP_OFF, MONDAY - timedelta(hours=2), MONDAY, resources(), {})
    assert capacity.at(dealer(), BookingKind.DROP_OFF, MONDAY.replace(hour=20), MONDAY, resources(), {}) is None
    assert (
        capacity.at(dealer(), BookingKind.DROP_OFF, MONDAY.replace(hour=12, minute=0), MONDAY, resources(), {})
        is not None
    )


#: The nights on which the clocks change, at dealers who are open all night.
NIGHTS = [
    ("Europe/Berlin", "DE", datetime(2027, 3, 27, 20, tzinfo=UTC)),
    ("Europe/Berlin", "DE", datetime(2026, 10, 24, 20, tzinfo=UTC)),
    ("America/New_York", "US", datetime(2027, 3, 14, 2, tzinfo=UTC)),
    ("America/New_York", "US", datetime(2026, 11, 1, 2, tzinfo=UTC)),
    ("Australia/Lord_Howe", "AU", datetime(2026, 10, 3, 12, tzinfo=UTC)),
    ("Australia/Lord_Howe", "AU", datetime(2027, 4, 3, 12, tzinfo=UTC)),
    ("Asia/Kolkata", "IN", datetime(2026, 6, 1, tzinfo=UTC)),
    ("America/Santiago", "CL", datetime(2026, 9, 6, 2, tzinfo=UTC)),
]


@pytest.mark.parametrize("zone, country, night", NIGHTS)
def test_no_window_begins_in_an_hour_that_is_skipped_or_repeated(zone, country, night):
    where = dealer(zone=zone, country=country, opening_hours="24/7", drive_minutes=60, notice_minutes=0)
    options = capacity.free(where, BookingKind.DROP_OFF, night, resources(), {}, count=30)
    assert len(options) == 30
    for option in options:
        seen = local(option.window.starts_at, zone)
        assert seen.minute in (0, 30)
        assert from_local(seen.date(), seen.time().replace(tzinfo=None), zone) == option.window.starts_at, (
            "what the person saw names this instant and no other"
        )
        assert option.claims[0].window.ends_at - option.claims[0].window.starts_at == timedelta(hours=2), (
            "two hours are two hours, whatever the clock shows"
        )


def test_an_autumn_saturday_ends_an_hour_later_by_the_sun():
    where = dealer(opening_hours="Mo-Su 08:00-18:00")
    spans = opening.open_times(where, datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC))
    assert [span.starts_at.hour for span in spans] == [6, 7]
    assert {span.ends_at - span.starts_at for span in spans} == {timedelta(hours=10)}


@given(
    start=st.integers(0, 60 * 24 * 20),
    busy=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 60 * 24 * 14), st.integers(15, 600)), max_size=25),
    kind=st.sampled_from(BookingKind),
)
def test_whatever_is_taken_an_offer_never_takes_it_again(start, busy, kind):
    now = MONDAY + timedelta(minutes=start)
    taken: dict[int, list[Window]] = {}
    for resource, ahead, length in busy:
        begins = now + timedelta(minutes=ahead)
        taken.setdefault(resource, []).append(Window(starts_at=begins, ends_at=begins + timedelta(minutes=length)))
    claims = [
        claim
        for option in capacity.offered(dealer(), kind, now, resources(drivers=2, bays=2), taken)
        for claim in option.claims
    ]
    for n, claim in enumerate(claims):
        assert claim.window.starts_at >= now + timedelta(minutes=60)
        assert not any(capacity.overlap(claim.window, other) for other in taken.get(claim.resource_id, ()))
        assert not any(
            claim.resource_id == other.resource_id and capacity.overlap(claim.window, other.window)
            for other in claims[:n]
        )
        assert 8 <= local(claim.window.starts_at, "Europe/Berlin").hour < 18


def test_a_tow_takes_the_dealer_s_own_truck_while_it_is_out_and_no_longer():
    option = capacity.offered(dealer(), BookingKind.TOW, MONDAY, resources(trucks=1), {})[0]
    use = {claim.use: claim for claim in option.claims}
    assert (
        set(use) == {Use.COLLECT, Use.WORK, Use.RETURN, Use.TOW}
        and use[Use.TOW].window == use[Use.COLLECT].window == option.window
    )
    busy = {use[Use.TOW].resource_id: [option.window]}
    other = capacity.offered(dealer(), BookingKind.TOW, MONDAY, resources(trucks=1), busy)[0]
    assert not capacity.overlap(other.window, option.window)
    assert capacity.offered(dealer(), BookingKind.PICKUP, MONDAY, resources(trucks=1), busy)[0].window == option.window


def test_a_dealer_without_a_truck_of_their_own_orders_one():
    option = capacity.offered(dealer(), BookingKind.TOW, MONDAY, resources(), {})[0]
    assert [claim.use for claim in option.claims] == [Use.COLLECT, Use.WORK, Use.RETURN]
