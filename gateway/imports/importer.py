"""An import of history: a gateway that hears a file. Batches, judge, memory, places and the transaction are those of
the live path.

It holds the leases of its cars' buckets, so no other gateway moves their memories meanwhile: what they send waits at
the broker. What stands in each transaction says how far the file has come, so whoever is killed goes on there, and the
same file again is nothing.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable
from contextlib import aclosing
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final
from zlib import crc32

from gateway.fleet.car import Car
from gateway.fleet.fleet import CHECKPOINT_ROWS, Fleet, Judge
from gateway.imports.lines import Entry
from gateway.imports.reading import Job, portions
from gateway.imports.survey import Survey, named
from gateway.imports.table import Table
from gateway.intake.batch import Batch
from gateway.intake.decode import Decoder
from gateway.intake.judge import BatchJudge, Due
from gateway.intake.latest_values import LatestValues
from gateway.intake.loop import BadRows
from gateway.intake.normalise import AHEAD_S, EARLIEST, NO_BOOT, Decoded
from gateway.intake.partitions import Leaves
from gateway.intake.rejections import Rejections
from gateway.intake.writer import Writer, machine_now
from rules.engine.plausibility import MAX_MPS, ODOMETER_SLACK_M
from schemas.errors import BadInput, Overtaken
from schemas.mapping import Mapping, Progress, ReadingsImport, Refusals
from schemas.moment import from_epoch
from schemas.reading import Mark, Reading, Refused
from schemas.signal import BY_ID
from schemas.vehicle import BUCKETS
from store import checkpoints, latest, leases, readings, readings_imports, vehicles
from store.alerts import Moved

BATCH: Final = 8_000  #: rows of one transaction
SLICE: Final = 100  #: rows between two looks at the database's answers
SHARE: Final = f"0/{2 * BUCKETS}"  #: finer than any gateway's: each gives its bucket when it is asked
GIVEN_WITHIN_S: Final = 30.0
BEAT_S: Final = 1.0
REDOS: Final = 8
PORTION: Final = 2_000  #: cars of one look
_MARK, _LATE = Mark.NO_COUNTER | Mark.IMPORTED, Mark.NO_COUNTER | Mark.IMPORTED | Mark.LATE


class Days(Leaves):
    """A file is not one car's clock: every day that is kept gets its leaf."""

    def of(self, day: int, now: float) -> int:
        self.open.add(day)
        return day


class IntoReport(Rejections):
    """What plausibility refuses of a row stands in the report, with the line at hand."""

    def __init__(self) -> None:
        super().__init__()
        self.report, self.line = Refusals(), 0

    def refuse(self, batch: Batch, car: Car | None, refused: Refused, now: float | None = None) -> None:
        self.report.add(refused.reason.value, self.line, f"{car.vin if car else ''}: {refused.detail}")


def key_of(ts: float, packed: bytes) -> int:
    """63 bits of a row: its milliseconds and 22 bits of all it says.

    The same line is the same row, and rows in order lie in order.
    """
    return round(ts * 1_000) << 22 | crc32(packed, round(ts * 1e6) & 0xFFFFFFFF) & 0x3FFFFF


class Importer:
    """One import. `clock` is business time, `kept_days` how far back rows are kept, `tick` is told how many records are
    settled.
    """

    def __init__(
        self,
        database_url: str,
        judge: Judge,
        clock: Callable[[], datetime],
        *,
        kept_days: int,
        tick: Callable[[int], None] = lambda done: None,
        batch: int = BATCH,
    ) -> None:
        self.writer = Writer(database_url, f"import:{socket.gethostname()}:{os.getpid()}", SHARE)
        self.fleet, self.clock, self.kept_days, self.tick, self.size = Fleet(judge), clock, kept_days, tick, batch
        self.rejections = IntoReport()
        self.decoder = Decoder(self.fleet, self.writer, self.rejections, LatestValues())
        self.judge = BatchJudge(
            self.fleet,
            self.decoder,
            rejections=self.rejections,
            latest_values=self.decoder.latest_values,
            clock=clock,
            leaves=Days(kept_days + 2),
        )
        self.newest: dict[Car, float] = {}  #: reading time up to which a car has been judged
        self._beaten = 0.0
        self.records = 0  #: of the file

    async def run(
        self, table: Table, mapping: Mapping, found: Survey, dealer_id: int, fingerprint: str
    ) -> dict[str, Any]:
        """All of the file that is not in yet. Returns the report."""
        started, worked = time.monotonic(), time.process_time()
        try:
            cars = await self._meet(found, mapping, dealer_id, table.path.name)
            one = await self._begun(dealer_id, fingerprint, table)
            before, already = replace(one.progress), one.done_at is not None
            if not already:
                self.records = found.records
                await self._lease({car.bucket for car in cars.values()})
                one = await self._all(one, table, mapping, cars)
            ids = sorted({car.id for car in cars.values()})
            standing = await self.writer.write(
                lambda connection: readings_imports.done(connection, one, ids, self.clock())
            )
            if not already:
                await self._show(ids)
            took = time.monotonic() - started
            stored = one.progress.stored - before.stored
            return _report(table, one, before=before, cars=len(ids), standing=standing) | {
                "already": already,
                "seconds": round(took, 1),
                "cpu_seconds": round(time.process_time() - worked, 1),
                "rows_per_second": round(stored / took),
            }
        finally:
            await self.writer.close()  # the leases go with the connection

    async def _begun(self, dealer_id: int, fingerprint: str, table: Table) -> ReadingsImport:
        return await self.writer.read(
            lambda connection: readings_imports.begin(
                connection, dealer_id, fingerprint=fingerprint, file=table.path.name, now=self.clock()
            )
        )

    async def _meet(self, found: Survey, mapping: Mapping, dealer_id: int, file: str) -> dict[str, Car]:
        """The file's name of each car -> the car; BadInput names those that are not this dealer's."""
        vins = {name: name.strip().upper() for name in found.cars}
        if mapping.vehicle_is == "plate" and mapping.vin is None:
            plates = {name: "".join(filter(str.isalnum, name)).upper() for name in found.cars}
            of_plate = dict(
                await self.writer.read(
                    partial(readings_imports.by_plates, dealer_id=dealer_id, plates=list(plates.values()))
                )
            )
            vins = {name: of_plate.get(plate, "") for name, plate in plates.items()}
        who = [
            one
            for one in await self.writer.read(partial(vehicles.by_vins, vins=list(vins.values())))
            if one.dealer_id == dealer_id
        ]
        self.fleet.meet(who)
        unknown = {name: line for name, line in found.cars.items() if vins[name] not in self.fleet.by_vin}
        if unknown:
            raise BadInput(
                file,
                f"{len(unknown)} cars that this dealer does not look after: {named(unknown)}; enrol them first "
                "(`telltale vehicle enrol`, `telltale owners import`)",
            )
        return {name: self.fleet.by_vin[vin] for name, vin in vins.items()}

    async def _lease(self, buckets: set[int]) -> None:
        deadline = time.monotonic() + GIVEN_WITHIN_S
        while left := sorted(buckets - self.writer.buckets):
            await self.writer.take(left)
            left = sorted(buckets - self.writer.buckets)
            if left and time.monotonic() > deadline:
                held = {lease.bucket: lease.holder for lease in await self.writer.read(leases.all_of_them)}
                raise Overtaken(
                    "bucket of cars", f"{held.get(left[0])} carries it and does not give it: another import?"
                )
            if left:
                await self.writer.write(partial(leases.want, buckets=left, share=SHARE))
                await asyncio.sleep(0.2)

    async def _all(self, one: ReadingsImport, table: Table, mapping: Mapping, cars: dict[str, Car]) -> ReadingsImport:
        """Rows that the database refuses are sorted out by going back to what it says."""
        for attempt in range(REDOS):
            try:
                return replace(one, progress=await self._once(one.progress, table, mapping, cars))
            except BadRows as error:
                if attempt == REDOS - 1:
                    raise
                self.judge.poison.update(error.keys)
                self.judge.forget()
                self.newest.clear()
                one = await self._begun(one.dealer_id, one.fingerprint, table)
        raise AssertionError

    async def _once(self, progress: Progress, table: Table, mapping: Mapping, cars: dict[str, Car]) -> Progress:
        now = self.clock().timestamp()
        between = max(EARLIEST, (now // 86_400 - self.kept_days) * 86_400.0), now + AHEAD_S
        progress = deepcopy(progress)
        self.rejections.report = progress.refused
        job = Job(
            table.path, mapping.delimiter, mapping=mapping, skip=progress.records, between=between, size=self.size
        )
        saving = None
        try:
            async with aclosing(portions(job, self.records)) as read:
                async for portion in read:
                    progress.records = max(progress.records, portion.records)
                    progress.refused.merge(portion.refused)
                    batch = await self._judged(portion.entries, cars, progress, last=not portion.entries)
                    if saving is not None:
                        await saving
                    saving = asyncio.create_task(self._save(batch))
            if saving is not None:
                await saving
        finally:
            if saving is not None and not saving.done():
                saving.cancel()
                await asyncio.gather(saving, return_exceptions=True)
        return progress

    async def _save(self, batch: Batch) -> None:
        assert batch.progress is not None
        bad = await self.writer.save(batch, dict(self.fleet.judge.versions))
        if bad:
            raise BadRows(bad)
        if time.monotonic() - self._beaten > BEAT_S:
            self._beaten = time.monotonic()
            await self.writer.write(partial(leases.beat, buckets=sorted(self.writer.buckets), now=machine_now()))
        self.tick(batch.progress.records)

    async def _judged(self, portion: list[Entry], cars: dict[str, Car], progress: Progress, *, last: bool) -> Batch:
        """One batch: the same decision as for what cars say themselves."""
        batch, now = Batch([], self.clock()), time.monotonic()
        due: Due = {}
        received_at = batch.received_at
        self.judge.begin(batch)
        await self._warm(batch, {cars[entry[2]] for entry in portion})
        newest = self.newest
        rows: list[tuple[Car, int, Reading, int]] = []
        old: set[tuple[int, int, int]] = set()
        for _, line, name, ts, (shape, values, packed), _ in portion:
            car = cars[name]
            row = Reading(
                car.id,
                NO_BOOT,
                seq=key_of(ts, packed),
                ts=ts,
                received_at=received_at,
                ids=shape.ids,
                values=values,
                day=int(ts // 86_400),
                car_ts=None,
                mark=_MARK,
            )
            row.packed = packed
            if ts > newest[car]:
                newest[car] = ts
            else:
                old.add((car.id, row.seq, row.day))
                if ts < newest[car]:
                    row.mark = _LATE
            rows.append((car, line, row, shape.odometer))
        if old:
            self.decoder.keys.stored(await self.writer.read(lambda connection: readings.known_keys(connection, old)))
        known, of_batch = self.judge.duplicates, readings.of_batch(received_at, _MARK)
        for n, (car, line, row, odometer) in enumerate(rows):
            if not self._plain(batch, car, row=row, odometer=odometer, of_batch=of_batch, due=due):
                self.rejections.line, first = line, car.place == 0
                self.judge.admit(batch, car, Decoded(row, None, odometer=odometer), b"", "", now, due)
                if first:
                    due[car] = row
            if n % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        stored = sum(map(len, batch.rows.values()))
        progress.stored, progress.known = progress.stored + stored, progress.known + self.judge.duplicates - known
        progress.late += sum(1 for _, _, row, _ in rows if row.mark is _LATE and row.place is not None)
        batch.moved = [replace(moved, quiet=True) for moved in batch.moved]
        for car in newest if last else due:
            if car.since or car in due:
                batch.checkpoints.append(
                    self.fleet.checkpoint(car, newest[car], int(newest[car] // 86_400), received_at)
                )
        batch.progress = deepcopy(progress)
        return batch

    def _plain(self, batch: Batch, car: Car, row: Reading, odometer: int, of_batch: bytes, due: Due) -> bool:
        """The fast path, as `gateway.intake.fast_path` has it: nearly all rows are simply the next of their car.

        False: left to the longer road.
        """
        ts = row.ts
        if row.mark is not _MARK or not car.place or row.day < car.low_day or ts < car.odometer_ts or self.judge.poison:
            return False
        if odometer >= 0:
            metres, before = row.values[odometer], car.odometer
            if before is None or not 0.0 <= metres - before <= (ts - car.odometer_ts) * MAX_MPS + ODOMETER_SLACK_M:
                return False
            car.odometer, car.odometer_ts = metres, ts
        if self.decoder.keys.said_before((car.id, row.seq)):
            self.judge.duplicates += 1
            return True
        if ts > car.heard_ts:
            car.heard_ts = ts
        car.place = row.place = car.place + 1
        if steps := self.judge.step(car.memory, row):
            batch.moved += [Moved(car.dealer_id, car.id, row.received_at, step) for step in steps]
        car.since += 1
        if car.since >= CHECKPOINT_ROWS or car in due:
            due[car] = row
        batch.store(row.day, readings.pack_plain(car.row_head, row, of_batch))
        return True

    async def _warm(self, batch: Batch, cars: set[Car]) -> None:
        """Load the cars that are cold, and learn how far each has been judged."""
        cold = [car for car in cars if car not in self.newest]
        if not cold:
            return
        await self.decoder.warm_up(batch, cold)
        kept = await self.writer.read(lambda connection: checkpoints.load(connection, [car.id for car in cold]))
        upto = {one.vehicle_id: one.ts.timestamp() for one in kept}
        for car in cold:
            self.newest[car] = max(car.heard_ts, upto.get(car.id, 0.0))

    async def _show(self, ids: list[int]) -> None:
        """The newest values of each car, for the desk's lists."""
        for n in range(0, len(ids), PORTION):
            values: dict[int, dict[str, Any]] = {}
            newest: dict[int, float] = {}
            for row in sorted(
                await self.writer.read(partial(readings_imports.newest, vehicles=ids[n : n + PORTION])),
                key=lambda row: row.ts,
            ):
                values.setdefault(row.vehicle_id, {}).update(
                    {BY_ID[i].path: [round(v, 4), row.ts] for i, v in zip(row.ids, row.values, strict=True)}
                )
                newest[row.vehicle_id] = row.ts
            shown = [(i, self.fleet.by_id[i].dealer_id, from_epoch(newest[i]), values[i]) for i in sorted(values)]
            await self.writer.write(partial(latest.keep, rows=shown))


def _report(table: Table, one: ReadingsImport, before: Progress, cars: int, standing: int) -> dict[str, Any]:
    done = one.progress
    return {
        "import": done.id,
        "file": table.path.name,
        "cars": cars,
        "records": done.records,
        "went_on_at": before.records,
        "rows_stored": done.stored,
        "rows_known": done.known,
        "rows_late": done.late,
        "refused": done.refused.reasons,
        "alerts_active": standing,
    }
