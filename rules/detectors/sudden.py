"""What turns dangerous within seconds: told at once, when a second sample or a second signal says the same.

A rule that watches for weeks has a hold; what happens at once has none to wait for. `Also` gives a rule both looks:
what the slow one
learns and says stays as it is, and the quick one speaks before it, of two samples in a row. One sample, and what a
sensor says at its
end stop (rules/detectors/believable.py), is never a danger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct

from rules.engine.detector import STILL, Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell
from rules.engine.snapshot import Snapshot
from schemas.alert import Limit
from schemas.profile import Profile
from schemas.signal import Signal
from schemas.verdict import Holds, Severity


@dataclass(frozen=True, slots=True)
class Danger:
    """What one sample shows. `sure`: a second signal of the same message confirms it.

    `rank` tells one thing from another (a wheel).
    """

    words: str
    component: str = ""
    sure: bool = False
    rank: int = 0
    span_s: float | None = None  #: it must have shown for so long, where that is not what the look asks for


class Quick(Fitted):
    """A look for danger in one message; its cell counts the samples in a row that show it."""

    state = Struct("<BBI")  # samples in a row, of what, second of the first
    size = state.size
    signal: Signal  #: what is drawn
    limit: float  #: and where the danger begins
    times: int = 2  #: so many samples in a row …
    span_s: float = 1.0  #: … over so many seconds

    def look(self, seen: Snapshot) -> Danger | None:
        """The danger that this message shows, or None."""
        raise TypeError("a quick look looks")

    def calm(self, names: Mapping[int, str]) -> str:
        """`Fitted.quiet` for the values alone: true when `look` finds nothing."""
        raise TypeError("a quick look says when it need not look")

    def weigh(self, seen: Snapshot, cell: Cell) -> tuple[str, Holds] | None:
        """The verdict on this message and those before it; None when there is none yet."""
        danger = self.look(seen)
        count, rank, first = cell.read(self.state)
        if danger is None:
            if count:
                cell.write(self.state, 0, 0, 0)
            return None
        second = int(seen.ts)
        if not count or rank != danger.rank or second < first:
            count, first = 0, second
        count = min(250, count + 1)
        cell.write(self.state, count, danger.rank, first)
        span = self.span_s if danger.span_s is None else danger.span_s
        if not danger.sure and (count < self.times or second - first < span):
            return None
        return danger.component, Holds(Severity.NOW, danger.words, at_once=True)

    def draw(self, component: str, samples: list[list[float]]) -> Picture:
        """The samples against the limit of danger."""
        limit = Limit(label=Severity.NOW.value, value=round(self.limit, 3))
        return (line(self.signal.title, self.signal.unit, samples),), (limit,)

    def value(self, component: str, seen: Snapshot) -> float | None:
        """What is drawn."""
        return seen.now(self.signal.id)


class QuickDetector(Detector):
    """What a `Quick` is fitted from."""

    def fit(self, profile: Profile) -> Quick | None:
        raise TypeError("a detector fits")


@dataclass(frozen=True, slots=True)
class Also(Detector):
    """A slow look and a quick one in one rule."""

    slow: Detector
    quick: QuickDetector

    def fit(self, profile: Profile) -> Fitted | None:
        slow, quick = self.slow.fit(profile), self.quick.fit(profile)
        if slow is None or quick is None:
            return slow
        return _Also(slow, quick)


class _Also(Fitted):
    def __init__(self, slow: Fitted, quick: Quick) -> None:
        self.slow, self.quick = slow, quick
        self.may_sleep = type(slow).asleep is not Fitted.asleep and slow.may_sleep
        self.triggers = tuple(dict.fromkeys((*slow.triggers, *quick.triggers)))
        self.carries = tuple(dict.fromkeys((*slow.carries, *quick.carries)))
        self.size, self.period_s, self.quiet_is_clear = slow.size + quick.size, slow.period_s, slow.quiet_is_clear

    def quiet(self, names: Mapping[int, str], at: int) -> str:
        tests = []
        if any(i in names for i in self.slow.triggers):
            test = self.slow.quiet(names, at)
            if not test:
                return ""
            tests.append(f"({test})")
        if any(i in names for i in self.quick.triggers):
            test = self.quick.calm(names)
            if not test:
                return ""
            if self.period_s is None:  # with a period, a first sample has made the next one due
                test += f" and m[{at + self.slow.size}] == 0"
            tests.append(f"({test})")
        return " and ".join(tests)

    def asleep(self, seen: Snapshot) -> bool:
        return self.may_sleep and self.slow.asleep(seen) and self.quick.look(seen) is None

    def wakes(self, seen: Snapshot) -> bool:
        return self.slow.wakes(seen) or self.quick.look(seen) is not None

    def remember(self, seen: Snapshot, cell: Cell) -> None:
        self.slow.remember(seen, cell)

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        own = Cell(cell.memory, cell.at + self.slow.size)
        heard = not seen.values.keys().isdisjoint(self.quick.triggers)
        told = self.quick.weigh(seen, own) if heard else None
        if heard and told is None and own.read(self.quick.state)[0] and self.period_s is not None:
            seen.fresh = False  # it is no sample of its period: the next stands for it, whatever it says
            judged = self.slow.judge(seen, cell)
            cell.memory[cell.at] ^= 0x80
            return judged
        judged = self.slow.judge(seen, cell)
        if told is None:
            return judged
        component, verdict = told
        return [(component, verdict), *((c, v) for c, v in judged if c != component)] if judged is not STILL else [told]

    def sample(self, component: str, seen: Snapshot) -> float | None:
        value = self.slow.sample(component, seen)
        return self.quick.value(component, seen) if value is None else value

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        own = Cell(cell.memory, cell.at + self.slow.size)
        if own.read(self.quick.state)[0]:
            value = self.quick.value(component, seen)
            return self.quick.draw(component, [] if value is None else [[seen.ts, value]])
        return self.slow.picture(component, samples, cell, seen)
