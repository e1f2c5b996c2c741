"""The fast path: the next message of a car of which nothing is missing, from bytes to a packed row in one piece.

Nearly all messages are that. Whatever is odd about one, however little, is left to `gateway.intake.judge`'s longer
road, which says the same of a message in order (a test holds them together); so nothing here may refuse, wait or
repair.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Final

from gateway.fleet.car import Car
from gateway.fleet.fleet import CHECKPOINT_ROWS, Fleet
from gateway.intake import normalise
from gateway.intake.batch import Batch
from gateway.intake.latest_values import LatestValues
from gateway.mqtt.chunk import Chunk
from rules.engine.plausibility import MAX_MPS, ODOMETER_SLACK_M
from schemas.alert import AlertStep
from schemas.reading import Reading
from store import readings
from store.alerts import Moved

SLICE: Final = 50  #: messages between two looks at the sockets and at the database's answers
Quick = tuple[
    Reading, int | None, int
]  # a row in which nothing is odd, the oldest number in the spool, where the odometer stands
Left = tuple[int, Quick | None]  # position in the chunk, and what was read of it already
Fault = Callable[[Reading, Exception], tuple[AlertStep, ...]]


def walk(
    batch: Batch,
    fleet: Fleet,
    latest_values: LatestValues,
    fault: Fault,
    due: dict[Car, Reading | None],
    leaves: Container[int],
    chunk: Chunk,
    positions: range,
) -> list[Left]:
    """Judge and pack what is in order; `fault` is told what the judge raised, `leaves` are the days that may be written
    to. Returns what is out of order, in its order.

    Nothing overtakes in a car's own order: what comes after a number that is left here is out of order, for that number
    is missing.
    """
    received_at, window, of_batch = batch.received_at, batch.window, batch.of_batch
    routes, quick, step, pack, acks = (
        fleet.routes.get,
        normalise.quick,
        fleet.judge.step,
        readings.pack_plain,
        batch.acks,
    )
    names, payloads, retained = chunk.topics, chunk.payloads, set(chunk.retained)
    left: list[Left] = []
    today, rows = -1, list[bytes]()
    for n in positions:
        route = routes(names[n])
        if route is None or (car := route.speaks) is None or n in retained:
            left.append((n, None))
            continue
        try:
            read = quick(payloads[n], car.id, received_at, window)
        except Exception:  # a fault of ours; the longer road says so
            read = None
        if read is None:
            left.append((n, None))
            continue
        row, _, odometer = read
        sequence, boot, seq, ts = car.sequence, row.boot, row.seq, row.ts
        if (
            seq != sequence.expected
            or boot + sequence.base != sequence.boot
            or row.day < car.low_day
            or row.day not in leaves
            or ts < car.odometer_ts
        ):
            left.append((n, read))
            continue
        if odometer >= 0:
            metres, before = row.values[odometer], car.odometer
            if before is None or not 0.0 <= metres - before <= (ts - car.odometer_ts) * MAX_MPS + ODOMETER_SLACK_M:
                left.append((n, read))
                continue
            car.odometer, car.odometer_ts = metres, ts
        sequence.expected = seq + 1
        row.boot = boot = sequence.boot
        acks[car] = (boot, seq)
        if ts > car.heard_ts:
            car.heard_ts = ts
        car.place = row.place = car.place + 1
        try:
            steps = step(car.memory, row)
        except Exception as error:
            steps = fault(row, error)
        if steps:
            batch.moved += [Moved(car.dealer_id, car.id, received_at, one) for one in steps]
        since = car.since = car.since + 1
        if since >= CHECKPOINT_ROWS or car in due:
            due[car] = row
        packed = pack(car.row_head, row, of_batch)
        if row.day != today:
            today = row.day
            rows = batch.rows.setdefault(today, [])
        rows.append(packed)
        if car.latest is None or car.latest_ids is not row.ids:
            latest_values.turn_to(car, row.ids)
        car.latest = packed
    return left
