"""What is refused: kept one by one with its reason, counted when a source floods us, tallied for the desk."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Final

from gateway import metrics
from gateway.fleet.car import Car
from gateway.intake.batch import Batch
from gateway.token_bucket import Allowance
from schemas.reading import Refusal, Refused

#: How many refused messages are kept one by one, of each kind: so many at once, then one in so many seconds. A large
#: one counts for several.
OF_CAR: Final = (20, 60.0)
OF_BUCKET: Final = (500, 6.0)  #: of all cars of a bucket: a fleet with new firmware
OF_FLOODS: Final = (100, 60.0)  #: rows that tell of floods, of a bucket
OF_STRANGER: Final = (3, 3_600.0)  #: of one VIN that nobody knows
OF_STRANGERS: Final = (20, 60.0)  #: of all of them in a bucket: whoever makes up VINs makes up no rows
_PORTION: Final = 4_096  #: bytes
_SAMPLE: Final = 1_000  #: bytes that are kept of what nobody can let in
_FLUSH_S, _FLUSH_AT_LEAST_S = (
    5.0,
    3_600.0,
)  #: a flood is a row soon, and then ever more seldom; its count is at the desk within a second
_SAID: Final = 10_000
_SAID_AGAIN_S: Final = 3_600.0  #: the same unknown signals of the same car are kept once in this time


@dataclass(slots=True)
class Flood:
    """What one source sends beyond what is kept, of one kind."""

    due: float  #: machine time of the next row
    pause: float = _FLUSH_S
    times: int = 0
    last: Refused | None = None


Source = tuple[int | None, str, int | None, Refusal]  # dealer, subject, vehicle, kind


class Rejections:
    """One source's flood of poison slows nobody and fills no disk: beyond a few it is counted and not kept.

    What is refused is either a row or stands in a count; nothing is lost.
    """

    def __init__(self) -> None:
        self._of_car, self._of_bucket = Allowance(*OF_CAR), Allowance(*OF_BUCKET)
        self._of_stranger, self._of_strangers = Allowance(*OF_STRANGER), Allowance(*OF_STRANGERS)
        self._of_floods = Allowance(*OF_FLOODS)
        self._floods: dict[Source, Flood] = {}
        self._counted: dict[tuple[int | None, str, str], tuple[int, str]] = {}
        self._totals: dict[tuple[int | None, str, str], int] = {}
        self._said: dict[tuple[int, str], float] = {}

    def refuse(self, batch: Batch, car: Car | None, refused: Refused, now: float | None = None) -> None:
        """Into quarantine, unless too much of this kind comes from there: then it is counted. `now` is machine time."""
        now = time.monotonic() if now is None else now
        metrics.REFUSED.labels(refused.reason.value).inc()
        dealer = car.dealer_id if car else None
        if car is not None and refused.reason is Refusal.UNKNOWN_SIGNAL and self._said_before(car, refused, now):
            self.tally(dealer, refused.reason.value, car.vin, 1, refused.detail)
            return
        if refused.reason is Refusal.FOREIGN_VIN and car is not None:
            batch.count(dealer, "foreign_vin", car.vin, 1, refused.detail)
        if car is None:
            refused = replace(refused, payload=refused.payload[:_SAMPLE])
        if self._may_keep(car, refused, now):
            batch.refused.append((dealer, refused, 1))
            return
        subject = car.vin if car else f"unknown cars, bucket {_bucket(refused):02d}"
        flood = self._floods.setdefault(
            (dealer, subject, car.id if car else None, refused.reason), Flood(now + _FLUSH_S)
        )
        flood.times, flood.last = flood.times + 1, refused
        self.tally(dealer, "flood", subject, 1, refused.reason.value)

    def _may_keep(self, car: Car | None, refused: Refused, now: float) -> bool:
        much, kind = 1 + len(refused.payload) // _PORTION, refused.reason
        asked: tuple[tuple[Allowance, Hashable], ...]
        if car is not None:
            asked = ((self._of_car, (car.id, kind)), (self._of_bucket, (car.bucket, kind)))
        else:
            asked = ((self._of_stranger, (refused.vin or "", kind)), (self._of_strangers, (_bucket(refused), kind)))
        if not all(allowance.left(key, now, much) for allowance, key in asked):
            return False
        return all(allowance.take(key, now, much) for allowance, key in asked)

    def _said_before(self, car: Car, refused: Refused, now: float) -> bool:
        key = (car.id, refused.detail)
        if now - self._said.get(key, -_SAID_AGAIN_S) < _SAID_AGAIN_S:
            return True
        if len(self._said) > _SAID:
            self._said.clear()
        self._said[key] = now
        return False

    def tally(
        self, dealer: int | None, name: str, subject: str, times: int, detail: str, *, total: bool = False
    ) -> None:
        """Count something with the next tick; `total` says that `times` is the count so far, not what came on top."""
        key = (dealer, name, subject)
        if total:
            times, self._totals[key] = times - self._totals.get(key, 0), times
        if times > 0:
            self._counted[key] = (times + self._counted.get(key, (0, ""))[0], detail)

    def tick(self, batch: Batch, now: float) -> None:
        """Floods and tallies into this batch."""
        for source, flood in list(self._floods.items()):
            dealer, _, vehicle, reason = source
            if now < flood.due:
                continue
            if flood.last is None:
                del self._floods[source]  # it has been quiet for a whole pause
                continue
            if not self._of_floods.take(_bucket(flood.last), now):
                flood.due = now + flood.pause  # its count is at the desk all the same
                continue
            last, times = flood.last, flood.times
            flood.pause = min(2 * flood.pause, _FLUSH_AT_LEAST_S)
            flood.due, flood.times, flood.last = now + flood.pause, 0, None
            detail = (
                f"{times} more refused messages of this source, counted and not kept; the last: {reason}: {last.detail}"
            )
            row = Refused(
                last.vin, vehicle, last.topic, last.payload[:_SAMPLE], Refusal.FLOOD, detail[:1000], batch.now
            )
            batch.refused.append((dealer, row, times))
        for (dealer_counted, what, subject), (times, detail) in self._counted.items():
            batch.count(dealer_counted, what, subject, times, detail)
        self._counted.clear()


def _bucket(refused: Refused) -> int:
    """Whose session brought it."""
    level = refused.topic.split("/", 2)[1:2]
    return int(level[0]) if level and level[0].isascii() and level[0].isdigit() and len(level[0]) == 2 else 0
