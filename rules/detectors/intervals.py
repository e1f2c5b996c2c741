"""Something that should happen every so many kilometres happens too often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

from rules.engine.detector import STILL, Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell, Ring
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import Level, level, number, signal_of
from schemas.alert import Limit
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict


@dataclass(frozen=True, slots=True)
class Intervals(Detector):
    """A counter that falls back to 0 each time: `times` runs in a row shorter than `shortest`."""

    path: str
    shortest: Level
    times: int = 2

    def fit(self, profile: Profile) -> Fitted | None:
        return _Intervals(self, profile) if self.path in profile.fitted else None


class _Intervals(Fitted):
    layout = Struct("<f")  # the counter when last seen
    ring = Ring("If", 8, offset=4)

    def __init__(self, detector: Intervals, profile: Profile) -> None:
        self.detector, self.signal, self.limit = detector, signal_of(detector.path), level(detector.shortest, profile)
        self.triggers, self.size = (self.signal.id,), 4 + self.ring.size

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        value = seen.now(self.signal.id)
        if value is not None:
            last = cell.read(self.layout)[0]
            if value < 0.5 * last and last > 20:
                self.ring.push(cell, int(seen.ts), last)
            cell.write(self.layout, value)
        runs = self.ring.column(cell, 1)[: self.detector.times]
        if not seen.open and (len(runs) < self.detector.times or max(runs) >= self.limit):
            return STILL
        return [("", self._verdict(value, runs))]

    def _verdict(self, value: float | None, runs: Sequence[float]) -> Verdict:
        if len(runs) < self.detector.times:
            return Unsure(f"{len(runs)} of {self.detector.times} runs seen")
        words = (
            f"{self.signal.title}: the last {len(runs)} runs lasted {', '.join(number(round(r)) for r in runs)} "
            f"{self.signal.unit}"
        )
        if all(r < self.limit for r in runs) and (value is None or value < self.limit):
            severity = Severity.SOON
            return Holds(severity, f"{words}, limit {number(self.limit)} {self.signal.unit}")
        if runs[0] >= 1.15 * self.limit or (value is not None and value >= 1.15 * self.limit):
            return Clear(words)
        return Unsure(f"{words}, between the levels")

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        points = [(r[0], r[1]) for r in reversed(self.ring.records(cell))]
        return (line("length of each run", self.signal.unit, points),), (Limit(label="soon", value=self.limit),)
