"""What feeds bring over MQTT: hear → translate → keep in one transaction → acknowledge.

It runs in one gateway, the one that carries the first bucket; what it keeps is judged by the gateway of each car.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import structlog

from gateway.feeds.feed import Heard, Message
from gateway.feeds.listening import FeedBroker
from gateway.feeds.register import FEEDS
from gateway.feeds.settling import Brought, Settled, Settling, below
from gateway.intake.writer import Writer
from gateway.mqtt.chunk import Chunk
from schemas.reading import Refusal
from schemas.vehicle import is_vin
from store import feeds, quarantine, tallies
from store.pool import Connection

log = structlog.get_logger()

LOOK_S = 30.0  #: between two looks at which feeds there are, in case a bell was missed
STANDBY_S = 1.0
MOST_WAITING = 100_000  #: messages that no gateway has judged yet; above it the broker keeps the others
CROWDED_S = 1.0  #: between two looks at how many they are


class FeedReader:
    """`settling` and `keep` are shared with the door by HTTPS."""

    def __init__(self, broker: FeedBroker, writer: Writer, clock: Callable[[], datetime], settling: Settling) -> None:
        self.broker, self.writer, self.clock, self.settling = broker, writer, clock, settling
        self.changed = asyncio.Event()  #: a feed was switched on or off
        self._sources: list[feeds.Source] = []
        self._inflight = 0
        self._counted = 0.0  #: machine time of the last look at what waits
        broker.backlog = lambda: self._inflight

    async def run(self) -> None:
        """For ever; it listens while this gateway carries the first bucket."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._hear())

    async def _follow(self) -> None:
        looked = 0.0
        while True:
            mine = 0 in self.writer.buckets
            if not mine:
                await self.broker.listen(frozenset())
            elif self.changed.is_set() or not self._sources or time.monotonic() > looked + LOOK_S:
                self.changed.clear()
                looked = time.monotonic()
                found = await self.writer.read(feeds.switched_on)
                self._sources = [one for one in found if one.root is not None and one.kind in FEEDS]
                await self.broker.listen(frozenset(one.root for one in self._sources if one.root))
            try:
                async with asyncio.timeout(STANDBY_S if self._sources or not mine else LOOK_S):
                    await self.changed.wait()
            except TimeoutError:
                pass

    async def _hear(self) -> None:
        while True:
            chunks = await self.broker.deliveries()
            self._inflight = sum(map(len, chunks))
            settled = Settled()
            found = [one for chunk in chunks for one in self._translated(chunk, settled)]
            await self._room()
            await self._keep(found, settled)
            for chunk in chunks:
                chunk.session.ack(chunk.epoch, chunk.mids)
            self._inflight = 0

    async def _room(self) -> None:
        """Nothing is acknowledged while too much waits: should a bucket have no gateway, no disk fills."""
        if time.monotonic() < self._counted + CROWDED_S:
            return
        while await self.writer.read(partial(feeds.crowd, feed_id=None, most=MOST_WAITING)) >= MOST_WAITING:
            await asyncio.sleep(CROWDED_S)
        self._counted = time.monotonic()

    async def _keep(self, found: Sequence[Brought], settled: Settled) -> None:
        """What cannot be kept is a fault of ours: told and put aside, or it would come again and again and hold up all
        others.
        """
        try:
            await keep(self.writer, self.settling, found, now=self.clock(), counted=settled)
            return
        except Exception:
            log.exception("feed_fault", messages=len(found))
        for one in found:
            try:
                await keep(self.writer, self.settling, [one], now=self.clock())
            except Exception as error:
                log.error("feed_message_put_aside", feed=one.source.id, reason=type(error).__name__)

    def _translated(self, chunk: Chunk, settled: Settled) -> list[Brought]:
        received_at, kept, found = self.clock().timestamp(), set(chunk.retained), list[Brought]()
        for n, (name, payload) in enumerate(zip(chunk.topics, chunk.payloads, strict=True)):
            topic = name.decode("utf-8", "backslashreplace")
            for source in self._sources:
                levels = below(topic, source.root or "", FEEDS[source.kind])
                if levels is not None:
                    found += brought(source, Message(payload, received_at, levels, n in kept), topic)
                    break
            else:
                dealer = next(
                    (one.dealer_id for one in self._sources if topic.startswith(f"{one.root}/")), tallies.NOBODY
                )
                settled.count(dealer, "foreign_topic", "feeds", "topics that no feed takes")
        return found


def brought(source: feeds.Source, message: Message, where: str) -> list[Brought]:
    """What a message of a feed says, car by car. A fault of ours puts this message aside, and the others go on."""
    feed = FEEDS[source.kind]
    try:
        heard = feed.translate(message, {})
    except Exception as error:
        log.exception("feed_fault", feed=source.id)
        detail = f"it could not be read; that is our fault ({type(error).__name__})"
        heard = [Heard("?", odd=[(Refusal.NOT_TELEMETRY, detail)])]
    return [Brought(source=source, feed=feed, message=message, where=where, heard=one) for one in heard]


async def keep(
    writer: Writer, settling: Settling, found: Sequence[Brought], *, now: datetime, counted: Settled | None = None
) -> Settled:
    """Settle it and commit: when this comes back, what was brought is ours."""
    # whoever holds the key of a platform speaks for the dealer; whoever may publish below a root speaks for one car
    told = {one.key: one.heard.vin for one in found if one.source.root is None and is_vin(one.heard.vin)}
    keys = {one.key for one in found}
    cars = await writer.read(partial(feeds.cars, asked=keys)) if keys else {}
    if fresh := {key: vin for key, vin in told.items() if key not in cars}:
        await writer.read(partial(feeds.told, vins=fresh, now=now))
        cars = await writer.read(partial(feeds.cars, asked=keys))
    done = settling.settle(found, cars, now, time.monotonic())
    for (dealer, name, subject), (times, detail) in (counted.counted if counted else {}).items():
        done.count(dealer, name, subject, detail, times=times)
    if done.kept or done.refused or done.counted:
        await writer.read(partial(_save, done=done, now=now))
    return done


async def _save(connection: Connection, done: Settled, now: datetime) -> None:
    """May be tried again when nobody knows how it ended: a message that is kept twice is judged once."""
    async with connection.transaction():
        await feeds.keep(connection, done.kept, now)
        await quarantine.write(connection, done.refused)
        await tallies.add(
            connection, [(*key, times, now, detail) for key, (times, detail) in sorted(done.counted.items())]
        )
