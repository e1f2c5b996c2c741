"""A rule that fits no other detector writes its own `judge`: a pure function of a snapshot and a few numbers it may
remember.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Literal

from rules.engine.detector import Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import Level, level, signal_of
from schemas.alert import Limit
from schemas.profile import Profile
from schemas.verdict import Verdict


class State:
    """The numbers a rule remembers between readings, by their names; all are 0 at first."""

    __slots__ = ("_cell", "_layout", "_names", "_values")

    def __init__(self, cell: Cell, layout: Struct, names: tuple[str, ...]) -> None:
        self._cell, self._layout, self._names = cell, layout, names
        self._values = list(cell.read(layout))

    def __getitem__(self, name: str) -> float:
        value: float = self._values[self._names.index(name)]
        return value

    def __setitem__(self, name: str, value: float) -> None:
        self._values[self._names.index(name)] = value

    def keep(self) -> None:
        """Write the numbers back; a period's byte before them stays."""
        at = self._cell.at
        first = self._cell.memory[at]
        self._cell.write(self._layout, *self._values)
        if self._layout.size % 8:
            self._cell.memory[at] = first


Judging = Callable[[Snapshot, State], Verdict]


@dataclass(frozen=True, slots=True)
class CustomRule(Detector):
    """`judge(seen, state)` is called when one of `on` is in the message, unless all of `quiet` is true and no alert
    stands.
    """

    judge: Judging
    on: tuple[str, ...]
    reads: tuple[str, ...] = ()  #: signals it wants from earlier messages
    state: tuple[str, ...] = ()  #: names of numbers to remember; times fit (64-bit floats)
    period_s: int | None = None  #: judged once per period only, while no alert of it stands
    quiet: tuple[
        tuple[str, Literal[">=", "<="], Level], ...
    ] = ()  #: e.g. (COOLANT, ">=", 80): then it is not even called
    chart: str = ""  #: the signal to draw; the first of `on` unless named
    chart_limits: tuple[tuple[str, Level], ...] = ()

    def fit(self, profile: Profile) -> Fitted | None:
        return _CustomRule(self, profile) if set(self.on) <= set(profile.fitted) else None


class _CustomRule(Fitted):
    def __init__(self, detector: CustomRule, profile: Profile) -> None:
        self.detector, self.layout = detector, Struct(f"<{'x' if detector.period_s else ''}{len(detector.state)}d")
        self.period_s = detector.period_s
        self.triggers = tuple(signal_of(p).id for p in detector.on)
        self.carries = tuple(signal_of(p).id for p in detector.reads if p in profile.fitted)
        self.size = self.layout.size
        self.calm = tuple((signal_of(p).id, way, level(v, profile)) for p, way, v in detector.quiet)
        self.drawn = signal_of(detector.chart or detector.on[0])
        self.chart_limits = tuple(Limit(label=label, value=level(v, profile)) for label, v in detector.chart_limits)

    def quiet(self, names: Mapping[int, str], at: int) -> str:
        tests = [f"m[{at}] == q{self.period_s}"] if self.period_s else []
        if self.calm and all(i in names for i, _, _ in self.calm):
            tests.append("(" + " and ".join(f"{names[i]} {way} {v!r}" for i, way, v in self.calm) + ")")
        return " or ".join(tests)

    def asleep(self, seen: Snapshot) -> bool:
        values = [(seen.now(i), way, v) for i, way, v in self.calm]
        return bool(values) and all(x is not None and (x >= v if way == ">=" else x <= v) for x, way, v in values)

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        state = State(cell, self.layout, self.detector.state)
        verdict = self.detector.judge(seen, state)
        if self.detector.state:
            state.keep()
        return [("", verdict)]

    def sample(self, component: str, seen: Snapshot) -> float | None:
        return seen.now(self.drawn.id)

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        return (line(self.drawn.title, self.drawn.unit, samples),), self.chart_limits
