"""Something that happens now and then: so often within a window is a fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rules.engine.detector import Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell, Ring
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import Level, level, number, signal_of, symbol
from schemas.alert import Limit
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure


@dataclass(frozen=True, slots=True)
class CountInWindow(Detector):
    """Something that happens now and then: bad at least `times` within `within_s`, clear after `within_s` of good
    readings.
    """

    path: str
    bad_below: Level | None = None
    bad_above: Level | None = None
    times: int = 3
    advice_times: int | None = None  #: so often is worth an advice already
    within_s: int = 86_400
    apart_s: int = 60  #: readings closer together than this are one event
    severity: Severity = Severity.SOON
    urgent_below: Level | None = None  #: readings below this (or above, see `bad_above`) count as urgent
    urgent_times: int = 2  #: so many of those within the window mean now

    def fit(self, profile: Profile) -> Fitted | None:
        return _CountInWindow(self, profile) if self.path in profile.fitted else None


class _CountInWindow(Fitted):
    ring = Ring("If", 12)

    def __init__(self, detector: CountInWindow, profile: Profile) -> None:
        self.detector, self.signal = detector, signal_of(detector.path)
        self.low = float("-inf") if detector.bad_below is None else level(detector.bad_below, profile)
        self.high = float("inf") if detector.bad_above is None else level(detector.bad_above, profile)
        self.urgent = float("-inf") if detector.urgent_below is None else level(detector.urgent_below, profile)
        self.triggers, self.size = (self.signal.id,), self.ring.size

    def quiet(self, names: Mapping[int, str], at: int) -> str:
        name = names[self.signal.id]
        tests = [f"{name} >= {self.low!r}"] * (self.low > float("-inf")) + [f"{name} <= {self.high!r}"] * (
            self.high < float("inf")
        )
        return " and ".join(tests)

    def _bad(self, value: float) -> bool:
        return value < self.low or value > self.high

    def remember(self, seen: Snapshot, cell: Cell) -> None:
        value = seen.now(self.signal.id)
        if value is not None and self._bad(value):
            known = self.ring.records(cell)
            if all(abs(seen.ts - when) >= self.detector.apart_s for when, _ in known):
                self.ring.push(cell, int(seen.ts), value)

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        value = seen.now(self.signal.id)
        if value is None:
            return [("", Unsure(f"no reading of {self.signal.title}", missing=True))]
        self.remember(seen, cell)
        recent = [(when, v) for when, v in self.ring.records(cell) if seen.ts - when < self.detector.within_s]
        if len(recent) >= self.detector.times and (self._bad(value) or seen.open):
            urgent = sum(v < self.urgent for _, v in recent) >= self.detector.urgent_times
            hours = self.detector.within_s / 3600
            because = (
                f"{self.signal.title} {number(recent[0][1])} {symbol(self.signal.unit)}; out of bounds {len(recent)} "
                f"times within {hours:g} h"
            )
            if self.signal.unit == "bool":
                because = f"{self.signal.title} {len(recent)} times within {hours:g} h"
            return [("", Holds(Severity.NOW if urgent else self.detector.severity, because))]
        if (
            self.detector.advice_times is not None
            and len(recent) >= self.detector.advice_times
            and (self._bad(value) or seen.open)
        ):
            return [
                (
                    "",
                    Holds(
                        Severity.ADVICE,
                        f"{self.signal.title}, {'once' if len(recent) == 1 else f'{len(recent)} times'} within "
                        f"{self.detector.within_s / 3600:g} h",
                    ),
                )
            ]
        if recent or self._bad(value):
            return [("", Unsure(f"{len(recent)} of {self.detector.times} times so far"))]
        return [("", Clear(f"{self.signal.title} within bounds since {self.detector.within_s / 3600:g} h"))]

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        lines = line(
            self.signal.title, self.signal.unit, [(when, value) for when, value in reversed(self.ring.records(cell))]
        )
        bounds = [Limit(label="limit", value=v) for v in (self.low, self.high) if abs(v) != float("inf")]
        return (lines,), tuple(bounds)
