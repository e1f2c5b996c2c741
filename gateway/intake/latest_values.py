"""What is shown of a car beside its readings: newest values, hints, when it was heard.

Coalesced; nothing depends on it, so it has a transaction of its own and no batch waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final

import structlog

from gateway.fleet.car import Car
from schemas.moment import from_epoch
from schemas.signal import BY_ID
from schemas.telemetry import Status
from store import latest, readings, vehicles
from store.latest import AS_SAID
from store.pool import Connection

BUDGET: Final = 500  #: cars whose newest values are written in one second, each once
PORTION: Final = 50  #: of these in one transaction
PAUSE_S: Final = PORTION / BUDGET
_PATHS: Final = {i: s.path for i, s in BY_ID.items()}

log = structlog.get_logger()

Write = Callable[[Callable[[Connection], Awaitable[None]]], Awaitable[None]]  #: until the database answers


@dataclass(slots=True)
class Portion:
    """What is written at once."""

    values: list[latest.Row] = field(default_factory=list)
    hints: list[latest.Row] = field(default_factory=list)
    heard: dict[int, tuple[int, datetime, bool]] = field(default_factory=dict)

    async def write(self, connection: Connection) -> None:
        """In an order that takes locks the same way each time."""
        async with connection.transaction():
            await latest.keep(connection, sorted(self.values, key=lambda row: row[0]))
            await latest.hint(connection, sorted(self.hints, key=lambda row: row[0]))
            await vehicles.heard(connection, sorted(self.heard.values()))


class LatestValues:
    """The newest row of each set of signals of each car since it was last written: as it was packed, for a `Reading`
    that is kept makes each message a microsecond dearer."""

    def __init__(self) -> None:
        self.newest: dict[
            Car, dict[tuple[int, ...], bytes]
        ] = {}  #: who has something to show, and what of other sets of signals than the last
        self._hints: dict[Car, latest.Row] = {}
        self._heard: dict[Car, tuple[int, datetime, bool]] = {}  #: what `status` said: there, or gone

    def saw(self, car: Car, ids: tuple[int, ...], packed: bytes) -> None:
        """A row of which the values count as now."""
        if car.latest is None or car.latest_ids is not ids:
            self.turn_to(car, ids)
        car.latest = packed

    def turn_to(self, car: Car, ids: tuple[int, ...]) -> None:
        """The car has something to show again, or it is of another set of signals than before."""
        others = self.newest.setdefault(car, {})
        if car.latest is not None and car.latest_ids is not None:
            others[car.latest_ids] = car.latest
            others.pop(ids, None)
        car.latest_ids = ids

    def hint(self, car: Car, status: Status, now: datetime) -> None:
        """A word on `status`: shown, never judged."""
        online = status.state == "online"
        self._heard[car] = (car.id, now, online)
        if online:
            values = {k: float(v) for k, v in status.signals.items() if v is not None and "\0" not in k}
            self._hints[car] = (car.id, car.dealer_id, now, {"at": now.timestamp(), "values": values})

    def heard(self, car: Car, received_at: float) -> None:
        """A row without values, such as a list of codes: the car is there.

        A good-bye that waits to be written stands.
        """
        self._heard.setdefault(car, (car.id, from_epoch(received_at), True))

    def forget(self, car: Car) -> None:
        """Another gateway shows it now."""
        self._take(car)

    async def run(self, write: Write) -> None:
        """For ever: each car at most once a second, those who wait longest first.

        A database that is away is waited for.
        """
        turn: list[Car] = []
        while True:
            for _ in range(BUDGET // PORTION):
                portion = self._portion(turn[:PORTION])
                del turn[:PORTION]
                try:
                    if portion is not None:
                        await write(portion.write)
                except Exception:  # our fault; the cars' next values are shown again
                    log.exception("not_shown")
                await asyncio.sleep(PAUSE_S)
            turn += islice(self.newest, BUDGET)

    def _portion(self, cars: list[Car]) -> Portion | None:
        heard = list(islice(self._heard, PORTION))
        if not cars and not heard:
            return None
        made = Portion()
        for car in cars:
            self._show(made, car)
        for car in heard:
            word, before = self._heard.pop(car), made.heard.get(car.id)
            if before is None or word[1] >= before[1]:  # else it has sent values since
                made.heard[car.id] = word
            if car in self._hints:
                made.hints.append(self._hints.pop(car))
        return made

    def _show(self, portion: Portion, car: Car) -> None:
        rows = sorted(map(readings.told_by, self._take(car)), key=lambda row: row.ts)
        if not rows:  # another gateway carries it now
            return
        values: dict[str, Any] = {}
        for row in rows:
            for i, value in zip(row.ids, row.values, strict=True):
                if (unit := car.read_as.get(i)) is not None:
                    values[AS_SAID + _PATHS[i]] = [round(value, 4), row.ts]
                    value = unit.read(value)
                values[_PATHS[i]] = [round(value, 4), row.ts]
        portion.values.append((car.id, car.dealer_id, from_epoch(rows[-1].ts), values))
        portion.heard[car.id] = (car.id, from_epoch(max(row.received_at for row in rows)), True)

    def _take(self, car: Car) -> list[bytes]:
        others = self.newest.pop(car, None)
        if others is None or car.latest is None:
            return []
        rows, car.latest = [*others.values(), car.latest], None
        return rows
