"""A value against the car's own past: the starter's voltage drop, made comparable over temperature."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from rules.detectors.trend import DAY_S
from rules.engine.detector import STILL, Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell, Ring
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import BATTERY, OUTSIDE, middle, number, signal_of
from schemas.alert import Limit
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

FULL_V = 12.65  #: a full battery at rest
COLD = 0.010  #: internal resistance grows 1 % per Kelvin below 25 Celsius


@dataclass(frozen=True, slots=True)
class Cranking(Detector):
    """Median of the last starts at 25 Celsius below a level, or below what this car used to show.

    One start proves nothing.
    """

    soon: float = 9.75
    now: float = 8.7
    clear: float = 10.05
    fallen: float = 0.75  #: below the car's own best
    starts: int = 3

    def fit(self, profile: Profile) -> Fitted | None:
        return _Cranking(self, profile) if f"{BATTERY}.CrankingVoltageMin" in profile.fitted else None


class _Cranking(Fitted):
    best = Struct("<f")
    ring = Ring("Iff", 8, offset=4)  # second, voltage as read, voltage at 25 Celsius
    mornings = Ring("Hff", 24, offset=4 + ring.size)  # day, its first start: as read, at 25 Celsius

    def __init__(self, detector: Cranking, profile: Profile) -> None:
        self.detector, self.scale = detector, profile.limits.get("battery_nominal_v", 12.0) / 12.0
        self.signal, self.outside = signal_of(f"{BATTERY}.CrankingVoltageMin"), signal_of(OUTSIDE).id
        self.triggers, self.size, self.carries = (
            (self.signal.id,),
            4 + self.ring.size + self.mornings.size,
            (self.outside,),
        )

    def remember(self, seen: Snapshot, cell: Cell) -> None:
        value = seen.now(self.signal.id)
        if value is None or value < 2.0 * self.scale:  # nothing cranks at two volts: a lost sample
            return
        outside = seen.get(self.outside, DAY_S / 4)
        warm = self.at_25(value / self.scale, 10.0 if outside is None else outside) * self.scale
        self.ring.push(cell, int(seen.ts), value, warm)
        day, newest = int(seen.ts) // DAY_S, self.mornings.newest(cell)
        if newest is None or day > newest[0]:
            self.mornings.push(cell, day, value, warm)
        if self.ring.count(cell) == self.ring.room:
            usual, best = middle(self.ring.column(cell, 2)), cell.read(self.best)[0]
            if usual > best:
                cell.write(self.best, usual)

    @staticmethod
    def at_25(volts: float, celsius: float) -> float:
        """What this start would have shown at 25 Celsius."""
        return FULL_V - (FULL_V - volts) / (1 + COLD * max(0.0, 25.0 - celsius))

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        self.remember(seen, cell)
        newest = self.ring.column(cell, 2)[: self.detector.starts]
        if len(newest) < self.detector.starts:
            return [("", Unsure(f"{len(newest)} of {self.detector.starts} starts seen"))]
        typical, best, scale = middle(newest), cell.read(self.best)[0], self.scale
        if typical > self.detector.clear * scale and (not best or typical > best - 0.6 * self.detector.fallen * scale):
            return (
                [("", Clear(f"{number(typical)} V at 25 °C in the last {self.detector.starts} starts"))]
                if seen.open
                else STILL
            )
        return [("", self._verdict(typical, best, cell))]

    def _verdict(self, typical: float, best: float, cell: Cell) -> Verdict:
        scale = self.scale
        longer = middle(self.ring.column(cell, 2))
        words = f"{number(typical)} V at 25 °C in the last {self.detector.starts} starts"
        for severity, limit in ((Severity.NOW, self.detector.now * scale), (Severity.SOON, self.detector.soon * scale)):
            if typical < limit:
                return Holds(severity, f"starter pulls the battery down to {words}, limit {number(limit)} V")
        if best and longer < best - self.detector.fallen * scale and typical < best - self.detector.fallen * scale:
            return Holds(
                Severity.SOON, f"starter pulls the battery down to {words}; this car used to show {number(best)} V"
            )
        return Unsure(f"{words} is between the levels")

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        mornings = [(r[0] * DAY_S + DAY_S // 4, r[1], r[2]) for r in reversed(self.mornings.records(cell))]
        points = mornings if len(mornings) >= 4 else list(reversed(self.ring.records(cell)))
        what = "the first start of each day" if points is mornings else "each start"
        warm = line(
            f"lowest voltage at {what}, as at 25 °C", "V", [(r[0], round(r[2], 2)) for r in points]
        )  # what is judged comes first
        read = line("as read", "V", [(r[0], round(r[1], 2)) for r in points])
        return (warm, read), (
            Limit(label="soon", value=self.detector.soon * self.scale),
            Limit(label="now", value=self.detector.now * self.scale),
        )
