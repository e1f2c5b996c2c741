"""The decision: is a row new, what is its place, what do the rules say, what goes into the transaction?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import structlog

from gateway.fleet import units
from gateway.fleet.car import Car
from gateway.fleet.fleet import CHECKPOINT_ROWS, Fleet
from gateway.fleet.sequence import Arrival, Gap
from gateway.intake import fast_path, normalise
from gateway.intake.batch import Batch
from gateway.intake.correcting import Corrected, carry_out
from gateway.intake.decode import Decoder, LetIn
from gateway.intake.latest_values import LatestValues
from gateway.intake.normalise import IMPOSSIBLE_DAY, NO_BOOT, Decoded
from gateway.intake.partitions import Leaves
from gateway.intake.rejections import Rejections
from gateway.mqtt.chunk import Chunk
from rules.engine.plausibility import Believed, weigh
from schemas.alert import AlertStep
from schemas.moment import from_epoch
from schemas.reading import Mark, Reading, Refusal, boot_of
from store import readings
from store.alerts import Moved

log = structlog.get_logger()

_LATE: Final = int(Mark.LATE)  # as numbers: an IntFlag takes half a microsecond for an `&`
_NOT_WEIGHED: Final = int(Mark.CLOCK_SUSPECT | Mark.ACCEPTED)

Due = dict[Car, Reading | None]  # cars that need a checkpoint, with their last row


class BatchJudge:
    """Owns the cars' memories while a batch is prepared; nothing else moves them."""

    def __init__(
        self,
        fleet: Fleet,
        decoder: Decoder,
        rejections: Rejections,
        latest_values: LatestValues,
        clock: Callable[[], datetime],
        leaves: Leaves | None = None,
    ) -> None:
        self.fleet, self.decoder, self.rejections, self.latest_values, self.clock = (
            fleet,
            decoder,
            rejections,
            latest_values,
            clock,
        )
        self.leaves = leaves or Leaves()
        self.poison: dict[tuple[int, int, int], str] = {}  #: rows that the database refused
        self.duplicates = self.late = 0
        #: cars and boots of which this batch holds something that is not simply the next row
        self._owing: set[tuple[Car, int]] = set()

    async def prepare(
        self, chunks: list[Chunk], *, tick: bool, accepted: list[LetIn], corrected: Sequence[Corrected] = ()
    ) -> Batch:
        """Decode, load what is cold, judge, pack. With `tick` also what is done once a second."""
        batch = Batch(chunks, self.clock())
        received_at = batch.received_at
        self.begin(batch)
        due: Due = {}
        now = time.monotonic()
        for chunk in chunks:
            batch.messages += len(chunk)
            for first in range(0, len(chunk), fast_path.SLICE):
                left = self._walk(batch, chunk, range(first, min(first + fast_path.SLICE, len(chunk))), due)
                for one in await self.decoder.hear(batch, chunk, left, received_at) if left else ():
                    if await self.decoder.find_line(batch, one):
                        car, message, payload, name = one
                        self.admit(batch, car, message, payload, name, now, due)
                await asyncio.sleep(0)
        await self.decoder.warm_up(batch, [car for car, _, _ in accepted])
        for car, quarantine_id, message in accepted:
            self._accepted(batch, car, quarantine_id, message, due)
        await self.decoder.warm_up(batch, [car for car, _ in corrected])
        for asked in corrected:
            row = carry_out(
                batch,
                self.fleet,
                asked,
                day=lambda day: self.leaves.of(day, now),
                said_before=self.decoder.keys.said_before,
            )
            if row is not None:
                due[asked[0]] = row
        if tick:
            for car in list(self.fleet.gappy):
                self._gaps(batch, car, now, due)
            self.rejections.tick(batch, now)
        for car, last in due.items():
            if car.loaded:
                batch.checkpoints.append(
                    self.fleet.checkpoint(
                        car, last.ts if last else received_at, last.day if last else IMPOSSIBLE_DAY, received_at
                    )
                )
        for car, boot in self._owing:
            if boot == car.sequence.boot:
                batch.acks[car] = boot, car.sequence.upto(boot)
            elif boot in car.sequence.tops and not _taken(car, boot):
                batch.old_acks.append((car, boot, car.sequence.upto(boot)))
        return batch

    def begin(self, batch: Batch) -> None:
        """Nothing of this batch is judged yet; the one before it may still be being written."""
        self._owing.clear()
        self.leaves.turn(batch.received_at)
        self.decoder.keys.turn()

    def forget(self) -> None:
        """Back to what the database says: nothing is being written."""
        self.fleet.forget_all()
        self.decoder.keys.forget()

    def _walk(self, batch: Batch, chunk: Chunk, positions: range, due: Due) -> list[fast_path.Left]:
        """What is in order is judged; the rest comes back.

        While rows are being sorted out, nothing takes the fast path.
        """
        if self.poison:
            return [(n, None) for n in positions]
        return fast_path.walk(
            batch, self.fleet, self.latest_values, self._fault, due, self.leaves.open, chunk, positions
        )

    def admit(self, batch: Batch, car: Car, message: Decoded, payload: bytes, name: str, now: float, due: Due) -> None:
        """One message of one car: is it new, what is its place, what do the rules say?"""
        row = message.reading
        for refused in message.refused:
            self.rejections.refuse(batch, car, refused)
        if row is None:
            if message.boot is not None and message.seq is not None:  # refused, but it leaves no gap
                self._owing.add((car, message.boot))
                if car.sequence.arrive(message.boot, message.seq, message.oldest, now) is not Arrival.DUPLICATE:
                    due[car] = None
            return
        boot, seq = row.boot, row.seq
        if self.poison and (car.id, boot, seq) in self.poison:
            self._dead_letter(batch, car, row, payload, name, now, due)
            return
        row.day = self.leaves.of(row.day, now)
        sequence = car.sequence
        if boot == NO_BOOT:
            if self.decoder.keys.said_before((car.id, seq)):
                self.duplicates += 1
                return
            arrival = Arrival.NEXT
        else:
            fresh = boot != sequence.boot
            if fresh and sequence.boot in sequence.tops:  # each boot has its own ack; the one before says its last word
                self._owing.add((car, sequence.boot))
            self._owing.add((car, boot))
            arrival = sequence.arrive(boot, seq, message.oldest, now)
            if car in self.decoder.begun:
                self._begun(batch, car, row, due)
            if arrival is Arrival.DUPLICATE:
                self.duplicates += 1
                if sequence.tops[sequence.boot] - seq > units.MADE_APART:
                    self._beside(batch, car, row, due, units.ECHOED)
                return
            if fresh or arrival is not Arrival.NEXT:
                self._odd(car, message, arrival, row, due)
                if row.boot < sequence.boot and sequence.tops.get(row.boot) == seq:
                    self._beside(batch, car, row, due, units.RETURNED)
        if message.odometer >= 0:
            self._check_odometer(batch, car, row, message.odometer, payload, name)
        if row.ts > car.heard_ts:
            car.heard_ts = row.ts
        if arrival is Arrival.WAITS:
            sequence.hold(row)
            batch.store(row.day, readings.pack(car.dealer_id, row))
            batch.waiting[(car.id, boot, seq)] = (row.day, len(batch.rows[row.day]) - 1)
            if IMPOSSIBLE_DAY < row.day < car.low_day:
                due[car] = row
            self._drain(batch, car, now, due)
            return
        batch.store(row.day, self._judge(batch, car, row, due))
        if sequence.waiting:
            self._drain(batch, car, now, due)

    def _begun(self, batch: Batch, car: Car, row: Reading, due: Due) -> None:
        """Another unit speaks: the desk is told, and how far the one before came goes into a checkpoint of this
        transaction.
        """
        self.decoder.begun.discard(car)
        due[car] = row
        why = "it was enrolled anew" if car.sequence.units[-1].enrolled else "its counters began anew"
        batch.count(
            car.dealer_id,
            "new_unit",
            car.vin,
            1,
            f"speaks with a new unit since {from_epoch(row.ts):%Y-%m-%d %H:%M} UTC: {why}",
        )

    def _beside(self, batch: Batch, car: Car, row: Reading, due: Due, sure: int) -> None:
        """Another unit speaks at the same time: what was left behind in an older line of counters goes on with
        something new.
        """
        sequence = car.sequence
        if row.ts <= car.heard_ts or int(row.mark) & _NOT_WEIGHED:
            return
        beside = sequence.beside
        if beside.came_back(row.ts, (sequence.boot, sequence.tops[sequence.boot]), sure):
            batch.doubled.append((car, beside.since))
        if beside.certain:
            due.setdefault(car, None)
            detail = f"two units speak as this car since {from_epoch(beside.since):%Y-%m-%d %H:%M} UTC"
            batch.count(car.dealer_id, "two_units", car.vin, 1, detail)

    def step(self, memory: Any, row: Reading) -> tuple[AlertStep, ...]:
        """What the rules say of a row. What they should have caught is counted, and says nothing of the car."""
        try:
            return self.fleet.judge.step(memory, row)
        except Exception as error:
            return self._fault(row, error)

    def _fault(self, row: Reading, error: Exception) -> tuple[AlertStep, ...]:
        """The judge catches its rules; what it does not catch is our bug and stops no car."""
        log.error("judge_fault", vehicle=row.vehicle_id, exc_info=error)
        self.rejections.tally(None, "judge_fault", type(error).__name__, 1, str(error)[:300])
        return ()

    def _odd(self, car: Car, message: Decoded, arrival: Arrival, row: Reading, due: Due) -> None:
        """Not simply the next one: what must not be told from rows alone goes into a checkpoint of this very
        transaction.
        """
        sequence = car.sequence
        if message.oldest is not None:
            sequence.give_up_below(row.boot, message.oldest)
        if sequence.gaps or sequence.waiting or sequence.closed:
            self.fleet.gappy.add(car)
        if arrival is Arrival.LATE:
            row.mark |= Mark.LATE
            self.late += 1
            due[car] = row
        elif (
            message.oldest is not None
            and message.oldest < row.seq
            and sequence.gaps
            and sequence.gaps[-1].boot == row.boot
        ):
            due[car] = row

    def _judge(self, batch: Batch, car: Car, row: Reading, due: Due) -> bytes:
        """Its place, its steps; returns it as it is written."""
        car.place += 1
        row.place = car.place
        for step in self.step(car.memory, row):
            batch.moved.append(Moved(car.dealer_id, car.id, row.received_at, step))
        car.since += 1
        if car.since >= CHECKPOINT_ROWS or IMPOSSIBLE_DAY < row.day < car.low_day or car in due:
            due[car] = row
        packed = readings.pack(car.dealer_id, row)
        if not int(row.mark) & _LATE:
            if row.ids:
                self.latest_values.saw(car, row.ids, packed)
            elif row.diagnostics is not None:
                self.latest_values.heard(car, row.received_at)
        return packed

    def _drain(self, batch: Batch, car: Car, now: float, due: Due) -> None:
        """Judge what may be judged now of the rows that waited."""
        for row in car.sequence.ready(now):
            packed = self._judge(batch, car, row, due)
            mine = batch.waiting.pop((car.id, row.boot, row.seq), None)
            if mine is None:
                batch.placed.append(row)
            else:  # not written yet: with its place after all
                batch.rows[mine[0]][mine[1]] = packed

    def _check_odometer(self, batch: Batch, car: Car, row: Reading, at: int, payload: bytes, name: str) -> None:
        metres = row.values[at]
        if int(row.mark) & _NOT_WEIGHED or row.ts < car.odometer_ts:
            return
        fault, now = weigh(
            metres, row.ts, Believed(car.odometer, car.odometer_ts, car.odometer_since, car.odometer_contrary)
        )
        if fault:
            normalise.without(row, normalise.ODOMETER)
            source = normalise.Source(car.vin, car.id, name)
            self.rejections.refuse(
                batch,
                car,
                normalise.refusal(source, payload, row.received_at, Refusal.ODOMETER, fault, row.boot, row.seq),
            )
        car.odometer, car.odometer_ts, car.odometer_since, car.odometer_contrary = (
            now.metres,
            now.ts,
            now.since,
            now.contrary,
        )

    def _dead_letter(
        self, batch: Batch, car: Car, row: Reading, payload: bytes, name: str, now: float, due: Due
    ) -> None:
        """A row that the database refused: out of the batch, into quarantine, and no gap."""
        why = self.poison[(car.id, row.boot, row.seq)]
        if row.boot != NO_BOOT:
            self._owing.add((car, row.boot))
            if car.sequence.arrive(row.boot, row.seq, None, now) is Arrival.DUPLICATE:
                return
        due[car] = None
        if why != "UniqueViolation":
            source = normalise.Source(car.vin, car.id, name)
            self.rejections.refuse(
                batch,
                car,
                normalise.refusal(source, payload, row.received_at, Refusal.DATABASE, why, row.boot, row.seq),
            )

    def _accepted(self, batch: Batch, car: Car, quarantine_id: int, message: Decoded, due: Due) -> None:
        batch.folded.append(quarantine_id)
        row = message.reading
        if row is None or not row.ids:
            return
        row.boot, row.seq = NO_BOOT, quarantine_id  # its own number is taken, by the rest of it or by its refusal
        row.mark |= Mark.ACCEPTED | Mark.LATE
        if self.decoder.keys.said_before((car.id, row.seq)):
            return
        row.day = self.leaves.of(row.day, time.monotonic())
        if message.odometer >= 0:
            car.odometer, car.odometer_ts, car.odometer_since = row.values[message.odometer], row.ts, -1.0
        batch.store(row.day, self._judge(batch, car, row, due))
        due[car] = row

    def _gaps(self, batch: Batch, car: Car, now: float, due: Due) -> None:
        """The ledger of one car: write what is open, ask for it, close what ended, judge what has waited long
        enough.
        """
        sequence = car.sequence
        if not car.loaded:
            return
        asks = sequence.asks(now, batch.now.timestamp(), car.heard_ts)
        batch.asks += [(car, *ask) for ask in asks]
        for gap in sequence.gaps:
            if gap.asked and (not gap.kept or any(ask[0] == gap.boot for ask in asks)):
                gap.kept = True
                batch.gaps.append(_ledger(car, gap, batch.now))
        for gap in sequence.closed:
            if gap.lost:
                (batch.lost if gap.kept else batch.lost_at_once).append(_ledger(car, gap, batch.now))
                due.setdefault(car, None)
                self._owing.add((car, gap.boot))
            elif gap.kept:
                batch.arrived.append((car.id, gap.boot, gap.first))
        sequence.closed.clear()
        self._drain(batch, car, now, due)
        if not sequence.gaps and not sequence.waiting:
            self.fleet.gappy.discard(car)


def _taken(car: Car, boot: int) -> bool:
    """Whether an ack of this boot could be taken for one of the unit that speaks now, which may still keep what it
    would let go.
    """
    return boot < car.sequence.base and boot_of(boot) <= boot_of(car.sequence.boot)


def _ledger(car: Car, gap: Gap, now: datetime) -> tuple[int, int, int, int, int, datetime, int]:
    return car.dealer_id, car.id, gap.boot, gap.first, gap.last, now, gap.asked
