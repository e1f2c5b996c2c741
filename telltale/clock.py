"""The business clock: plain UTC in real life, a time-lapse in demo and story.

It goes on after a restart, never back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall_time

import holidays

from schemas.moment import from_local, local
from store import clock
from store.pool import Connection

START_SECONDS = 3.0  # machine time for which a new clock stands still: what services need to start
BEAT_SECONDS = 1.0  # machine time between two savings of how far the clock has come


def real() -> datetime:
    """The business clock of a real dealer."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class TimeLapse:
    """`speed` business seconds pass in one machine second, counted from `anchor` at machine time `started`.

    Several processes share the three numbers. Within a process the monotonic clock drives it, so that a step of the
    machine's own clock moves nothing.
    """

    anchor: datetime
    started: datetime
    speed: float
    _wall: float = field(default_factory=time.time, repr=False, compare=False)
    _steady: float = field(default_factory=time.monotonic, repr=False, compare=False)

    def __call__(self) -> datetime:
        passed = self._wall - self.started.timestamp() + (time.monotonic() - self._steady)
        return self.anchor + timedelta(seconds=max(0.0, passed) * self.speed)


def resumed(seen: datetime, speed: float) -> TimeLapse:
    """Go on where an earlier run was last seen, plus what it may have lived after its last beat."""
    return TimeLapse(anchor=seen + timedelta(seconds=2 * BEAT_SECONDS * speed), started=real(), speed=speed)


def begun(zone: str, country: str, speed: float) -> TimeLapse:
    """A first start: 08:30 on the next Monday that is a working day at the dealer's, once the services are there."""
    started = real() + timedelta(seconds=START_SECONDS)
    return TimeLapse(anchor=first_morning(local(real(), zone).date(), zone, country), started=started, speed=speed)


def first_morning(today: date, zone: str, country: str) -> datetime:
    day = today + timedelta(days=-today.weekday() % 7)
    off = holidays.country_holidays(country)
    while day in off:
        day += timedelta(days=7)
    return from_local(day, wall_time(8, 30), zone)


async def read(connection: Connection) -> Callable[[], datetime]:
    """The clock that this database's services go by: its time-lapse, or real time when it has none."""
    row = await clock.read(connection)
    return TimeLapse(*row[:3]) if row else real
