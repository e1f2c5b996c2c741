"""A person has accepted that a car says another unit, or has taken that back: from a marker row on it is read so.

The row stands among the car's messages, with a place of its own, so that whoever folds them again reads each as it was
read then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.fleet.car import Car
from gateway.fleet.fleet import Fleet
from gateway.intake.batch import Batch
from gateway.intake.message_keys import Key
from gateway.intake.normalise import NO_BOOT
from schemas.correction import marked
from schemas.reading import Mark, Reading
from store import corrections, readings
from store.alerts import Moved

Corrected = tuple[Car, corrections.Waiting]
_FIRST: Final = -(2**62)  #: below the numbers of rows that take something back


def carry_out(
    batch: Batch, fleet: Fleet, one: Corrected, day: Callable[[int], int], said_before: Callable[[Key], bool]
) -> Reading | None:
    """The marker row, judged and ready to be written; None when it stands in the batch before this one."""
    car, waiting = one
    number = _FIRST - 2 * waiting.id - (waiting.unit is None)
    if not car.loaded or said_before((car.id, number)):
        return None
    ids, values = marked(waiting.signals, waiting.unit)
    ts = batch.received_at
    row = Reading(
        car.id, NO_BOOT, seq=number, ts=ts, received_at=ts, ids=ids, values=values, day=day(int(ts // 86_400))
    )
    row.mark = Mark.NO_COUNTER | Mark.REREAD
    car.place += 1
    row.place = car.place
    batch.moved += [Moved(car.dealer_id, car.id, ts, step) for step in fleet.judge.step(car.memory, row)]
    batch.store(row.day, readings.pack(car.dealer_id, row))
    batch.corrected.append(corrections.Done(waiting, car.dealer_id))
    car.read_as = fleet.judge.read_as(car.memory)
    return row
