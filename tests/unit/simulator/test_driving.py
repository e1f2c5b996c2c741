"""Timetables: who drives when."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from simulator.driving import Drive, Habit, drives

BERLIN = ZoneInfo("Europe/Berlin")
HABITS: tuple[Habit, ...] = ("shuttle", "rounds", "commuter", "short_trips", "rare", "van", "truck")


def _at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


def _local(drive: Drive) -> datetime:
    return datetime.fromtimestamp(drive.start, UTC).astimezone(BERLIN)


@pytest.mark.parametrize("habit", HABITS)
def test_drives_follow_each_other_with_a_pause_and_are_the_same_for_the_same_seed(habit: Habit) -> None:
    since = _at("2026-11-23T08:30")
    found = list(islice(drives(habit, BERLIN, since, 5), 60))
    assert found == list(islice(drives(habit, BERLIN, since, 5), 60))
    assert all(earlier.end + 299 <= later.start for earlier, later in zip(found, found[1:], strict=False))
    assert found[0].start >= since


def test_a_demo_car_drives_at_once_and_every_forty_minutes_until_the_evening() -> None:
    found = list(islice(drives("shuttle", BERLIN, _at("2026-11-23T08:30"), 5), 30))
    today = [_local(drive) for drive in found if _local(drive).day == 23]
    assert [f"{at:%H:%M}" for at in today[:4]] == ["08:31", "09:11", "09:51", "10:31"]
    assert f"{today[-1]:%H:%M}" == "17:51" and len(today) == 15  # the next would be after half past six


def test_by_night_even_a_demo_car_sleeps() -> None:
    first = next(drives("shuttle", BERLIN, _at("2026-11-24T02:00"), 5))
    assert f"{_local(first):%d %H:%M}" == "24 07:30"


def test_commuters_drive_to_work_on_weekdays_and_trucks_rest_on_sundays() -> None:
    commuter = [_local(drive) for drive in islice(drives("commuter", BERLIN, _at("2026-11-23T00:00"), 5), 80)]
    mornings = [at for at in commuter if at.weekday() < 5 and 8 <= at.hour < 9]
    assert len(mornings) > 15
    truck = [_local(drive) for drive in islice(drives("truck", BERLIN, _at("2026-11-23T00:00"), 5), 60)]
    assert all(at.weekday() < 5 for at in truck)


def test_a_timetable_crosses_the_change_of_clocks() -> None:
    found = [_local(drive) for drive in islice(drives("van", BERLIN, _at("2026-10-24T00:00"), 5), 40)]
    assert all(7 <= at.hour < 18 for at in found)
