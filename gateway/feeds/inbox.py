"""What feeds have brought comes to the intake as if the cars had said it: the same road, the same judgement.

A row is taken out when its reading is committed. Should we die between the two it comes again, and counts once, as any
message of a device without counters that is sent again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from contextlib import suppress
from functools import partial
from typing import Final

from gateway.intake.writer import Writer
from gateway.mqtt.broker import Broker
from gateway.mqtt.chunk import OVERHEAD, Chunk
from schemas.vehicle import topic
from store import feeds

PORTION: Final = 500
LOOK_S: Final = 1.0  #: in case a bell was missed
AGAIN_S: Final = 60.0  #: what is not acknowledged by then was put down with its bucket


class _Bucket:
    """Stands where a car's session stands."""

    def __init__(self, bucket: int, done: set[int]) -> None:
        self.bucket, self._done = bucket, done
        self.chunk: Chunk | None = None

    def ack(self, epoch: int, mids: Collection[int]) -> None:
        self._done.update(mids)


class Inbox:
    """`rung` says that something is there."""

    def __init__(self, broker: Broker, writer: Writer) -> None:
        self.broker, self.writer = broker, writer
        self.rung = asyncio.Event()
        self._done: set[int] = set()  #: committed, still to be taken out
        self._flying: dict[int, float] = {}  #: with the intake, since when

    async def run(self) -> None:
        """For ever."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self.rung.wait()
            self.rung.clear()
            await self._take_out()
            while await self._hand_over() == PORTION:
                await self._take_out()

    async def _take_out(self) -> None:
        if self._done:
            done = sorted(self._done)
            await self.writer.read(partial(feeds.judged, ids=done))
            self._done.difference_update(done)
            for each in done:
                self._flying.pop(each, None)

    async def _hand_over(self) -> int:
        now = time.monotonic()
        self._flying = {each: since for each, since in self._flying.items() if now - since < AGAIN_S}
        buckets = set(self.broker.sessions)
        if not buckets or len(self._flying) > self.broker.window:
            return 0
        found = await self.writer.read(partial(feeds.waiting, buckets=buckets, but=sorted(self._flying), limit=PORTION))
        for bucket in sorted({one.bucket for one in found}):
            chunk = Chunk(_Bucket(bucket, self._done), 0)
            for one in found:
                if one.bucket == bucket:
                    name = topic(one.vin, f"up/{one.way}").encode()
                    chunk.mids.append(one.id)
                    chunk.topics.append(name)
                    chunk.payloads.append(one.body)
                    chunk.size += OVERHEAD + len(name) + len(one.body)
                    self._flying[one.id] = now
            self.broker.arrived(chunk)
        return len(found)
