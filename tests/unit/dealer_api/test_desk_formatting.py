"""How the desk says times, spans and freshness: never more than it knows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from dealer_api.desk import formatting
from dealer_api.desk.page import back
from dealer_api.desk.vehicles import _hints, freshness, quantity
from schemas.booking import BookingState, OfferState
from schemas.case import CaseState
from schemas.message import MessageState, Purpose
from schemas.pickup import LegState
from schemas.reading import Refusal
from schemas.signal import BY_PATH
from schemas.verdict import Severity

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, "under 1 min"),
        (59, "59 min"),
        (60, "1 h"),
        (130, "2 h 10 min"),
        (13 * 60 + 5, "13 h"),
        (24 * 60, "1 day"),
        (9 * 1440, "9 days"),
    ],
)
def test_a_span_has_at_most_two_units(minutes: int, text: str) -> None:
    assert formatting.span(timedelta(minutes=minutes)) == text


def test_times_are_those_of_the_dealer_s_wall_clock() -> None:
    assert formatting.when(NOW, BERLIN, NOW) == "today 10:00"
    assert formatting.when(NOW + timedelta(hours=14), BERLIN, NOW) == "tomorrow 00:00"
    assert formatting.when(NOW - timedelta(days=3), BERLIN, NOW) == "Fri 20 Nov 10:00"
    assert formatting.day(NOW - timedelta(days=400), BERLIN, NOW) == "Sun 19 Oct 2025"


def test_a_night_in_which_clocks_change_has_its_own_hours() -> None:
    before = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert formatting.hours(before, before + timedelta(hours=1), BERLIN) == "02:30–02:30"


@pytest.mark.parametrize(
    ("age", "short", "look"),
    [
        (None, "Never heard", "warn"),
        (timedelta(minutes=3), "Heard 3 min ago", "good"),
        (timedelta(days=1), "Heard 1 day ago", "calm"),
        (timedelta(days=9), "Silent 9 days", "warn"),
    ],
)
def test_a_car_is_never_called_healthy_only_heard(age: timedelta | None, short: str, look: str) -> None:
    result = freshness(None if age is None else NOW - age, NOW - timedelta(days=30), None, NOW)
    assert result[:2] == (short, look)
    assert "healthy" not in result[2] and result[3].count("healthy") == result[3].count("not a healthy car")


def test_a_revoked_or_unenrolled_car_says_so_first() -> None:
    assert freshness(NOW, NOW, NOW, NOW)[0] == "Revoked"
    assert freshness(None, None, None, NOW)[0] == "Not enrolled"
    assert freshness(None, NOW, None, NOW)[0] == "Never heard"
    known = freshness(None, NOW, None, NOW, NOW - timedelta(days=3))
    assert known[0] == "History only" and "3 days ago" in known[2]


def test_quantities_are_written_as_people_write_them() -> None:
    assert quantity(BY_PATH["Vehicle.TraveledDistance"], 48_272_400.0) == "48,272 km"
    assert quantity(BY_PATH["Vehicle.OBD.Status.IsMILOn"], 1.0) == "yes"
    assert quantity(BY_PATH["Vehicle.LowVoltageBattery.CurrentVoltage"], 12.04) == "12.0 V"
    assert quantity(BY_PATH["Vehicle.Service.TimeToService"], -3 * 86400.0) == "overdue by 3 days"


@pytest.mark.parametrize(
    ("states", "table"),
    [
        (CaseState, formatting.STATES),
        (BookingState, formatting.BOOKINGS),
        (LegState, formatting.LEGS),
        (OfferState, formatting.OFFERS),
        (MessageState, formatting.MESSAGES),
        (Severity, formatting.SEVERITIES),
        (Refusal, formatting.REFUSALS),
    ],
)
def test_every_state_has_its_word(states: type, table: dict[str, object]) -> None:
    assert [state for state in states if state not in table] == []


def test_every_purpose_an_owner_may_allow_has_its_word() -> None:
    assert set(formatting.PURPOSES) == set(Purpose) - {Purpose.STAFF}


@pytest.mark.parametrize(
    "asked", ["//evil.example", "https://evil.example", "/\\evil.example", "", None, "queue", "/a\nb"]
)
def test_nobody_is_sent_to_another_site(asked: str | None) -> None:
    assert back(asked, "/queue") == "/queue"


def test_a_hint_is_shown_with_its_time_and_unknown_signals_are_not() -> None:
    shown, at = _hints(
        {
            "at": NOW.timestamp(),
            "values": {
                "Vehicle.LowVoltageBattery.CurrentVoltage": 12.3,
                "Vehicle.Cabin.Mood": 3,
                "Vehicle.Speed": None,
            },
        }
    )
    assert shown == [("12 V battery voltage", "12.3 V")] and at == NOW
    assert _hints({}) == ([], None)


def test_an_actor_is_named() -> None:
    assert formatting.actor("staff:7", {7: "Anna"}) == "Anna"
    assert formatting.actor("staff:8", {7: "Anna"}) == "somebody who left"
    assert formatting.actor("car", {}) == "the car"


def test_what_began_on_another_day_than_the_one_that_is_shown_says_which() -> None:
    monday = datetime(2026, 11, 23, 14, tzinfo=UTC)
    assert formatting.on_day(monday, "Europe/Berlin", date(2026, 11, 23)) == "15:00"
    assert formatting.on_day(monday, "Europe/Berlin", date(2026, 11, 24)) == "Mon 15:00"
