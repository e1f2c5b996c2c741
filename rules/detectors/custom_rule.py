"""A rule that fits no shape writes its own `judge`: a pure function of a snapshot and a few numbers it may remember."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from struct import Struct
from types import FrameType
from typing import Any, Literal

from rules.detectors.split import Bound, Judged, Picture, Shape, line
from rules.engine.memory import Cell
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import Level, level, signal_of
from schemas.alert import Limit
from schemas.profile import Profile
from schemas.verdict import Verdict

MOST_LINES = 5_000  #: a judge that runs more lines than this loops: counted, not timed, so that a replay agrees


class Loops(Exception):
    """A rule's own judge ran too many lines."""


class Overrun(Exception):
    """Raised into a rule from outside, because it does not come back (gateway/ops/rule_watchdog.py)."""


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
class Own(Shape):
    """`judge(seen, state)` is called when one of `on` is in the message, unless all of `quiet` is true and no alert stands."""

    judge: Judging
    on: tuple[str, ...]
    reads: tuple[str, ...] = ()  #: signals it wants from earlier messages
    state: tuple[str, ...] = ()  #: names of numbers to remember; times fit (64-bit floats)
    period_s: int | None = None  #: judged once per period only, while no alert of it stands
    quiet: tuple[tuple[str, Literal[">=", "<="], Level], ...] = ()  #: e.g. (COOLANT, ">=", 80): then it is not even called
    chart: str = ""  #: the signal to draw; the first of `on` unless named
    chart_limits: tuple[tuple[str, Level], ...] = ()

    def fit(self, profile: Profile) -> Bound | None:
        return _Own(self, profile) if set(self.on) <= set(profile.fitted) else None


class _Own(Bound):
    def __init__(self, shape: Own, profile: Profile) -> None:
        self.shape, self.layout = shape, Struct(f"<{'x' if shape.period_s else ''}{len(shape.state)}d")
        self.period_s = shape.period_s
        self.triggers = tuple(signal_of(p).id for p in shape.on)
        self.carries = tuple(signal_of(p).id for p in shape.reads if p in profile.fitted)
        self.size = self.layout.size
        self.calm = tuple((signal_of(p).id, way, level(v, profile)) for p, way, v in shape.quiet)
        self.drawn = signal_of(shape.chart or shape.on[0])
        self.chart_limits = tuple(Limit(label=label, value=level(v, profile)) for label, v in shape.chart_limits)

    def quiet(self, names: Mapping[int, str], at: int) -> str:
        tests = [f"m[{at}] == q{self.period_s}"] if self.period_s else []
        if self.calm and all(i in names for i, _, _ in self.calm):
            tests.append("(" + " and ".join(f"{names[i]} {way} {v!r}" for i, way, v in self.calm) + ")")
        return " or ".join(tests)

    def asleep(self, seen: Snapshot) -> bool:
        values = [(seen.now(i), way, v) for i, way, v in self.calm]
        return bool(values) and all(x is not None and (x >= v if way == ">=" else x <= v) for x, way, v in values)

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        state = State(cell, self.layout, self.shape.state)
        verdict = bounded(self.shape.judge, seen, state)
        if self.shape.state:
            state.keep()
        return [("", verdict)]

    def sample(self, component: str, seen: Snapshot) -> float | None:
        return seen.now(self.drawn.id)

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        return (line(self.drawn.title, self.drawn.unit, samples),), self.chart_limits


def bounded(judge: Judging, seen: Snapshot, state: State) -> Verdict:
    """Call it, and stop it when it runs more lines than any honest rule does."""
    left = MOST_LINES

    def count(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise Loops(f"more than {MOST_LINES} lines for one reading")
        return count

    before = sys.gettrace()
    if before is not None:  # a debugger or a coverage run watches already
        return judge(seen, state)
    sys.settrace(count)
    try:
        return judge(seen, state)
    finally:
        sys.settrace(before)
