"""A detector notices one kind of thing; fitted to a vehicle model it judges, and its `quiet` line says when it need
not.

Rule 1: what `quiet` calls quiet must not be Holds for a car without this alert and must change nothing: the compiled
form skips it. Rule 2: memory is the cell, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.engine.memory import Cell
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import RPM, Level, level, signal_of
from schemas.alert import Limit, Sample, Series
from schemas.profile import Profile
from schemas.verdict import Clear, Verdict

Judged = Iterable[tuple[str, Verdict]]
Picture = tuple[tuple[Series, ...], tuple[Limit, ...]]
CALM = Clear("nothing to report")  #: for a car without this alert nobody reads why all is well
STILL: Judged = (("", CALM),)  #: the same as a whole answer: it moves no alert, whether one stands or not


class Overrun(Exception):
    """Raised into a rule from outside, because it does not come back (gateway/ops/rule_watchdog.py)."""


class Fitted:
    """A detector fitted to one vehicle model."""

    triggers: tuple[int, ...] = ()  #: it is looked at when one of these is in the message …
    diagnostics: bool = False  #: … or when the message is a list of trouble codes
    carries: tuple[int, ...] = ()  #: signals whose last value it wants from earlier messages
    may_sleep: bool = True  #: whether `asleep` is worth asking
    quieted_by: int | None = None  #: a signal of the same message that its quiet line reads where it is there
    size: int = 0  #: bytes of its cell
    quiet_is_clear: bool = False  #: what is quiet is Clear for an open alert too, and changes nothing else
    patient: bool = False  #: while its alert stands it is judged no oftener than before: by its own quiet line
    #: judged once per period while no alert of it is open; the cell's first byte says which (`seen.fresh`)
    period_s: int | None = None

    def quiet(self, names: Mapping[int, str], at: int) -> str:
        """A Python expression over the values of a message that is true when there is nothing to judge; "" means always
        judge.

        `names` gives the variable of each signal in the message, `m` is the memory, `at` the place of the cell,
        `q<period>` the period's bucket.
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
        raise TypeError("a detector judges")

    def remember(self, seen: Snapshot, cell: Cell) -> None:
        """A late reading: take it into the history, judge nothing."""

    def sample(self, component: str, seen: Snapshot) -> float | None:
        """The number worth keeping while the alert stands, for its chart."""
        return None

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        """The chart: lines and limits."""
        return (), ()


class Detector:
    """What a rule looks for, before it knows the vehicle."""

    def fit(self, profile: Profile) -> Fitted | None:
        """Fitted to that model; None where the model lacks what it needs."""
        raise TypeError("a detector fits")


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
        return (
            signal.id,
            level(self.low, profile),
            level(self.high, profile),
            self.words or f"{signal.title} is outside the band",
        )


ENGINE_RUNS = Only(RPM, low=400, words="the engine does not run")


@dataclass(frozen=True, slots=True)
class BySweeping(Detector):
    """Not judged by the fold: time alone, or facts from outside, move it (rules/detectors/no_data.py)."""

    def fit(self, profile: Profile) -> Fitted | None:
        return None


def line(label: str, unit: str, samples: Iterable[Iterable[float]]) -> Series:
    """A chart line from (ts, value) pairs."""
    return Series(
        label=label, unit=unit, samples=tuple(Sample(ts=float(ts), value=float(value)) for ts, value in samples)
    )
