"""Reminders and retries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rules.service import retry
from rules.service.reminders import ask_again, booking_reminders, tell_driver
from schemas.verdict import Severity

START = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


def test_a_booking_made_days_ahead_is_reminded_of_the_evening_before_and_an_hour_before() -> None:
    found = booking_reminders(START, START - timedelta(days=3), "Europe/Berlin")
    assert [r.at for r in found] == [datetime(2026, 11, 24, 17, 0, tzinfo=UTC), START - timedelta(hours=1)]


def test_the_names_of_reminders_are_those_that_stand_in_databases() -> None:
    found = booking_reminders(START, START - timedelta(days=3), "Europe/Berlin")
    assert [r.occasion.value for r in found] == ["evening-before", "one-hour-before"]


def test_a_booking_made_just_now_needs_no_reminder() -> None:
    assert booking_reminders(START, START - timedelta(hours=2), "Europe/Berlin") == ()
    assert len(booking_reminders(START, START - timedelta(hours=12), "Europe/Berlin")) == 1


def test_the_evening_before_is_the_owners_evening() -> None:
    found = booking_reminders(
        datetime(2026, 3, 29, 12, tzinfo=UTC), datetime(2026, 3, 20, tzinfo=UTC), "America/New_York"
    )
    assert found[0].at == datetime(2026, 3, 28, 22, 0, tzinfo=UTC)


def test_an_owner_is_asked_three_times_and_then_left_in_peace() -> None:
    assert ask_again((), Severity.SOON, START).at == START
    assert ask_again((START,), Severity.SOON, START + timedelta(days=1)).at == START + timedelta(days=7)
    assert ask_again(
        (START, START + timedelta(days=7)), Severity.SOON, START + timedelta(days=20)
    ).at == START + timedelta(days=20)
    assert ask_again((START,) * 3, Severity.ADVICE, START).at is None
    assert ask_again((START,) * 9, Severity.NOW, START).at == START


@pytest.mark.parametrize("attempt", [1, 2, 5, 40, 10_000])
def test_a_retry_waits_somewhere_between_nothing_and_its_cap(attempt: int) -> None:
    assert retry.delay(attempt, 0.0) == 0.0
    assert retry.delay(attempt, 1.0) == min(retry.CAP_S, 2.0 ** min(attempt, 30))
    assert retry.delay(attempt, 0.0, at_least=30.0) == 30.0


@pytest.mark.parametrize(
    ("now", "starts_in_h", "until"),
    [
        ("2026-11-23T12:00+01:00", 30, None),
        ("2026-11-23T07:00+01:00", 30, None),
        ("2026-11-23T06:59+01:00", 30, "2026-11-23T07:00+01:00"),
        ("2026-11-23T20:00+01:00", 30, "2026-11-24T07:00+01:00"),
        ("2026-11-23T22:00+01:00", 3, None),
        ("2026-11-23T22:00+01:00", 10, "2026-11-24T04:00+01:00"),  # four hours ahead of a drive at eight
        ("2026-03-28T22:00+01:00", 20, "2026-03-29T07:00+02:00"),  # the night in which clocks are put forward
    ],
)
def test_a_driver_is_told_by_day_and_at_night_only_of_what_is_near(now, starts_in_h, until):
    at = datetime.fromisoformat(now)
    result = tell_driver(at + timedelta(hours=starts_in_h), at, "Europe/Berlin")
    assert getattr(result, "until", None) == (datetime.fromisoformat(until) if until else None) and result.reason
