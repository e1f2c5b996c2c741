"""The business clock: fast, shared, and never back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from telltale.clock import BEAT_SECONDS, TimeLapse, first_morning, real, resumed


def test_ten_minutes_pass_in_a_second() -> None:
    anchor = datetime(2026, 1, 5, 7, 30, tzinfo=UTC)
    lapse = TimeLapse(anchor, started=real() - timedelta(seconds=6), speed=600)
    assert timedelta(0) <= lapse() - (anchor + timedelta(hours=1)) < timedelta(hours=1)


def test_two_processes_read_the_same_time_from_the_same_row() -> None:
    anchor, started = datetime(2026, 1, 5, 7, 30, tzinfo=UTC), real() - timedelta(seconds=3)
    assert abs(TimeLapse(anchor, started, 600)() - TimeLapse(anchor, started, 600)()) < timedelta(minutes=5)


def test_a_restart_goes_on_after_everything_the_earlier_run_can_have_said() -> None:
    seen = datetime(2026, 1, 9, 16, 0, tzinfo=UTC)
    assert resumed(seen, 600)() >= seen + timedelta(seconds=600 * BEAT_SECONDS)


def test_it_begins_on_a_working_monday_at_half_past_eight_at_the_dealers() -> None:
    assert first_morning(date(2026, 11, 18), "Europe/Berlin", "DE") == datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
    easter_monday = date(2026, 4, 6)
    assert first_morning(easter_monday, "Europe/Berlin", "DE").date() == date(2026, 4, 13)
