"""The loop: hear → judge → save in one transaction → acknowledge.

While one batch is being written, the next is judged.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import structlog

from gateway import metrics
from gateway.fleet.car import Car
from gateway.fleet.fleet import Fleet
from gateway.intake import traces
from gateway.intake.batch import Batch
from gateway.intake.decode import Decoder
from gateway.intake.downlink import Downlink
from gateway.intake.judge import BatchJudge
from gateway.intake.latest_values import LatestValues
from gateway.intake.partitions import Leaves
from gateway.intake.rejections import Rejections
from gateway.intake.retraction import Retraction
from gateway.intake.writer import Writer
from gateway.mqtt.broker import Broker
from gateway.mqtt.chunk import Chunk

log = structlog.get_logger()

FIRST_LIMIT, LIMIT = (
    256,
    1_500,
)  #: messages in a batch: what stays near the processor; small at the start, while most cars have to be loaded
TICK_S: Final = 1.0
LAST_SAVE_S: Final = 5.0  #: how long a gateway that is told to end waits for the batch that is being written
_REDOS: Final = 8


class BadRows(Exception):
    """The database refuses rows of this batch: (vehicle, boot, seq) -> why."""

    def __init__(self, keys: dict[tuple[int, int, int], str]) -> None:
        self.keys = keys
        super().__init__(f"{len(keys)} rows")


class Intake:
    """The four beats, for ever. At most one batch is being written while the next is prepared."""

    def __init__(
        self, broker: Broker, fleet: Fleet, writer: Writer, clock: Callable[[], datetime], leaves: Leaves | None = None
    ) -> None:
        self.broker, self.fleet, self.writer, self.clock = broker, fleet, writer, clock
        self.rejections, self.latest_values, self.downlink = Rejections(), LatestValues(), Downlink(broker, fleet)
        self.decoder = Decoder(fleet, writer, self.rejections, self.latest_values)
        self.batch_judge = BatchJudge(fleet, self.decoder, self.rejections, self.latest_values, clock, leaves)
        self.retraction = Retraction(fleet, writer, clock)
        self.accept_now = True  #: look at the next tick for what people let in or took back
        self._taking: asyncio.Task[None] | None = None
        self.messages = 0  #: committed and acknowledged
        self.last_commit = time.monotonic()
        self.oldest_pending: float | None = None  #: machine time at which the oldest unsaved batch was taken
        self._queue: deque[Chunk] = deque()
        self._limit = FIRST_LIMIT
        self._inflight = self._inflight_bytes = 0
        self._next_tick = 0.0
        self._between: list[Callable[[], Awaitable[None]]] = []  #: what others want done while nothing is in flight
        broker.backlog = lambda: self._inflight + sum(map(len, self._queue))
        broker.backlog_bytes = lambda: self._inflight_bytes + sum(chunk.size for chunk in self._queue)

    @property
    def duplicates(self) -> int:
        """Messages that had come before."""
        return self.batch_judge.duplicates

    async def run(self) -> None:
        """Ends only by cancellation or by a fault of ours."""
        beside = [
            asyncio.create_task(self.downlink.run()),
            asyncio.create_task(self._tick_bell()),
            asyncio.create_task(self.latest_values.run(self.writer.read)),
        ]
        saving: asyncio.Task[None] | None = None
        before: Batch | None = None
        try:
            while True:
                batch = await self.prepare(await self._take())
                if saving is not None:
                    try:
                        await saving
                    except BadRows as error:
                        assert before is not None
                        batch = await self._redo(before, batch, error)
                saving, before = asyncio.create_task(self._finish(batch)), batch
                if self._between or self.fleet.changed:
                    try:
                        await saving
                    except BadRows as error:
                        await self._finish(await self._redo(batch, Batch([], self.clock()), error))
                    saving = None
                    self.fleet.forget_changed()
                    while self._between:
                        await self._between.pop(0)()
        finally:
            for task in (*beside, *([self._taking] if self._taking else [])):
                task.cancel()
            # it may end; but a database that is away must not keep us: nothing of it was acknowledged
            if saving is not None:
                _, away = await asyncio.wait({saving}, timeout=LAST_SAVE_S)
                for task in away:
                    task.cancel()
                await asyncio.gather(saving, return_exceptions=True)

    def between_batches(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do this when nothing is in flight (a bucket is given up)."""
        self._between.append(work)
        self.broker.wake()

    def tally(
        self, dealer: int | None, name: str, subject: str, times: int, detail: str, *, total: bool = False
    ) -> None:
        """Count something for the desk."""
        self.rejections.tally(dealer, name, subject, times, detail, total=total)

    def discard(self, bucket: int) -> None:
        """What we hold of a bucket that another gateway carries now; it was never acknowledged, so it comes to that
        one.
        """
        self._queue = deque(chunk for chunk in self._queue if chunk.session.bucket != bucket)
        for car in self.fleet.unload(bucket):
            self.latest_values.forget(car)
        self.downlink.forget(bucket)

    def forget(self, car: Car) -> None:
        """Nobody looks after it any more: nothing is shown of it or told to it."""
        self.latest_values.forget(car)
        self.downlink.part(car)

    async def _take(self) -> list[Chunk]:
        if not self._queue and time.monotonic() < self._next_tick:
            self._queue.extend(await self.broker.deliveries())
        taken: list[Chunk] = []
        count = 0
        while self._queue and (not taken or count + len(self._queue[0]) <= self._limit):
            chunk = self._queue.popleft()
            taken.append(chunk)
            count += len(chunk)
            self._inflight_bytes += chunk.size
        self._limit = min(LIMIT, self._limit * 2)
        self._inflight += count
        if taken and self.oldest_pending is None:
            self.oldest_pending = time.monotonic()
        return taken

    async def prepare(self, chunks: list[Chunk]) -> Batch:
        """The decision about these deliveries; once a second also about what time alone moves."""
        tick = time.monotonic() >= self._next_tick
        accepted, corrected = [], []
        if tick:
            self._next_tick = time.monotonic() + TICK_S
            if self.accept_now:
                self.accept_now = False
                accepted = await self.decoder.accepted(set(self.broker.sessions))
                corrected = await self.decoder.corrected(set(self.broker.sessions))
                # one may be taken back while it is being folded in
                self.accept_now = bool(accepted or corrected)
                self._take_back()
        return await self.batch_judge.prepare(chunks, tick=tick, accepted=accepted, corrected=corrected)

    def _take_back(self) -> None:
        """Beside the traffic; one at a time, so a look that comes too early is made again."""
        if self._taking is not None and not self._taking.done():
            self.accept_now = True
            return
        if (
            self._taking is not None
            and not self._taking.cancelled()
            and (error := self._taking.exception()) is not None
        ):
            log.error("retraction_failed", exc_info=error)
            self.tally(None, "retraction_failed", type(error).__name__, 1, str(error)[:300])
        self._taking = asyncio.create_task(self.retraction.look(lambda: set(self.broker.sessions), self._settle))

    async def _settle(self, work: Callable[[], Awaitable[Batch | None]]) -> None:
        """Make a batch while nothing is in flight and commit it; ends when that is done."""
        done = asyncio.get_running_loop().create_future()

        async def settle() -> None:
            try:
                batch = await work()
                if batch is not None:
                    await self._finish(batch)
                done.set_result(None)
            except (
                Exception
            ) as error:  # counted by whoever waits for it; the traffic goes on, from what the database says
                self.batch_judge.forget()
                done.set_exception(error)

        self.between_batches(settle)
        await done

    async def _finish(self, batch: Batch) -> None:
        await self.save(batch)
        self.acknowledge(batch)

    async def save(self, batch: Batch) -> None:
        """Until it is committed: a database that is away is waited for, with everything held and nothing
        acknowledged.
        """
        if batch.empty:
            return
        with traces.of(batch):
            bad = await self.writer.save(batch, dict(self.fleet.judge.versions))
            if bad:
                raise BadRows(bad)
        self.last_commit = time.monotonic()

    def acknowledge(self, batch: Batch) -> None:
        """Committed: the broker may forget, and so may the cars."""
        for chunk in batch.chunks:
            chunk.session.ack(chunk.epoch, chunk.mids)
            self._inflight_bytes -= chunk.size
        self._inflight -= batch.messages
        self.messages += batch.messages
        self.oldest_pending = time.monotonic() if self._inflight else None
        if batch.messages:
            metrics.BATCH_SECONDS.observe(time.monotonic() - batch.begun)
        for moved in batch.moved:
            step = moved.step
            metrics.ALERT_STEPS.labels(step.rule, step.state.value, "shadow" if step.shadow else "live").inc()
        self.downlink.committed(batch)

    async def _redo(self, batch: Batch, following: Batch, error: BadRows) -> Batch:
        """The database refused rows: go back to what it says, then judge both batches again without them."""
        for attempt in range(_REDOS):
            log.warning("bad_rows", rows=len(error.keys), reasons=sorted(set(error.keys.values())), attempt=attempt)
            self.batch_judge.poison.update(error.keys)
            self.batch_judge.forget()
            try:
                await self._finish(await self.prepare(batch.chunks))
                # they stand in quarantine, and in the checkpoints of the same transaction
                self.batch_judge.poison.clear()
                return await self.prepare(following.chunks)
            except BadRows as another:
                error = another
        raise error

    async def _tick_bell(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.broker.wake()
