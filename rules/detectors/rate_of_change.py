"""A value that moves faster than it can in health."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from rules.engine.detector import Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell, Ring
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import Level, level, number, signal_of
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure


@dataclass(frozen=True, slots=True)
class RateOfChange(Detector):
    """A value that moves faster than it can in health: `per_hour` between two readings at least `over_s` apart."""

    path: str
    per_hour: Level  #: negative: falling faster than this
    over_s: int = 1800
    span_s: int = 86_400  #: older readings are forgotten
    severity: Severity = Severity.SOON

    def fit(self, profile: Profile) -> Fitted | None:
        return _RateOfChange(self, profile) if self.path in profile.fitted else None


class _RateOfChange(Fitted):
    stamp = Struct("<B")
    ring = Ring("If", 8, offset=1)

    def __init__(self, detector: RateOfChange, profile: Profile) -> None:
        self.detector, self.signal, self.limit = detector, signal_of(detector.path), level(detector.per_hour, profile)
        self.triggers, self.size, self.period_s = (self.signal.id,), 1 + self.ring.size, max(60, detector.over_s // 4)

    def remember(self, seen: Snapshot, cell: Cell) -> None:
        value = seen.now(self.signal.id)
        if value is not None:
            self.ring.push(cell, int(seen.ts), value)

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        value = seen.now(self.signal.id)
        if seen.fresh:
            self.remember(seen, cell)
        records = [(t, v) for t, v in self.ring.records(cell) if seen.ts - t <= self.detector.span_s]
        if value is None or len(records) < 2 or records[0][0] - records[-1][0] < self.detector.over_s:
            return [("", Unsure("too few readings for a rate", missing=True))]
        rate = (records[0][1] - records[-1][1]) / (records[0][0] - records[-1][0]) * 3600
        if rate * (1 if self.limit > 0 else -1) >= abs(self.limit):
            words = f"{self.signal.title} moves {number(rate)} {self.signal.unit} an hour, limit {number(self.limit)}"
            return [("", Holds(self.detector.severity, words))]
        if rate * (1 if self.limit > 0 else -1) >= abs(self.limit) * 0.6:
            return [("", Unsure(f"{number(rate)} {self.signal.unit} an hour is between the levels"))]
        return [("", Clear(f"{self.signal.title} moves {number(rate)} {self.signal.unit} an hour"))]

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        return (line(self.signal.title, self.signal.unit, [(t, v) for t, v in reversed(self.ring.records(cell))]),), ()
