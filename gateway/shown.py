"""What is shown of a car beside its readings: newest values, hints, when it was heard. Coalesced; nothing depends on it."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from gateway import normalise
from gateway.batch import Batch
from gateway.car import Car
from schemas.moment import from_epoch
from schemas.reading import Reading
from schemas.signal import BY_ID

BUDGET: Final = 500  #: cars whose newest values are written in one second
A_BATCH: Final = 25  #: of these in one transaction: an alert in the same batch must not wait for them
_PATHS: Final = {i: s.path for i, s in BY_ID.items()}


class Shown:
    """The newest row of each set of signals of each car since it was last written."""

    def __init__(self) -> None:
        self.newest: dict[Car, dict[int, Reading]] = {}  #: by the identity of `ids`: rows of one set of signals share them
        self._turn: list[Car] = []  #: whose turn it is in this second

    def tick(self) -> None:
        """A second is over: whose newest values are written next; the longest waiting first."""
        if not self._turn:
            self._turn = list(islice(self.newest, BUDGET))
            self._turn.reverse()

    def some(self, batch: Batch) -> None:
        """A few of them into this batch."""
        for _ in range(min(A_BATCH, len(self._turn))):
            car = self._turn.pop()
            newest = self.newest.pop(car, None)
            if newest is None:  # another gateway carries it now
                continue
            rows = sorted(newest.values(), key=lambda row: row.ts)
            values: dict[str, Any] = {}
            for row in rows:
                for i, value in zip(row.ids, row.values, strict=True):
                    values[_PATHS[i]] = [round(value, 4), row.ts]
            batch.latest.append((car.id, car.dealer_id, from_epoch(rows[-1].ts), values))
            batch.heard[car.id] = (car.id, from_epoch(max(row.received_at for row in rows)), True)

    def hint(self, batch: Batch, car: Car, payload: bytes) -> None:
        """A word on `status`: shown, never judged. A car that is back learns how far we have it."""
        said = normalise.status(payload)
        if said is None:
            return
        online = said.state == "online"
        batch.heard[car.id] = (car.id, batch.now, online)
        if not online:
            return
        values = {k: float(v) for k, v in said.signals.items() if v is not None and "\0" not in k}
        batch.hints.append((car.id, car.dealer_id, batch.now, {"at": batch.now.timestamp(), "values": values}))
        if car.loaded and car.frontier.boot >= 0:
            batch.old_acks.append((car, car.frontier.boot, car.frontier.upto(car.frontier.boot)))
