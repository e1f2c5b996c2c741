"""What came of a car before anybody had mapped it is read once somebody has: until then it waits in quarantine.

Only whole messages, and of each car as many as quarantine keeps.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from gateway.feeds.feed import Message
from gateway.feeds.reader import brought
from gateway.feeds.register import FEEDS
from gateway.feeds.settling import KEPT_BYTES, Brought, Settling, below
from gateway.intake.writer import Writer
from store import feeds, quarantine
from store.pool import Connection

STANDBY_S: Final = 1.0


class SecondLook:
    """`rung` says that somebody has mapped a car. It looks in the gateway that carries the first bucket."""

    def __init__(self, writer: Writer, clock: Callable[[], datetime]) -> None:
        self.writer, self.clock = writer, clock
        self.rung = asyncio.Event()
        self.rung.set()  # a bell may have rung while nobody was there

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.rung.wait()
            if 0 in self.writer.buckets:
                self.rung.clear()
                await self.writer.read(partial(look, now=self.clock()))
            else:
                await asyncio.sleep(STANDBY_S)


async def look(connection: Connection, now: datetime) -> int:
    """Read again what waits there of cars that are mapped by now; how many messages that were."""
    waiting = await quarantine.unmapped(connection)
    sources = await feeds.switched_on(connection) if waiting else []
    found = [(one, each) for one in waiting for each in _again(one, sources)]
    cars = await feeds.cars(connection, {each.key for _, each in found})
    mine = {one.id: (each, cars[each.key].vehicle_id) for one, each in found if each.key in cars}
    async with connection.transaction():
        taken = await quarantine.read_since(connection, {n: vehicle for n, (_, vehicle) in mine.items()}, now)
        settled = Settling().settle(
            [each for one, each in found if one.id in taken and each.key in cars], cars, now, time.monotonic()
        )
        await feeds.keep(connection, settled.kept, now)
    return len(taken)


def _again(one: quarantine.Unmapped, sources: Sequence[feeds.Source]) -> list[Brought]:
    """As it came then: at its time, below its root or at its door."""
    if len(one.payload) >= KEPT_BYTES:
        return []  # its end is not kept
    for source in sources:
        if source.dealer_id != one.dealer_id or source.kind not in FEEDS:
            continue
        levels = () if source.root is None else below(one.topic, source.root, FEEDS[source.kind])
        if levels is not None and (source.root is not None or one.topic == f"/feeds/{source.id}"):
            return brought(source, Message(one.payload, one.received_at.timestamp(), levels), one.topic)
    return []
