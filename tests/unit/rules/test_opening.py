"""Holidays of a region, and days of a dealer's own."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rules.service import capacity, opening
from schemas.booking import BookingKind
from schemas.errors import BadInput
from schemas.moment import local
from tests.unit.rules.dealers import dealer, resources

BERLIN = ZoneInfo("Europe/Berlin")


def hours(where, day):
    midnight = datetime.combine(day, datetime.min.time(), BERLIN)
    spans = opening.open_times(where, midnight, midnight + timedelta(days=1))
    return [
        tuple(local(moment, "Europe/Berlin").strftime("%H:%M") for moment in (span.starts_at, span.ends_at))
        for span in spans
    ]


def test_a_holiday_of_the_region_is_one_and_that_of_another_region_is_none():
    """Reformation Day is kept in Hamburg, Epiphany in Bavaria."""
    hamburg, bavaria, nowhere = (
        dealer(opening_hours="Mo-Sa 08:00-18:00; PH off", region=region) for region in ("DE-HH", "DE-BY", "")
    )
    reformation, epiphany, usual = date(2026, 10, 31), date(2027, 1, 6), [("08:00", "18:00")]
    assert [hours(where, reformation) for where in (hamburg, bavaria, nowhere)] == [[], usual, usual]
    assert [hours(where, epiphany) for where in (hamburg, bavaria, nowhere)] == [usual, [], usual]
    evening = datetime(2026, 10, 30, 18, tzinfo=UTC)
    assert local(
        capacity.free(hamburg, BookingKind.DROP_OFF, evening, resources(), {}, count=1)[0].window.starts_at,
        hamburg.zone,
    ).date() == date(2026, 11, 2)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Mo-Sa 08:00-18:00; PH 10:00-12:00", ["10:00", "12:00"]),
        ("Mo-Sa,PH 08:00-18:00", ["08:00", "18:00"]),
        ("Mo-Sa 08:00-18:00; Su,PH off", []),
        ("Mo-Sa 08:00-18:00", ["08:00", "18:00"]),
        ("24/7; PH off", []),
    ],
)
def test_what_the_hours_say_of_holidays_holds_for_those_of_the_region_too(text, expected):
    assert [
        at for span in hours(dealer(opening_hours=text, region="DE-HH"), date(2026, 10, 31)) for at in span
    ] == expected


def test_a_day_of_their_own_comes_before_hours_and_holidays():
    where = dealer(
        opening_hours="Mo-Fr 08:00-18:00; PH off",
        special_days="2026-12-24 08:00-10:00,10:30-12:00\n2026-12-25 09:00-11:00; 2026-12-28 closed",
    )
    assert hours(where, date(2026, 12, 24)) == [("08:00", "10:00"), ("10:30", "12:00")]
    assert hours(where, date(2026, 12, 25)) == [("09:00", "11:00")] and hours(where, date(2026, 12, 28)) == []
    assert hours(where, date(2026, 12, 29)) == [("08:00", "18:00")]
    told = opening.days_that_differ(where, date(2026, 12, 23), date(2026, 12, 29))
    assert told == {
        date(2026, 12, 24): ("", ((480, 600), (630, 720))),
        date(2026, 12, 25): ("Christmas Day", ((540, 660),)),
        date(2026, 12, 26): ("Second Day of Christmas", ()),
        date(2026, 12, 28): ("", ()),
    }


def test_a_house_that_never_closes_is_closed_for_that_day_only():
    where = dealer(
        opening_hours="24/7", special_days="2027-03-28 closed"
    )  # the clocks change that night: the day has 23 hours
    spans = opening.open_times(where, datetime(2027, 3, 27, tzinfo=UTC), datetime(2027, 3, 30, tzinfo=UTC))
    assert [(span.starts_at, span.ends_at) for span in spans] == [
        (datetime(2027, 3, 27, tzinfo=UTC), datetime(2027, 3, 27, 23, tzinfo=UTC)),
        (datetime(2027, 3, 28, 22, tzinfo=UTC), datetime(2027, 3, 30, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    "text, why",
    [
        ("Christmas closed", "cannot be read"),
        ("2026-13-01 closed", "cannot be read"),
        ("2026-12-24", "cannot be read"),
        ("2026-12-24 8-12", "cannot be read"),
        ("2026-12-24 08:00-25:00", "cannot be read"),
        ("2026-12-24 12:00-08:00", "end after they begin"),
        ("2026-12-24 08:00-12:00,11:00-14:00", "do not overlap"),
        ("2026-12-24 closed; 2026-12-24 08:00-12:00", "twice"),
    ],
)
def test_a_day_that_cannot_be_read_is_refused_with_its_reason(text, why):
    with pytest.raises(BadInput, match=why):
        opening.special_days(text)


def test_a_region_has_one_code_and_an_unknown_one_is_refused():
    assert [opening.check_region(one_text, "DE") for one_text in ("DE-HH", "hh", " de-by ", "")] == [
        "DE-HH",
        "DE-HH",
        "DE-BY",
        "",
    ]
    assert opening.regions("DE")["DE-HH"] == "Hamburg" and opening.regions("XX") == {}
    for one_text, country in (("DE-QQ", "DE"), ("FR-ARA", "DE"), ("XX-1", "XX")):
        with pytest.raises(BadInput, match="region"):
            opening.check_region(one_text, country)
