"""When a car drives, and how fast: weekday commutes, errands, rounds of a van, a truck's long days, and standing
overnight.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Literal
from zoneinfo import ZoneInfo

Habit = Literal["shuttle", "rounds", "commuter", "short_trips", "van", "truck", "rare"]

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Drive:
    """One drive: epoch second of its start, its length in seconds, its typical speed in km/h and its climb (0..1)."""

    start: float
    seconds: float
    speed: float
    climb: float = 0.0

    @property
    def end(self) -> float:
        return self.start + self.seconds


def drives(habit: Habit, zone: ZoneInfo, since: float, seed: int) -> Iterator[Drive]:
    """Every drive that begins at or after `since`, in order, without end."""
    if habit in ("shuttle", "rounds") and _clock_time(since, zone, 6.0) <= since < _clock_time(since, zone, 18.5):
        # By day it drives at once: whoever watches a demo does not wait for the next round.
        minutes, speed = (20.0, 62.0) if habit == "shuttle" else (8.0, 34.0)
        start = since + MINUTE
        evening = _clock_time(since, zone, 18.5)
        first, last = since, since
        while last == first or start < evening:
            yield Drive(start, minutes * MINUTE, speed)
            last = start + minutes * MINUTE
            start += 40 * MINUTE
        since = last
    day = datetime.fromtimestamp(since, UTC).astimezone(zone).date()
    while True:
        rng = Random(f"{seed}/{day.toordinal()}")
        last = since
        for drive in _of_day(habit, day, zone, rng):
            if drive.start >= last + 5 * MINUTE:
                yield drive
                last = drive.end
        since = max(since, last)
        day += timedelta(days=1)


def _clock_time(ts: float, zone: ZoneInfo, hour: float) -> float:
    """The instant on the same local day at which the clock shows `hour`."""
    midnight = datetime.combine(datetime.fromtimestamp(ts, UTC).astimezone(zone).date(), time(0), zone)
    return midnight.astimezone(UTC).timestamp() + hour * 3600


def _of_day(habit: Habit, day: date, zone: ZoneInfo, rng: Random) -> list[Drive]:
    midnight = datetime.combine(day, time(0), zone).astimezone(UTC).timestamp()

    def at(hour: float, minutes: float, speed: float, climb: float = 0.0) -> Drive:
        return Drive(midnight + hour * 3600, minutes * MINUTE, speed, climb)

    weekday = day.weekday() < 5
    hills = 0.5 if rng.random() < 0.15 else 0.0
    if habit == "shuttle":  # 20 minutes on the road, 20 standing, all day
        return [at(7.5 + n * 2 / 3, 20, rng.uniform(50, 75), 0.3 if rng.random() < 0.1 else 0.0) for n in range(17)]
    if habit == "rounds":  # short trips, hardly warm
        return [at(7.5 + n * 2 / 3, rng.uniform(6, 10), rng.uniform(26, 40)) for n in range(17)]
    if habit == "truck":
        return (
            [
                at(6 + rng.uniform(0, 0.5), 130, 74, hills),
                at(9 + rng.uniform(0, 0.5), 120, 76, hills),
                at(13, 110, 72, hills),
            ]
            if weekday
            else []
        )
    if habit == "van":
        if day.weekday() == 6:
            return []
        stops = [7.2 + n * 0.75 for n in range(12 if weekday else 5)]
        return [at(h + rng.uniform(0, 0.15), rng.uniform(9, 22), rng.uniform(28, 60), hills) for h in stops]
    if habit == "short_trips":
        if rng.random() < 0.1:
            return []
        hours = sorted(rng.sample([8, 9, 10, 11, 13, 14, 15, 16, 17, 18], rng.randint(1, 4)))
        return [at(h + rng.uniform(0, 0.5), rng.uniform(4, 11), rng.uniform(22, 40)) for h in hours]
    if habit == "rare":
        return [at(rng.uniform(9, 17), rng.uniform(15, 50), rng.uniform(40, 80), hills)] if rng.random() < 0.3 else []
    found = []
    if weekday and rng.random() < 0.94:
        minutes, speed = rng.uniform(18, 36), rng.uniform(42, 78)
        found += [
            at(8.5 + rng.uniform(-0.2, 0.2), minutes, speed, hills),
            at(17 + rng.uniform(-0.3, 1.2), minutes * rng.uniform(1, 1.3), speed, hills),
        ]
    if rng.random() < (0.3 if weekday else 0.75):
        found.append(
            at(rng.uniform(10, 15) if not weekday else rng.uniform(19.2, 20.5), rng.uniform(6, 16), rng.uniform(26, 48))
        )
    if not weekday and rng.random() < 0.22:
        found.append(at(rng.uniform(15.2, 16), rng.uniform(50, 100), rng.uniform(85, 112), rng.choice([0.0, 0.4])))
    return sorted(found, key=lambda d: d.start)


class Pace:
    """The speed within one drive: it pulls away, wanders about its typical speed, stops now and then, and comes to
    rest.
    """

    __slots__ = ("_drive", "_rng", "_wander", "climb", "speed")

    def __init__(self, drive: Drive, rng: Random) -> None:
        self._drive, self._rng = drive, rng
        self.speed, self.climb, self._wander = 0.0, 0.0, 0.0

    def step(self, now: float, seconds: float) -> None:
        """Move on by `seconds` to `now`."""
        rng, drive = self._rng, self._drive
        keep = 1.0 - min(1.0, seconds / 90.0)
        self._wander = keep * self._wander + rng.gauss(0.0, 0.16 * drive.speed * (1 - keep * keep) ** 0.5)
        early = min(1.0, (now - drive.start) / 90.0)
        late = min(1.0, max(0.0, (drive.end - now) / 45.0))
        stop = rng.random() < (0.10 if drive.speed < 45 else 0.03)
        self.speed = 0.0 if stop else max(0.0, (drive.speed + self._wander) * early * late)
        self.climb = drive.climb * rng.random() if drive.climb else 0.0
