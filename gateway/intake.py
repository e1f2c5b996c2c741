"""The loop: hear → judge → save in one transaction → acknowledge. While one batch is being written, the next is judged."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any, Final

import structlog

from gateway import normalise
from gateway.batch import Batch
from gateway.broker import Broker, Chunk, publish_packet
from gateway.car import Car, Poison
from gateway.fleet import DIAGNOSTICS, TELEMETRY, UNKNOWN, Fleet, Route
from gateway.frontier import Arrival, Gap
from gateway.normalise import NO_BOOT, Heard
from gateway.writer import Writer
from schemas.alert import AlertState, AlertStep
from schemas.moment import from_epoch
from schemas.reading import Mark, Reading, Refusal, Refused
from schemas.signal import BY_ID
from schemas.telemetry import Ack, Ask
from schemas.vehicle import is_vin, topic
from store import quarantine, readings, vehicles
from store.alerts import Moved

log = structlog.get_logger()

SLICE: Final = 100  #: messages between two looks at the sockets: the database's answers must not wait for us
FIRST_LIMIT, LIMIT = 256, 6_000  #: messages in a batch; small at the start, while most cars have to be loaded
CHECKPOINT_ROWS: Final = 128
TICK_S: Final = 1.0
ACK_EVERY_S: Final = 1.0  #: per car
LATEST_BUDGET: Final = 500  #: cars whose newest values are written in one tick
ASK_AGAIN_S: Final = 5.0  #: an unknown VIN is looked up this often at most
ACKS_A_TICK: Final = 50  #: application acks in a tenth of a second at least; and one for every ten messages
_PATHS: Final = {i: s.path for i, s in BY_ID.items()}


#: One message: its car, the row if nothing about it is odd, else the longer answer, payload and topic.
Said = tuple[Car, tuple[Reading, int | None, int] | None, Heard | None, bytes, str]


class BadRows(Exception):
    """The database refuses rows of this batch: (vehicle, boot, seq) -> why."""

    def __init__(self, keys: dict[tuple[int, int, int], str]) -> None:
        self.keys = keys
        super().__init__(f"{len(keys)} rows")


class Intake:
    """Owns the cars' memories: only this loop moves them."""

    def __init__(self, broker: Broker, fleet: Fleet, writer: Writer, clock: Callable[[], datetime]) -> None:
        self.broker, self.fleet, self.writer, self.clock = broker, fleet, writer, clock
        self.poison: dict[tuple[int, int, int], str] = {}  #: rows that the database refused
        self.strangers: dict[str, Poison] = {}  #: sources that are no car of ours
        self.flooding: set[tuple[str, Poison, int | None, int | None]] = set()
        self.newest: dict[Car, dict[tuple[int, ...], Reading]] = {}
        self.owed: dict[tuple[Car, int], int] = {}  #: application acks to send: (car, boot) -> upto
        self.accept_now = True  #: look for accepted quarantine at the next tick
        self.counted: dict[tuple[int | None, str, str], tuple[int, str]] = {}  #: from outside: denied publishes
        self.messages = self.duplicates = self.committed = 0
        self.last_commit = time.monotonic()
        self.oldest_pending: float | None = None  #: machine time at which the oldest unsaved batch was taken
        self._queue: deque[Chunk] = deque()
        self._limit = FIRST_LIMIT
        self._inflight = 0
        self._next_tick = 0.0
        self._acked = 0
        self._looked_up: dict[str, float] = {}
        self._also: set[tuple[Car, int]] = set()
        self._totals: dict[tuple[int | None, str, str], int] = {}
        self._between: list[Callable[[], Awaitable[None]]] = []  #: what others want done while nothing is in flight
        broker.backlog = lambda: self._inflight + sum(map(len, self._queue))

    async def run(self) -> None:
        """For ever. Ends only by cancellation or by a fault of ours."""
        senders = [asyncio.create_task(self._send_acks()), asyncio.create_task(self._tick_bell())]
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
                if self._between:
                    try:
                        await saving
                    except BadRows as error:
                        await self._finish(await self._redo(batch, Batch([], self.clock()), error))
                    saving = None
                    while self._between:
                        await self._between.pop(0)()
        finally:
            for sender in senders:
                sender.cancel()
            if saving is not None:
                await asyncio.gather(saving, return_exceptions=True)

    def between_batches(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do this when nothing is in flight (a bucket is given up)."""
        self._between.append(work)
        self.broker.wake()

    def tally(self, dealer: int | None, name: str, subject: str, times: int, detail: str, *, total: bool = False) -> None:
        """Count something with the next tick; `total` says that `times` is the count so far, not what came on top."""
        key = (dealer, name, subject)
        if total:
            times, self._totals[key] = times - self._totals.get(key, 0), times
        if times > 0:
            self.counted[key] = (times + self.counted.get(key, (0, ""))[0], detail)

    def discard(self, bucket: int) -> None:
        """What we hold of a bucket that another gateway carries now; it was never acknowledged, so it comes to that one."""
        self._queue = deque(chunk for chunk in self._queue if chunk.session.bucket != bucket)
        for car in self.fleet.unload(bucket):
            self.newest.pop(car, None)
        self.owed = {key: upto for key, upto in self.owed.items() if key[0].bucket != bucket}

    # -- fetch --------------------------------------------------------------------------------------------------------

    async def _take(self) -> list[Chunk]:
        if not self._queue and time.monotonic() < self._next_tick:
            self._queue.extend(await self.broker.deliveries())
        taken: list[Chunk] = []
        count = 0
        while self._queue and (not taken or count + len(self._queue[0]) <= self._limit):
            chunk = self._queue.popleft()
            taken.append(chunk)
            count += len(chunk)
        self._limit = min(LIMIT, self._limit * 2)
        self._inflight += count
        if taken and self.oldest_pending is None:
            self.oldest_pending = time.monotonic()
        return taken

    # -- decide -------------------------------------------------------------------------------------------------------

    async def prepare(self, chunks: list[Chunk]) -> Batch:
        """Decode, load what is cold, judge, pack."""
        batch = Batch(chunks, self.clock())
        received_at = batch.now.timestamp()
        heard = await self._hear(batch, received_at)
        tick = time.monotonic() >= self._next_tick
        accepted = await self._accepted() if tick and self.accept_now else []
        await self._warm_up(batch, heard, [car for car, _ in accepted])
        touched: dict[Car, int] = {}
        due: dict[Car, Reading | None] = {}
        now = time.monotonic()
        judge, newest, pack, rows, kept, moved = self._step, self.newest, readings.pack, batch.rows, batch.readings, batch.moved
        for n, (car, quick, said, payload, name) in enumerate(heard):
            if n % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            if quick is None:
                assert said is not None
                self._admit(batch, car, said, payload, name, now, touched, due)
                continue
            row, oldest, odometer = quick
            frontier, boot, seq = car.frontier, row.boot, row.seq
            if (
                boot != frontier.boot or frontier.tops[boot] + 1 != seq or frontier.gaps or frontier.waiting or self.poison
                or row.day < car.low_day or row.ts < car.odometer_ts
            ):  # fmt: skip
                self._admit(batch, car, Heard(row, oldest, odometer=odometer), payload, name, now, touched, due)
                continue
            # From here on it is `_admit` for the next row of a car of which nothing is missing, in one piece.
            frontier.tops[boot] = seq
            frontier.cursor = (boot, seq)
            touched[car] = boot
            if odometer >= 0:
                metres, before = row.values[odometer], car.odometer
                if before is not None and not 0.0 <= metres - before <= (row.ts - car.odometer_ts) * normalise.MAX_MPS + normalise.ODOMETER_SLACK_M:
                    self._check_odometer(batch, car, row, odometer, payload, name)
                else:
                    car.odometer, car.odometer_ts = metres, row.ts
            if row.ts > car.heard_ts:
                car.heard_ts = row.ts
            car.place = row.place = car.place + 1
            for step in judge(car.memory, row):
                moved.append(Moved(car.dealer_id, car.id, received_at, step))
            car.since += 1
            if car.since >= CHECKPOINT_ROWS or car in due:
                due[car] = row
            shown = newest.get(car)
            if shown is None:
                newest[car] = {row.ids: row}
            else:
                shown[row.ids] = row
            if row.day in rows:
                rows[row.day].append(pack(car.dealer_id, row))
                kept[row.day].append(row)
            else:
                rows[row.day], kept[row.day] = [pack(car.dealer_id, row)], [row]
        for car, (quarantine_id, said) in accepted:
            self._let_in(batch, car, quarantine_id, said, now, due)
        if tick:
            self._next_tick = time.monotonic() + TICK_S
            self._tick(batch, now, due)
        for car, last in due.items():
            if car.loaded:
                batch.checkpoints.append(self.fleet.checkpoint(car, last.ts if last else received_at, last.day if last else 0))
        also, self._also = self._also, set()
        for car, boot in [*touched.items(), *also]:
            batch.acks.append((car, boot, car.frontier.upto(boot)))
        return batch

    async def _hear(self, batch: Batch, received_at: float) -> list[Said]:
        """Bytes to values; what needs no car's memory is settled here."""
        heard: list[Said] = []
        routes, quickly = self.fleet.routes, normalise.quick
        for chunk in batch.chunks:
            batch.messages += len(chunk)
            retained = set(chunk.retained)
            for n, (name, payload) in enumerate(zip(chunk.topics, chunk.payloads, strict=True)):
                if n % SLICE == SLICE - 1:
                    await asyncio.sleep(0)
                route = routes.get(name) or self.fleet.route(name)
                if route.car is None and await self._met(route.source.vin):
                    route = self.fleet.route(name)
                car = route.car
                try:
                    if car is None or route.kind == UNKNOWN or (retained and n in retained):
                        self._stray(batch, route, payload, received_at, bool(retained and n in retained))
                    elif route.kind == TELEMETRY:
                        quick = quickly(payload, car.id, received_at)
                        said = normalise.telemetry(payload, route.source, received_at) if quick is None else None
                        heard.append((car, quick, said, payload, route.source.topic))
                    elif route.kind == DIAGNOSTICS:
                        heard.append((car, None, normalise.diagnostics(payload, route.source, received_at), payload, route.source.topic))
                    else:
                        self._hint(batch, car, payload)
                except Exception as error:  # our bug: this message is put aside, the others go on
                    log.exception("decoder_fault", topic=route.source.topic)
                    detail = f"it could not be read; that is our fault ({type(error).__name__})"
                    self._refuse(batch, car, normalise.refusal(route.source, payload, received_at, Refusal.NOT_TELEMETRY, detail))
        return heard

    async def _met(self, vin: str) -> bool:
        """Whether a car of which we have not heard is new: its first word may be quicker than the bell."""
        now = time.monotonic()
        if not is_vin(vin) or now - self._looked_up.get(vin, -ASK_AGAIN_S) < ASK_AGAIN_S:
            return False
        if len(self._looked_up) > 1000:
            self._looked_up.clear()
        self._looked_up[vin] = now
        self.fleet.meet(await self.writer.read(partial(vehicles.by_vin, vin=vin)))
        return vin in self.fleet.by_vin

    def _stray(self, batch: Batch, route: Route, payload: bytes, received_at: float, retained: bool) -> None:
        if retained:
            reason, detail = Refusal.RETAINED, "retained messages are not events"
        elif route.car is None:
            reason, detail = Refusal.UNKNOWN_VEHICLE, "no dealer looks after a car of this VIN"
        else:
            reason, detail = Refusal.NOT_TELEMETRY, "this topic is not in the contract, or not in the car's bucket"
        self._refuse(batch, route.car, normalise.refusal(route.source, payload, received_at, reason, detail))

    def _refuse(self, batch: Batch, car: Car | None, refused: Refused) -> None:
        """Into quarantine, unless this source floods us: then it is counted."""
        now = time.monotonic()
        if car is not None:
            poison = car.poison = car.poison or Poison()
        else:
            name = refused.vin or ""
            if len(self.strangers) > 1000:
                self.strangers.clear()
            poison = self.strangers.setdefault(name, Poison())
        dealer = car.dealer_id if car else None
        if poison.keep(now, refused):
            batch.refused.append((dealer, refused, 1))
        else:
            self.flooding.add((refused.vin or "", poison, dealer, car.id if car else None))

    def _hint(self, batch: Batch, car: Car, payload: bytes) -> None:
        said = normalise.status(payload)
        if said is None:
            return
        online = said.state == "online"
        batch.heard[car.id] = (car.id, batch.now, online)
        if online:
            values = {k: float(v) for k, v in said.signals.items() if v is not None and "\0" not in k}
            batch.hints.append((car.id, car.dealer_id, batch.now, {"at": batch.now.timestamp(), "values": values}))
            if car.loaded and car.frontier.boot >= 0:
                batch.acks.append((car, car.frontier.boot, car.frontier.upto(car.frontier.boot)))

    async def _warm_up(self, batch: Batch, heard: list[Said], more: list[Car]) -> None:
        cold = {car for car, *_ in heard if not car.loaded}
        cold.update(car for car in more if not car.loaded)
        if cold:
            now = time.monotonic()
            closed, _ = await self.writer.read(lambda connection: self.fleet.load(connection, cold, now))
            batch.arrived += closed
        strangers, keys = set(), []
        for car, quick, said, _, _ in heard:
            row = quick[0] if quick is not None else said.reading if said is not None else None
            boot = row.boot if row is not None else said.boot if said is not None else None
            if boot is None or boot == car.frontier.boot:
                continue
            if boot == NO_BOOT and row is not None:
                keys.append((car.id, row.seq))
            elif boot < car.frontier.boot and boot not in car.frontier.tops:
                strangers.add((car, boot))
        if strangers:
            await self.writer.read(lambda connection: self.fleet.learn_boots(connection, strangers))
        if keys:
            for vehicle, key in await self.writer.read(lambda connection: readings.known_keys(connection, keys)):
                self.fleet.by_id[vehicle].remembers(key)

    def _admit(
        self, batch: Batch, car: Car, said: Heard, payload: bytes, name: str, now: float, touched: dict[Car, int], due: dict[Car, Reading | None]
    ) -> None:
        """One message of one car: is it new, what is its place, what do the rules say?"""
        row = said.reading
        for refused in said.refused:
            self._refuse(batch, car, refused)
            if refused.reason is Refusal.FOREIGN_VIN:
                batch.count(car.dealer_id, "foreign_vin", car.vin, 1, refused.detail)
        if row is None:
            if said.boot is not None and said.seq is not None:  # refused, but it leaves no gap
                touched[car] = said.boot
                if car.frontier.arrive(said.boot, said.seq, said.oldest, now) is not Arrival.DUPLICATE:
                    due[car] = None
            return
        boot, seq = row.boot, row.seq
        if self.poison and (car.id, boot, seq) in self.poison:
            self._dead_letter(batch, car, row, payload, name, now, touched, due)
            return
        frontier = car.frontier
        if boot == NO_BOOT:
            if car.remembers(seq):
                self.duplicates += 1
                return
            arrival = Arrival.NEXT
        else:
            fresh = boot != frontier.boot
            if fresh and car in touched:  # two boots in one batch: each has its own ack
                self._also.add((car, touched[car]))
            touched[car] = boot
            arrival = frontier.arrive(boot, seq, said.oldest, now)
            if arrival is Arrival.DUPLICATE:
                self.duplicates += 1
                return
            if fresh or arrival is not Arrival.NEXT:
                self._odd(car, said, arrival, row, due)
        if said.odometer >= 0:
            self._check_odometer(batch, car, row, said.odometer, payload, name)
        if row.ts > car.heard_ts:
            car.heard_ts = row.ts
        if arrival is Arrival.WAITS:
            frontier.waiting[(boot, seq)] = row
            self._store(batch, car, row)
            self._drain(batch, car, now, due)
            return
        self._judge(batch, car, row, due)
        self._store(batch, car, row)
        if frontier.waiting:
            self._drain(batch, car, now, due)

    def _step(self, memory: Any, row: Reading) -> tuple[AlertStep, ...]:
        """What the rules say. The judge catches its rules; what it does not catch is our bug and stops no car."""
        try:
            return self.fleet.judge.step(memory, row)
        except Exception as error:
            log.exception("judge_fault", vehicle=row.vehicle_id)
            self.tally(None, "judge_fault", type(error).__name__, 1, str(error)[:300])
            return ()

    def _odd(self, car: Car, said: Heard, arrival: Arrival, row: Reading, due: dict[Car, Reading | None]) -> None:
        """Not simply the next one: what must not be told from rows alone goes into a checkpoint of this very transaction."""
        frontier = car.frontier
        if said.oldest is not None:
            frontier.give_up_below(row.boot, said.oldest)
        if frontier.gaps or frontier.waiting or frontier.closed:
            self.fleet.gappy.add(car)
        if arrival is Arrival.LATE:
            row.mark |= Mark.LATE
            due[car] = row
        elif said.oldest is not None and said.oldest < row.seq and frontier.gaps and frontier.gaps[-1].boot == row.boot:
            due[car] = row

    def _judge(self, batch: Batch, car: Car, row: Reading, due: dict[Car, Reading | None]) -> None:
        car.place += 1
        row.place = car.place
        for step in self._step(car.memory, row):
            batch.moved.append(Moved(car.dealer_id, car.id, row.received_at, step))
        car.since += 1
        if car.since >= CHECKPOINT_ROWS or row.day < car.low_day or car in due:
            due[car] = row
        if row.ids and not (row.mark and row.mark & Mark.LATE):
            shown = self.newest.get(car)
            if shown is None:
                self.newest[car] = {row.ids: row}
            else:
                shown[row.ids] = row

    def _drain(self, batch: Batch, car: Car, now: float, due: dict[Car, Reading | None]) -> None:
        """Judge what may be judged now of the rows that waited."""
        for row in car.frontier.ready(now):
            self._judge(batch, car, row, due)
            mine = batch.readings.get(row.day)
            if mine is not None and any(row is other for other in mine):
                n = next(n for n, other in enumerate(mine) if other is row)
                batch.rows[row.day][n] = readings.pack(car.dealer_id, row)
            else:
                batch.placed.append(row)

    @staticmethod
    def _store(batch: Batch, car: Car, row: Reading) -> None:
        packed = readings.pack(car.dealer_id, row)
        rows = batch.rows.get(row.day)
        if rows is None:
            batch.rows[row.day], batch.readings[row.day] = [packed], [row]
        else:
            rows.append(packed)
            batch.readings[row.day].append(row)

    def _check_odometer(self, batch: Batch, car: Car, row: Reading, at: int, payload: bytes, name: str) -> None:
        metres = row.values[at]
        if (row.mark and row.mark & (Mark.CLOCK_SUSPECT | Mark.ACCEPTED)) or row.ts < car.odometer_ts:
            return
        if car.odometer is not None:
            fault = normalise.odometer_fault(metres, row.ts, car.odometer, car.odometer_ts)
            if fault:
                normalise.without(row, normalise.ODOMETER)
                source = normalise.Source(car.vin, car.id, name)
                self._refuse(batch, car, normalise.refusal(source, payload, row.received_at, Refusal.ODOMETER, fault, row.boot, row.seq))
                return
        car.odometer, car.odometer_ts = metres, row.ts

    def _dead_letter(
        self, batch: Batch, car: Car, row: Reading, payload: bytes, name: str, now: float, touched: dict[Car, int], due: dict[Car, Reading | None]
    ) -> None:
        """A row that the database refused: out of the batch, into quarantine, and no gap."""
        why = self.poison[(car.id, row.boot, row.seq)]
        if row.boot != NO_BOOT:
            touched[car] = row.boot
            if car.frontier.arrive(row.boot, row.seq, None, now) is Arrival.DUPLICATE:
                return
        due[car] = None
        if why != "UniqueViolation":
            source = normalise.Source(car.vin, car.id, name)
            self._refuse(batch, car, normalise.refusal(source, payload, row.received_at, Refusal.DATABASE, why, row.boot, row.seq))

    # -- once a second ------------------------------------------------------------------------------------------------

    async def _tick_bell(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.broker.wake()

    def _tick(self, batch: Batch, now: float, due: dict[Car, Reading | None]) -> None:
        for car in list(self.fleet.gappy):
            self._gaps(batch, car, now, due)
        for _ in range(min(LATEST_BUDGET, len(self.newest))):
            car = next(iter(self.newest))
            self._latest(batch, car, self.newest.pop(car))
        for entry in list(self.flooding):
            name, poison, dealer, vehicle = entry
            if now - poison.since > 5.0 and poison.uncounted:
                last, times = poison.last, poison.uncounted
                poison.uncounted = 0
                self.flooding.discard(entry)
                detail = f"{times} more refused messages of this source, counted and not kept; the last: {last.reason}: {last.detail}"
                flood = Refused(last.vin, vehicle, last.topic, last.payload[:1000], Refusal.FLOOD, detail[:1000], batch.now)
                batch.refused.append((dealer, flood, times))
                batch.count(dealer, "flood", name, times, str(last.reason))
        for (dealer, what, subject), (times, detail) in self.counted.items():
            batch.count(dealer, what, subject, times, detail)
        self.counted.clear()

    def _gaps(self, batch: Batch, car: Car, now: float, due: dict[Car, Reading | None]) -> None:
        """The ledger of one car: write what is open, ask for it, close what ended, judge what has waited long enough."""
        frontier = car.frontier
        if not car.loaded:
            return
        asks = frontier.asks(now, batch.now.timestamp(), car.heard_ts)
        batch.asks += [(car, *ask) for ask in asks]
        for gap in frontier.gaps:
            if gap.asked and (not gap.kept or any(ask[0] == gap.boot for ask in asks)):
                gap.kept = True
                batch.gaps.append(_ledger(car, gap, batch.now))
        for gap in frontier.closed:
            if gap.lost:
                (batch.lost if gap.kept else batch.lost_at_once).append(_ledger(car, gap, batch.now))
                due.setdefault(car, None)
                batch.acks.append((car, gap.boot, frontier.upto(gap.boot)))
            elif gap.kept:
                batch.arrived.append((car.id, gap.boot, gap.first))
        frontier.closed.clear()
        self._drain(batch, car, now, due)
        if not frontier.gaps and not frontier.waiting:
            self.fleet.gappy.discard(car)

    def _latest(self, batch: Batch, car: Car, shown: dict[tuple[int, ...], Reading]) -> None:
        values: dict[str, Any] = {}
        rows = sorted(shown.values(), key=lambda row: row.ts)
        for row in rows:
            for i, value in zip(row.ids, row.values, strict=True):
                values[_PATHS[i]] = [round(value, 4), row.ts]
        batch.latest.append((car.id, car.dealer_id, from_epoch(rows[-1].ts), values))
        batch.heard[car.id] = (car.id, from_epoch(max(row.received_at for row in rows)), True)

    async def _accepted(self) -> list[tuple[Car, tuple[int, Heard]]]:
        """Refused messages that a person let in."""
        found: list[tuple[Car, tuple[int, Heard]]] = []
        mine = self.broker.sessions
        waiting: list[quarantine.Accepted] = await self.writer.read(lambda connection: quarantine.accepted(connection))
        self.accept_now = False
        for one in waiting:
            car = self.fleet.by_id.get(one.vehicle_id)
            if car is None or car.bucket not in mine:
                continue
            source = normalise.Source(car.vin, car.id, one.topic)
            said = normalise.telemetry(one.payload, source, one.received_at.timestamp(), let_in=True)
            found.append((car, (one.id, said)))
        return found

    def _let_in(self, batch: Batch, car: Car, quarantine_id: int, said: Heard, now: float, due: dict[Car, Reading | None]) -> None:
        batch.folded.append(quarantine_id)
        row = said.reading
        if row is None or not row.ids:
            return
        row.boot, row.seq = NO_BOOT, quarantine_id  # its own number is taken, by the rest of it or by its refusal
        row.mark |= Mark.ACCEPTED | Mark.LATE
        if car.remembers(row.seq):
            return
        if said.odometer >= 0:
            car.odometer, car.odometer_ts = row.values[said.odometer], row.ts
        self._judge(batch, car, row, due)
        self._store(batch, car, row)
        due[car] = row

    # -- save and acknowledge -------------------------------------------------------------------------------------------

    async def _finish(self, batch: Batch) -> None:
        await self.save(batch)
        self.acknowledge(batch)

    async def save(self, batch: Batch) -> None:
        """Until it is committed: a database that is away is waited for, with everything held and nothing acknowledged."""
        if batch.empty:
            return
        bad = await self.writer.save(batch, dict(self.fleet.judge.versions))
        if bad:
            raise BadRows(bad)
        self.committed += batch.messages
        self.last_commit = time.monotonic()

    def acknowledge(self, batch: Batch) -> None:
        """Committed: the broker may forget, and so may the cars."""
        for chunk in batch.chunks:
            chunk.session.ack(chunk.epoch, chunk.mids)
        self._inflight -= batch.messages
        self.messages += batch.messages
        self.oldest_pending = time.monotonic() if self._inflight else None
        for car, boot, upto in batch.acks:
            self.owed[(car, boot)] = upto
        for car, boot, first, last in batch.asks:
            self._send(car, "down/asks", Ask(boot=boot, first=first, last=last).model_dump_json(by_alias=True).encode())
        for moved in batch.moved:
            step = moved.step
            if not step.shadow and step.state in (AlertState.ACTIVE, AlertState.RESOLVED, AlertState.WITHDRAWN):
                told = {"rule": step.rule, "component": step.component, "state": step.state.value, "severity": step.severity.value, "because": step.because}
                self._send(self.fleet.by_id[moved.vehicle_id], "down/alerts", json.dumps(told).encode())

    async def _redo(self, batch: Batch, following: Batch, error: BadRows) -> Batch:
        """The database refused rows: go back to what it says, then judge both batches again without them."""
        for attempt in range(1, 8):
            log.warning("bad_rows", rows=len(error.keys), reasons=sorted(set(error.keys.values())), attempt=attempt)
            self.poison.update(error.keys)
            for car in {c for c in self.fleet.by_id.values() if c.loaded}:
                car.forget()
            self.fleet.gappy.clear()
            self.owed.clear()
            try:
                again = await self.prepare(batch.chunks)
                await self._finish(again)
                self.poison = {key: why for key, why in self.poison.items() if key not in error.keys} if len(self.poison) > 10_000 else self.poison
                return await self.prepare(following.chunks)
            except BadRows as another:
                error = another
        raise error

    # -- towards the cars ---------------------------------------------------------------------------------------------

    def _send(self, car: Car, way: str, payload: bytes) -> None:
        session = self.broker.sessions.get(car.bucket)
        if session is not None:
            session.send(publish_packet(topic(car.vin, way), payload, self.broker.address.version))

    async def _send_acks(self) -> None:
        """At most one a second and car, and no more than a tenth of the messages: an ack costs the broker as much as a message."""
        while True:
            await asyncio.sleep(0.1)
            now = time.monotonic()
            budget = max(ACKS_A_TICK, (self.messages - self._acked) // 10)
            self._acked = self.messages
            blobs: dict[int, list[bytes]] = {}
            for key in list(self.owed):
                car, boot = key
                if now - car.acked_at < ACK_EVERY_S:
                    continue
                upto = self.owed.pop(key)
                car.acked_at = now
                packet = publish_packet(topic(car.vin, "down/acks"), Ack(boot=boot, upto=upto).model_dump_json().encode(), self.broker.address.version)
                blobs.setdefault(car.bucket, []).append(packet)
                budget -= 1
                if budget <= 0:
                    break
            for bucket, packets in blobs.items():
                session = self.broker.sessions.get(bucket)
                if session is not None:
                    session.send(b"".join(packets))


def _ledger(car: Car, gap: Gap, now: datetime) -> tuple[int, int, int, int, int, datetime, int]:
    return car.dealer_id, car.id, gap.boot, gap.first, gap.last, now, gap.asked
