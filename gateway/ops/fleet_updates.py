"""Who the cars are, kept up to date: all at the start, then what a bell names, what has changed, and now and then each
again.

A gateway knows the cars of its own buckets. Where it answers the broker's sign-ins it knows of all the others whether
they may sign in, for any gateway may be asked. Reading goes in pieces, so that no message waits for it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

import structlog

from gateway.fleet.car import Car
from gateway.fleet.fleet import Fleet
from gateway.intake.writer import Writer
from gateway.ops.auth_callout import AuthCallout
from store import vehicles

log = structlog.get_logger()

PIECE: Final = 1_000  #: cars that are read at once; a few milliseconds
BREATH_S: Final = 0.05  #: between two pieces while traffic runs
COMMITTED_S: Final = 300.0  #: whatever had its number this long ago is committed: no transaction of ours takes minutes


class Meeting:
    """`parted` is told of cars that nobody looks after any more."""

    def __init__(
        self, fleet: Fleet, writer: Writer, auth_callout: AuthCallout | None, parted: Callable[[Car], None]
    ) -> None:
        self._fleet, self._writer, self._auth_callout, self._parted = fleet, writer, auth_callout, parted
        self._numbers: deque[tuple[float, int]] = deque()  #: (machine time, how far the changes' number had come)

    async def everybody(self, breath_s: float = 0.0) -> None:
        """Read every car once. Those that are no longer there have parted."""
        if not self._numbers:
            self._numbers.append((time.monotonic(), await self._writer.read(vehicles.newest_change)))
        before, may_sign_in, seen, named = set(self._fleet.by_id), set(self._fleet.known), set[int](), set[str]()
        for bucket in (
            (None,)
            if self._auth_callout or len(self._writer.buckets) >= vehicles.BUCKETS
            else tuple(self._writer.buckets)
        ):
            after = 0
            while piece := await self._writer.read(partial(vehicles.page, bucket=bucket, after=after, limit=PIECE)):
                self._met(piece)
                seen.update(one.id for one in piece)
                named.update(one.vin for one in piece)
                after = piece[-1].id
                await asyncio.sleep(breath_s)
        for vehicle in before - seen:
            if (car := self._fleet.by_id.get(vehicle)) is not None and (
                self._auth_callout or car.bucket in self._writer.buckets
            ):
                await self.one(vehicle)
        if self._auth_callout:
            self._cut_off((vin, 0) for vin in may_sign_in - named if self._fleet.forget_secret(vin))

    async def changed(self) -> None:
        """Whoever has changed since we looked last, and once more who did in the minutes before: what was being
        committed then.
        """
        while len(self._numbers) > 1 and self._numbers[1][0] <= time.monotonic() - COMMITTED_S:
            self._numbers.popleft()
        after = self._numbers[0][1] if self._numbers else 0
        while piece := await self._writer.read(partial(vehicles.changed_after, after=after, limit=PIECE)):
            self._met([one for one, _ in piece])
            after = piece[-1][1]
            await asyncio.sleep(0)
        self._numbers.append((time.monotonic(), after))

    async def one(self, vehicle: int) -> None:
        """A bell named this one."""
        who = await self._writer.read(partial(vehicles.identities, vehicle_id=vehicle))
        self._met(who)
        if not who and (car := self._fleet.part(vehicle)) is not None:
            self._parted(car)
            self._cut_off([(car.vin, car.id)])

    async def of(self, buckets: Iterable[int]) -> None:
        """The cars of buckets that have just become ours."""
        for bucket in buckets:
            after = 0
            while piece := await self._writer.read(partial(vehicles.page, bucket=bucket, after=after, limit=PIECE)):
                self._met(piece)
                after = piece[-1].id
                await asyncio.sleep(0)

    def _met(self, who: Iterable[vehicles.Identity]) -> None:
        self._cut_off(self._fleet.meet(who, self._writer.buckets))

    def _cut_off(self, gone: Iterable[tuple[str, int]]) -> None:
        if self._auth_callout is not None:
            for vin, vehicle in gone:
                self._auth_callout.cut_off(vin, vehicle)
