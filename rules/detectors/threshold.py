"""A value beyond a level, with a clear level of its own; between the two the rule is unsure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rules.engine.detector import Detector, Fitted, Judged, Only, Picture, line
from rules.engine.memory import Cell
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import WHEELS, Level, level, number, signal_of, symbol
from schemas.alert import Limit
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict


@dataclass(frozen=True, slots=True)
class Part:
    """One component of a threshold: a signal (or the difference of two) and its levels."""

    component: str
    path: str
    minus: str | None = None
    scale: float = 1.0
    now: Level | None = None
    soon: Level | None = None
    advice: Level | None = None
    clear: Level = 0.0


@dataclass(frozen=True, slots=True)
class Threshold(Detector):
    """A value beyond a level, with a clear level of its own; between the two the rule is unsure."""

    parts: tuple[Part, ...]
    way: Literal[1, -1]  #: 1 rises to the level, -1 falls to it
    unit: str
    only: tuple[Only, ...] = ()

    def fit(self, profile: Profile) -> Fitted | None:
        fitted = set(profile.fitted)
        parts = [p for p in self.parts if p.path in fitted and (p.minus is None or p.minus in fitted)]
        return _Threshold(self, parts, profile) if parts else None


@dataclass(frozen=True, slots=True)
class _FitPart:
    component: str
    id: int
    minus: int | None
    scale: float
    levels: tuple[tuple[Severity, float, str], ...]  #: how severe, from where on, and the end of its sentence
    clear: float
    title: str
    cleared: str


class _Threshold(Fitted):
    quiet_is_clear = True

    def __init__(self, detector: Threshold, parts: list[Part], profile: Profile) -> None:
        self.way, self.unit = detector.way, detector.unit
        self.only = tuple(condition.fit(profile) for condition in detector.only)
        self.parts = {p.component: _fit(p, profile, detector.unit) for p in parts}
        self.triggers = tuple(i for p in self.parts.values() for i in (p.id, p.minus) if i is not None)
        self.carries = tuple(
            dict.fromkeys((*(c[0] for c in self.only), *(self.triggers if any(p.minus for p in parts) else ())))
        )

    def quiet(self, names: Mapping[int, str], at: int) -> str:
        tests = []
        for part in self.parts.values():
            if part.id not in names and (part.minus is None or part.minus not in names):
                continue
            if part.id not in names or (part.minus is not None and part.minus not in names):
                return ""
            value = (
                names[part.id] if part.minus is None else f"({names[part.id]} - {names[part.minus]}) * {part.scale!r}"
            )
            tests.append(f"{value} {'<=' if self.way > 0 else '>='} {part.clear!r}")
        return " and ".join(tests)

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        return [(component, self._one(part, seen)) for component, part in self.parts.items()]

    def _one(self, part: _FitPart, seen: Snapshot) -> Verdict:
        value = self._value(part, seen)
        if value is None:
            return Unsure(f"no reading of {part.title}", missing=True)
        way = self.way
        if value * way <= part.clear * way:
            return Clear(f"{number(value)} {part.cleared}")
        for signal_id, low, high, words in self.only:
            other = seen.get(signal_id)
            if other is None or not low <= other <= high:
                return Unsure(words)
        for severity, limit, words in part.levels:
            if value * way >= limit * way:
                return Holds(severity, f"{part.title} {number(value)} {words}")
        return Unsure(f"{number(value)} {self.unit} is between the levels")

    def _value(self, part: _FitPart, seen: Snapshot) -> float | None:
        if part.minus is None:
            return seen.now(part.id)
        one, other = seen.get(part.id, 5.0), seen.get(part.minus, 5.0)  # a difference of two instants is none
        return None if one is None or other is None else (one - other) * part.scale

    def sample(self, component: str, seen: Snapshot) -> float | None:
        part = self.parts.get(component)
        return None if part is None else self._value(part, seen)

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        part = self.parts[component]
        limits = [Limit(label=severity.value, value=value) for severity, value, _ in part.levels]
        return (line(part.title, self.unit, samples),), (*limits, Limit(label="clear", value=part.clear))


def _fit(part: Part, profile: Profile, unit: str) -> _FitPart:
    named = ((Severity.NOW, part.now), (Severity.SOON, part.soon), (Severity.ADVICE, part.advice))
    given = [(severity, level(value, profile)) for severity, value in named if value is not None]
    found = tuple((severity, value, f"{unit}, limit {number(value)} {unit}") for severity, value in given)
    signal = signal_of(part.path)
    minus = None if part.minus is None else signal_of(part.minus).id
    clear = level(part.clear, profile)
    return _FitPart(
        part.component,
        signal.id,
        minus,
        part.scale,
        found,
        clear,
        signal.title,
        f"{unit}, clear level {number(clear)} {unit}",
    )


def rises_to(
    path: str,
    *,
    clear: Level,
    now: Level | None = None,
    soon: Level | None = None,
    advice: Level | None = None,
    unit: str = "",
    only: tuple[Only, ...] = (),
) -> Threshold:
    """The value must not rise to the level."""
    return Threshold(
        (Part("", path, now=now, soon=soon, advice=advice, clear=clear),), 1, unit or symbol(signal_of(path).unit), only
    )


def falls_to(
    path: str,
    *,
    clear: Level,
    now: Level | None = None,
    soon: Level | None = None,
    advice: Level | None = None,
    unit: str = "",
    only: tuple[Only, ...] = (),
) -> Threshold:
    """The value must not fall to the level."""
    return Threshold(
        (Part("", path, now=now, soon=soon, advice=advice, clear=clear),),
        -1,
        unit or symbol(signal_of(path).unit),
        only,
    )


def flag(path: str, severity: Severity, *, only: tuple[Only, ...] = ()) -> Threshold:
    """A yes or no of the car itself: 1 is bad, 0 is good."""
    part = Part("", path, **{severity.value: 1.0}, clear=0.0)  # type: ignore[arg-type]
    return Threshold((part,), 1, "", only)


def on_each_wheel(leaf: str, way: Literal[1, -1], unit: str, levels: Mapping[str, Mapping[str, Level]]) -> Threshold:
    """A threshold on all four wheels; `levels` gives each axle its own ("front", "rear")."""
    parts = tuple(
        Part(
            name,
            f"{branch}.{leaf}",
            now=levels[name.partition("_")[0]].get("now"),
            soon=levels[name.partition("_")[0]].get("soon"),
            advice=levels[name.partition("_")[0]].get("advice"),
            clear=levels[name.partition("_")[0]]["clear"],
        )
        for name, branch in WHEELS.items()
    )
    return Threshold(parts, way, unit)
