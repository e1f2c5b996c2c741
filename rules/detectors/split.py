"""The shapes a rule can take. A shape fitted to a vehicle's profile judges; its `quiet` line says when it need not.

Rule 1: what `quiet` calls quiet must not be Holds for a car without this alert and must change nothing: the compiled form skips it.
Rule 2: memory is the cell, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Literal

from rules.engine.memory import Cell, Ring
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import ENGINE, RPM, WHEELS, Level, level, number, signal_of, symbol
from schemas.alert import Limit, Sample, Series
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

Judged = Iterable[tuple[str, Verdict]]
Picture = tuple[tuple[Series, ...], tuple[Limit, ...]]


CALM = Clear("nothing to report")  #: for a car without this alert nobody reads why all is well
STILL: Judged = (("", CALM),)  #: the same as a whole answer: it moves no alert, whether one stands or not


class Bound:
    """A shape fitted to one vehicle model."""

    triggers: tuple[int, ...] = ()  #: it is looked at when one of these is in the message …
    diagnostics: bool = False  #: … or when the message is a list of trouble codes
    carries: tuple[int, ...] = ()  #: signals whose last value it wants from earlier messages
    size: int = 0  #: bytes of its cell
    quiet_is_clear: bool = False  #: what is quiet is Clear for an open alert too, and changes nothing else
    period_s: int | None = None  #: judged once per period while no alert of it is open; the cell's first byte says which (`seen.fresh`)

    def quiet(self, names: Mapping[int, str], at: int) -> str:
        """A Python expression over the values of a message that is true when there is nothing to judge; "" means always judge.

        `names` gives the variable of each signal in the message, `m` is the memory, `at` the place of the cell, `q<period>` the period's bucket.
        """
        return f"m[{at}] == q{self.period_s}" if self.period_s else ""

    def asleep(self, seen: Snapshot) -> bool:
        """What `quiet` says of the values, for the long way; looked at while no alert stands."""
        return False

    def wakes(self, seen: Snapshot) -> bool:
        """Whether a reading within the period must be judged all the same."""
        return False

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        """The verdict for each component it can speak about."""
        raise TypeError("a shape judges")

    def remember(self, seen: Snapshot, cell: Cell) -> None:
        """A late reading: take it into the history, judge nothing."""

    def sample(self, component: str, seen: Snapshot) -> float | None:
        """The number worth keeping while the alert stands, for its chart."""
        return None

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        """The chart: lines and limits."""
        return (), ()


class Shape:
    """What a rule looks for, before it knows the vehicle."""

    def fit(self, profile: Profile) -> Bound | None:
        """Fitted to that model; None where the model lacks what it needs."""
        raise TypeError("a shape fits")


@dataclass(frozen=True, slots=True)
class Only:
    """A condition under which a rule may speak: a signal between two levels."""

    path: str
    low: Level = float("-inf")
    high: Level = float("inf")
    words: str = ""

    def fit(self, profile: Profile) -> tuple[int, float, float, str]:
        """The signal's id and the numbers for this model."""
        signal = signal_of(self.path)
        return signal.id, level(self.low, profile), level(self.high, profile), self.words or f"{signal.title} is outside the band"


ENGINE_RUNS = Only(RPM, low=400, words="the engine does not run")


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
class Threshold(Shape):
    """A value beyond a level, with a clear level of its own; between the two the rule is unsure."""

    parts: tuple[Part, ...]
    way: Literal[1, -1]  #: 1 rises to the level, -1 falls to it
    unit: str
    only: tuple[Only, ...] = ()

    def fit(self, profile: Profile) -> Bound | None:
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


class _Threshold(Bound):
    quiet_is_clear = True

    def __init__(self, shape: Threshold, parts: list[Part], profile: Profile) -> None:
        self.way, self.unit = shape.way, shape.unit
        self.only = tuple(condition.fit(profile) for condition in shape.only)
        self.parts = {p.component: _fit(p, profile, shape.unit) for p in parts}
        self.triggers = tuple(i for p in self.parts.values() for i in (p.id, p.minus) if i is not None)
        self.carries = tuple(dict.fromkeys((*(c[0] for c in self.only), *(self.triggers if any(p.minus for p in parts) else ()))))

    def quiet(self, names: Mapping[int, str], at: int) -> str:
        tests = []
        for part in self.parts.values():
            if part.id not in names and (part.minus is None or part.minus not in names):
                continue
            if part.id not in names or (part.minus is not None and part.minus not in names):
                return ""
            value = names[part.id] if part.minus is None else f"({names[part.id]} - {names[part.minus]}) * {part.scale!r}"
            tests.append(f"{value} {'<=' if self.way > 0 else '>='} {part.clear!r}")
        return " and ".join(tests)

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        return [(component, self._one(part, seen)) for component, part in self.parts.items()]

    def _one(self, part: _FitPart, seen: Snapshot) -> Verdict:
        value = self._value(part, seen)
        if value is None:
            return Unsure(f"no reading of {part.title}")
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
    return _FitPart(part.component, signal.id, minus, part.scale, found, clear, signal.title, f"{unit}, clear level {number(clear)} {unit}")


def line(label: str, unit: str, samples: Iterable[Iterable[float]]) -> Series:
    """A chart line from (ts, value) pairs."""
    return Series(label=label, unit=unit, samples=tuple(Sample(ts=float(ts), value=float(value)) for ts, value in samples))


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
    return Threshold((Part("", path, now=now, soon=soon, advice=advice, clear=clear),), 1, unit or symbol(signal_of(path).unit), only)


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
    return Threshold((Part("", path, now=now, soon=soon, advice=advice, clear=clear),), -1, unit or symbol(signal_of(path).unit), only)


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


@dataclass(frozen=True, slots=True)
class CountInWindow(Shape):
    """Something that happens now and then: bad at least `times` within `within_s`, clear after `within_s` of good readings."""

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

    def fit(self, profile: Profile) -> Bound | None:
        return _CountInWindow(self, profile) if self.path in profile.fitted else None


class _CountInWindow(Bound):
    ring = Ring("If", 12)

    def __init__(self, shape: CountInWindow, profile: Profile) -> None:
        self.shape, self.signal = shape, signal_of(shape.path)
        self.low = float("-inf") if shape.bad_below is None else level(shape.bad_below, profile)
        self.high = float("inf") if shape.bad_above is None else level(shape.bad_above, profile)
        self.urgent = float("-inf") if shape.urgent_below is None else level(shape.urgent_below, profile)
        self.triggers, self.size = (self.signal.id,), self.ring.size

    def quiet(self, names: Mapping[int, str], at: int) -> str:
        name = names[self.signal.id]
        tests = [f"{name} >= {self.low!r}"] * (self.low > float("-inf")) + [f"{name} <= {self.high!r}"] * (self.high < float("inf"))
        return " and ".join(tests)

    def _bad(self, value: float) -> bool:
        return value < self.low or value > self.high

    def remember(self, seen: Snapshot, cell: Cell) -> None:
        value = seen.now(self.signal.id)
        if value is not None and self._bad(value):
            known = self.ring.records(cell)
            if all(abs(seen.ts - when) >= self.shape.apart_s for when, _ in known):
                self.ring.push(cell, int(seen.ts), value)

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        value = seen.now(self.signal.id)
        if value is None:
            return [("", Unsure(f"no reading of {self.signal.title}"))]
        self.remember(seen, cell)
        recent = [(when, v) for when, v in self.ring.records(cell) if seen.ts - when < self.shape.within_s]
        if len(recent) >= self.shape.times and (self._bad(value) or seen.open):
            urgent = sum(v < self.urgent for _, v in recent) >= self.shape.urgent_times
            hours = self.shape.within_s / 3600
            because = f"{self.signal.title} {number(recent[0][1])} {symbol(self.signal.unit)}; out of bounds {len(recent)} times within {hours:g} h"
            if self.signal.unit == "bool":
                because = f"{self.signal.title} {len(recent)} times within {hours:g} h"
            return [("", Holds(Severity.NOW if urgent else self.shape.severity, because))]
        if self.shape.advice_times is not None and len(recent) >= self.shape.advice_times and (self._bad(value) or seen.open):
            return [("", Holds(Severity.ADVICE, f"{self.signal.title}, {'once' if len(recent) == 1 else f'{len(recent)} times'} within {self.shape.within_s / 3600:g} h"))]
        if recent or self._bad(value):
            return [("", Unsure(f"{len(recent)} of {self.shape.times} times so far"))]
        return [("", Clear(f"{self.signal.title} within bounds since {self.shape.within_s / 3600:g} h"))]

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        lines = line(self.signal.title, self.signal.unit, [(when, value) for when, value in reversed(self.ring.records(cell))])
        bounds = [Limit(label="limit", value=v) for v in (self.low, self.high) if abs(v) != float("inf")]
        return (lines,), tuple(bounds)


@dataclass(frozen=True, slots=True)
class RateOfChange(Shape):
    """A value that moves faster than it can in health: `per_hour` between two readings at least `over_s` apart."""

    path: str
    per_hour: Level  #: negative: falling faster than this
    over_s: int = 1800
    span_s: int = 86_400  #: older readings are forgotten
    severity: Severity = Severity.SOON

    def fit(self, profile: Profile) -> Bound | None:
        return _RateOfChange(self, profile) if self.path in profile.fitted else None


class _RateOfChange(Bound):
    stamp = Struct("<B")
    ring = Ring("If", 8, offset=1)

    def __init__(self, shape: RateOfChange, profile: Profile) -> None:
        self.shape, self.signal, self.limit = shape, signal_of(shape.path), level(shape.per_hour, profile)
        self.triggers, self.size, self.period_s = (self.signal.id,), 1 + self.ring.size, max(60, shape.over_s // 4)

    def remember(self, seen: Snapshot, cell: Cell) -> None:
        value = seen.now(self.signal.id)
        if value is not None:
            self.ring.push(cell, int(seen.ts), value)

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        value = seen.now(self.signal.id)
        if seen.fresh:
            self.remember(seen, cell)
        records = [(t, v) for t, v in self.ring.records(cell) if seen.ts - t <= self.shape.span_s]
        if value is None or len(records) < 2 or records[0][0] - records[-1][0] < self.shape.over_s:
            return [("", Unsure("too few readings for a rate"))]
        rate = (records[0][1] - records[-1][1]) / (records[0][0] - records[-1][0]) * 3600
        if rate * (1 if self.limit > 0 else -1) >= abs(self.limit):
            words = f"{self.signal.title} moves {number(rate)} {self.signal.unit} an hour, limit {number(self.limit)}"
            return [("", Holds(self.shape.severity, words))]
        if rate * (1 if self.limit > 0 else -1) >= abs(self.limit) * 0.6:
            return [("", Unsure(f"{number(rate)} {self.signal.unit} an hour is between the levels"))]
        return [("", Clear(f"{self.signal.title} moves {number(rate)} {self.signal.unit} an hour"))]

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        return (line(self.signal.title, self.signal.unit, [(t, v) for t, v in reversed(self.ring.records(cell))]),), ()


@dataclass(frozen=True, slots=True)
class BySweeping(Shape):
    """Not judged by the fold: time alone, or facts from outside, move it (rules/detectors/no_data.py)."""

    def fit(self, profile: Profile) -> Bound | None:
        return None


def flag(path: str, severity: Severity, *, only: tuple[Only, ...] = ()) -> Threshold:
    """A yes or no of the car itself: 1 is bad, 0 is good."""
    part = Part("", path, **{severity.value: 1.0}, clear=0.0)  # type: ignore[arg-type]
    return Threshold((part,), 1, "", only)


__all__ = [
    "CALM", "STILL", "Bound", "BySweeping", "CountInWindow", "ENGINE", "ENGINE_RUNS", "Judged", "Only", "Part", "Picture", "RateOfChange", "Shape", "Threshold",
    "falls_to", "flag", "line", "on_each_wheel", "rises_to",
]  # fmt: skip
