"""A person takes back what was let in: the car's rows are folded again beside the traffic, then it is settled between
two batches.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from gateway.fleet.car import Car
from gateway.fleet.fleet import Fleet
from gateway.intake.batch import Batch
from gateway.intake.fast_path import SLICE
from gateway.intake.normalise import NO_BOOT
from gateway.intake.writer import Writer
from rules.engine.retraction import Again
from schemas.reading import Mark, Reading
from store import quarantine, readings, replays
from store.alerts import Moved
from store.quarantine import LeftOut, TakenBack

log = structlog.get_logger()

_ALL: Final = 2**62


class Retraction:
    """One car after the other: months of rows are read a page at a time, and everybody else goes on meanwhile."""

    def __init__(self, fleet: Fleet, writer: Writer, clock: Callable[[], datetime]) -> None:
        self.fleet, self.writer, self.clock = fleet, writer, clock

    async def look(
        self,
        buckets: Callable[[], set[int]],
        settle: Callable[[Callable[[], Awaitable[Batch | None]]], Awaitable[None]],
    ) -> None:
        """Whatever waits. `settle` makes and commits a batch while nothing else is in flight."""
        waiting: list[TakenBack] = await self.writer.read(quarantine.taken_back)
        for one in waiting:
            car = self.fleet.by_id.get(one.vehicle_id)
            if car is not None and car.bucket in buckets():
                again = await self._folded(car, one)
                await settle(partial(self._batch, car, one, again, buckets))

    async def _folded(self, car: Car, one: TakenBack) -> Again:
        """The car's rows so far, without it."""
        gone = await self.writer.read(lambda connection: replays.taken_back(connection, car.id, _ALL))
        again = Again(self.fleet.judge, car.profile, gone | {one.id})
        await self._on(car, again)
        return again

    async def _on(self, car: Car, again: Again) -> None:
        after = again.place or -1
        while rows := await self.writer.read(partial(replays.page, vehicle_id=car.id, after=after, upto=_ALL)):
            for n, row in enumerate(rows):
                again.take(row)
                if n % SLICE == SLICE - 1:
                    await asyncio.sleep(0)
            after = again.place

    async def _batch(self, car: Car, one: TakenBack, again: Again, buckets: Callable[[], set[int]]) -> Batch | None:
        """Nothing is in flight: what was judged meanwhile is folded too, and the car is put to what comes out."""
        if car.bucket not in buckets() or car.profile != again.profile:
            return None  # another gateway's now, or another model: looked at again
        batch = Batch([], self.clock())
        if not car.loaded:
            closed, _ = await self.writer.read(lambda connection: self.fleet.load(connection, [car], time.monotonic()))
            batch.arrived += closed
        await self._on(car, again)
        ts = batch.now.timestamp()
        row = Reading(
            car.id, NO_BOOT, -one.id, ts, ts, (), (), int(ts // 86_400), mark=Mark.TAKES_BACK, place=car.place + 1
        )
        steps = self.fleet.judge_anew(car, again, row)
        batch.moved += [Moved(car.dealer_id, car.id, ts, step) for step in steps]
        batch.store(row.day, readings.pack(car.dealer_id, row))
        batch.left_out.append(LeftOut(one.id, car.id, car.dealer_id, len(steps)))
        batch.checkpoints.append(self.fleet.checkpoint(car, ts, row.day, ts))
        log.info("taken_back", vehicle=car.id, quarantine=one.id, withdrawn=len(steps))
        return batch
