"""What is refused: kept one by one with its reason, counted when a source floods us, tallied for the desk."""

from __future__ import annotations

import time
from typing import Final

from gateway import metrics
from gateway.batch import Batch
from gateway.car import Car, Poison
from schemas.reading import Refusal, Refused

_STRANGERS: Final = 1000
_FLUSH_S: Final = 5.0
_SAID_AGAIN_S: Final = 3_600.0  #: the same unknown signals of the same car are kept once in this time


class Refusals:
    """One source's flood of poison slows nobody: beyond a few a window it is counted and not kept."""

    def __init__(self) -> None:
        self._strangers: dict[str, Poison] = {}  #: sources that are no car of ours
        self._flooding: set[tuple[str, Poison, int | None, int | None]] = set()
        self._counted: dict[tuple[int | None, str, str], tuple[int, str]] = {}
        self._totals: dict[tuple[int | None, str, str], int] = {}
        self._said: dict[tuple[int, str], float] = {}

    def refuse(self, batch: Batch, car: Car | None, refused: Refused) -> None:
        """Into quarantine, unless this source floods us: then it is counted."""
        now = time.monotonic()
        metrics.REFUSED.labels(refused.reason.value).inc()
        dealer = car.dealer_id if car else None
        if car is not None:
            poison = car.poison = car.poison or Poison()
            if refused.reason is Refusal.UNKNOWN_SIGNAL and self._said_before(car, refused, now):
                self.tally(dealer, refused.reason.value, car.vin, 1, refused.detail)
                return
        else:
            if len(self._strangers) > _STRANGERS:
                self._strangers.clear()
            poison = self._strangers.setdefault(refused.vin or "", Poison())
        if refused.reason is Refusal.FOREIGN_VIN and car is not None:
            batch.count(dealer, "foreign_vin", car.vin, 1, refused.detail)
        if poison.keep(now, refused):
            batch.refused.append((dealer, refused, 1))
        else:
            self._flooding.add((refused.vin or "", poison, dealer, car.id if car else None))

    def _said_before(self, car: Car, refused: Refused, now: float) -> bool:
        key = (car.id, refused.detail)
        if now - self._said.get(key, -_SAID_AGAIN_S) < _SAID_AGAIN_S:
            return True
        if len(self._said) > 10 * _STRANGERS:
            self._said.clear()
        self._said[key] = now
        return False

    def tally(self, dealer: int | None, name: str, subject: str, times: int, detail: str, *, total: bool = False) -> None:
        """Count something with the next tick; `total` says that `times` is the count so far, not what came on top."""
        key = (dealer, name, subject)
        if total:
            times, self._totals[key] = times - self._totals.get(key, 0), times
        if times > 0:
            self._counted[key] = (times + self._counted.get(key, (0, ""))[0], detail)

    def tick(self, batch: Batch, now: float) -> None:
        """Floods and tallies into this batch."""
        for entry in list(self._flooding):
            name, poison, dealer, vehicle = entry
            if now - poison.since > _FLUSH_S and poison.uncounted:
                last, times = poison.last, poison.uncounted
                poison.uncounted = 0
                self._flooding.discard(entry)
                detail = f"{times} more refused messages of this source, counted and not kept; the last: {last.reason}: {last.detail}"
                flood = Refused(last.vin, vehicle, last.topic, last.payload[:1000], Refusal.FLOOD, detail[:1000], batch.now)
                batch.refused.append((dealer, flood, times))
                batch.count(dealer, "flood", name, times, str(last.reason))
        for (dealer, what, subject), (times, detail) in self._counted.items():
            batch.count(dealer, what, subject, times, detail)
        self._counted.clear()
