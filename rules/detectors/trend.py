"""Trends: a robust line through points, its uncertainty, and the date at which it reaches a limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from rules.engine.detector import CALM, STILL, Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell, Ring
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import ODOMETER, WHEELS, Level, level, middle, number, signal_of
from schemas.alert import Limit
from schemas.moment import from_epoch
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

DAY_S = 86_400
APART_KM = 250  #: between the points of a wear trend: twelve of them span what a forecast needs


@dataclass(frozen=True, slots=True)
class Line:
    """y = at + slope · (x − x of the newest point); `sigma` is the standard error of the slope."""

    slope: float
    at: float
    sigma: float
    points: int

    def reaches(self, limit: float) -> tuple[float, float, float] | None:
        """How far from the newest point the limit is reached: likely, earliest, latest; None when it never is."""
        gap = limit - self.at
        if self.slope == 0 or gap / self.slope < 0:
            return None if self.slope == 0 or gap != 0 else (0.0, 0.0, 0.0)
        away = gap / self.slope
        fast, slow = abs(self.slope) + 2 * self.sigma, abs(self.slope) - 2 * self.sigma
        return away, abs(gap) / fast, abs(gap) / slow if slow > 0 else float("inf")


def fit(points: Sequence[tuple[float, float]]) -> Line | None:
    """Theil-Sen through (x, y), newest first; None below three points or without any spread in x."""
    if len(points) < 3:
        return None
    slopes = [(a[1] - b[1]) / (a[0] - b[0]) for n, a in enumerate(points) for b in points[n + 1 :] if a[0] != b[0]]
    if not slopes:
        return None
    slope = middle(slopes)
    newest = points[0][0]
    at = middle(y + slope * (newest - x) for x, y in points)
    residuals = [y - (at - slope * (newest - x)) for x, y in points]
    mean_x = sum(x for x, _ in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    noise = sqrt(sum(r * r for r in residuals) / max(1, len(points) - 2))
    return Line(slope, at, noise / sqrt(spread) if spread else float("inf"), len(points))


@dataclass(frozen=True, slots=True)
class WearTrend(Detector):
    """A value that grows with distance towards a limit: judged by level, and by the forecast of the date it is
    reached.
    """

    paths: Mapping[str, str]  #: component -> path
    limit: Level
    unit: str
    now: Level | None = None
    soon: Level | None = None
    clear: Level = 0.0
    soon_days: float = 30.0  #: the limit is nearer than this, forecast with its whole interval

    def fit(self, profile: Profile) -> Fitted | None:
        fitted = {c: p for c, p in self.paths.items() if p in profile.fitted}
        return _WearTrend(self, fitted, profile) if fitted else None


class _WearTrend(Fitted):
    period_s: int | None = 12 * 3600

    def __init__(self, detector: WearTrend, paths: Mapping[str, str], profile: Profile) -> None:
        self.detector = detector
        self.signals = {component: signal_of(path) for component, path in paths.items()}
        self.limit, self.clear = level(detector.limit, profile), level(detector.clear, profile)
        self.levels = tuple(
            (s, level(v, profile))
            for s, v in ((Severity.NOW, detector.now), (Severity.SOON, detector.soon))
            if v is not None
        )
        self.order = tuple(self.signals)
        self.odometer = signal_of(ODOMETER).id
        self.triggers = tuple(s.id for s in self.signals.values())
        self.carries = (*self.triggers, self.odometer)
        self.ring = Ring(f"HI{len(self.order)}B", 12, offset=1)  # day, odometer in km, percent of each
        self.size = 1 + self.ring.size

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        values = [seen.get(i, DAY_S) for i in self.triggers]
        known = values if None not in values else [v for v in values if v is not None]
        if seen.fresh and len(known) == len(values):
            self._take_in(seen, cell, known)  # type: ignore[arg-type]  # none of them is None
        if known and not seen.open and self._calm(known):  # type: ignore[arg-type]
            return STILL
        return [(c, self._one(c, v, seen, cell)) for c, v in zip(self.order, values)]

    def _calm(self, known: list[float]) -> bool:
        """Whether nothing here can hold, whatever the history says."""
        return max(known) <= self.clear

    def _take_in(self, seen: Snapshot, cell: Cell, values: list[float]) -> None:
        far, newest = seen.get(self.odometer, DAY_S), self.ring.newest(cell)
        if far is None or (newest is not None and newest[1] + APART_KM > far / 1000 and values[0] > newest[2] - 5):
            return
        records = self.ring.records(cell)
        new = tuple(max(0, min(255, round(v))) for v in values)
        if records and any(n < old - 5 for n, old in zip(new, records[0][2:])):  # a replaced pad starts its own history
            records = []
        if not records or records[0][1] + APART_KM <= far / 1000:
            self.ring.keep(cell, [(int(seen.ts) // DAY_S, int(far / 1000), *new), *records])

    def _one(self, component: str, value: float | None, seen: Snapshot, cell: Cell) -> Verdict:
        title = self.signals[component].title
        if value is None:
            return Unsure(f"no reading of {title}", missing=True)
        for severity, limit in self.levels:
            if value >= limit:
                return Holds(
                    severity,
                    f"{title} {number(value)} {self.detector.unit}, limit {number(limit)} {self.detector.unit}",
                )
        if value <= self.clear:
            return Clear(f"{title} {number(value)} {self.detector.unit}")
        records = self.ring.records(cell)
        at = 2 + self.order.index(component)
        wear = fit([(r[1], r[at]) for r in records])
        per_day = self._km_per_day(records)
        if wear is not None and per_day and len(records) >= 5 and wear.slope > 0:
            reached = wear.reaches(self.limit)
            if reached is not None and reached[2] / per_day <= self.detector.soon_days:
                dates = [from_epoch(seen.ts + km / per_day * DAY_S).date() for km in reached]
                because = (
                    f"{title} {number(value)} {self.detector.unit}; at {per_day:.0f} km a day it reaches "
                    f"{number(self.limit)} {self.detector.unit} about {dates[0]} ({dates[1]} to {dates[2]})"
                )
                return Holds(Severity.SOON, because)
        return Unsure(f"{title} {number(value)} {self.detector.unit} is between the levels")

    @staticmethod
    def _km_per_day(records: list[tuple[float, ...]]) -> float | None:
        if len(records) < 2 or records[0][0] == records[-1][0]:
            return None
        return (records[0][1] - records[-1][1]) / (records[0][0] - records[-1][0]) or None

    def sample(self, component: str, seen: Snapshot) -> float | None:
        return seen.now(self.signals[component].id)

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        at = 2 + self.order.index(component)
        history = [
            (r[0] * DAY_S, r[at])
            for r in reversed(self.ring.records(cell))
            if not samples or r[0] * DAY_S < samples[0][0]
        ]
        limits = [Limit(label=s.value, value=v) for s, v in self.levels]
        return (line(self.signals[component].title, self.detector.unit, [*history, *samples]),), tuple(limits)


PARTNER = {
    "front_left": "front_right",
    "front_right": "front_left",
    "rear_left": "rear_right",
    "rear_right": "rear_left",
}


@dataclass(frozen=True, slots=True)
class UnevenWear(Detector):
    """One wheel wears much faster than its partner on the same axle."""

    leaf: str
    factor: float = 2.5
    grown: float = 4.0  #: percent points over the span that is remembered
    ahead: float = 25.0  #: or it is so far ahead of its partner

    def fit(self, profile: Profile) -> Fitted | None:
        paths = {w: f"{branch}.{self.leaf}" for w, branch in WHEELS.items()}
        return _UnevenWear(self, paths, profile) if all(p in profile.fitted for p in paths.values()) else None


class _UnevenWear(_WearTrend):
    def __init__(self, detector: UnevenWear, paths: Mapping[str, str], profile: Profile) -> None:
        super().__init__(WearTrend(paths, limit=100.0, unit="%"), paths, profile)
        self.sides = detector

    def _calm(self, known: list[float]) -> bool:
        # not even ahead by what it must grow
        return len(known) == 4 and max(abs(known[0] - known[1]), abs(known[2] - known[3])) < self.sides.grown

    def _one(self, component: str, value: float | None, seen: Snapshot, cell: Cell) -> Verdict:
        title, other = self.signals[component].title, seen.get(self.signals[PARTNER[component]].id, DAY_S)
        if value is None or other is None:
            return Unsure(f"no reading of {title} or its partner", missing=True)
        if value - other >= self.sides.ahead:
            return Holds(
                Severity.SOON, f"{title} {number(value)} %, the other side {number(other)} %: a calliper may stick"
            )
        records = self.ring.records(cell)
        if len(records) < 4:
            return Unsure("too few points of wear so far")
        at, partner = 2 + self.order.index(component), 2 + self.order.index(PARTNER[component])
        grown, other_grown = records[0][at] - records[-1][at], records[0][partner] - records[-1][partner]
        km = records[0][1] - records[-1][1]
        if component not in seen.open and grown < self.sides.grown:
            return CALM
        words = f"{title} grew {grown:.0f} % in {km:.0f} km, the other side {other_grown:.0f} %"
        if grown >= self.sides.grown and grown >= self.sides.factor * max(1.0, other_grown):
            return Holds(Severity.SOON, f"{words}: a calliper may stick")
        if grown < 0.7 * self.sides.grown or grown < 0.7 * self.sides.factor * max(1.0, other_grown):
            return Clear(words)
        return Unsure(f"{words}, between the levels")

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        """Both sides, and how far ahead of its partner one may be."""
        mine, _ = super().picture(component, samples, cell, seen)
        other = seen.get(self.signals[PARTNER[component]].id, DAY_S)
        if other is None:
            return mine, ()
        theirs, _ = super().picture(PARTNER[component], [[seen.ts, other]], cell, seen)
        return (*mine, *theirs), (Limit(label="soon", value=round(other + self.sides.ahead, 1)),)
