"""A car's signal is read in another unit from some row on: which rules begin anew, and which alerts rested on it."""

from __future__ import annotations

from typing import Protocol

from rules.engine.compiled import Line
from rules.engine.memory import Track
from rules.engine.plausibility import ODOMETER
from rules.engine.sieve import Sieve
from schemas.correction import MARKER, UNITS
from schemas.moment import from_epoch
from schemas.reading import Reading
from schemas.signal import BY_ID


class Lines(Protocol):
    """What is needed of rules.engine.program.Program."""

    @property
    def lines(self) -> tuple[Line, ...]: ...
    @property
    def sieve(self) -> Line | None: ...


def learns(line: Line, anew: tuple[int, ...]) -> bool:
    """Whether what this rule remembers is in the unit that such a signal had: it is judged by it, or counts distances
    by it.
    """
    fitted = line.fitted
    return not set(anew).isdisjoint(fitted.triggers) or (ODOMETER in anew and ODOMETER in fitted.carries)


def rests_on(program: Lines, track: Track, anew: tuple[int, ...]) -> int | None:
    """The signal of these of which this alert was raised, as it was read before; None: of none."""
    line = next((line for line in program.lines if line.name == track.rule), None)
    if line is None:
        return None
    if line is program.sieve and isinstance(line.fitted, Sieve):
        return next((i for i in anew if line.fitted.component(i) == track.component), None)
    return next((i for i in anew if i in line.fitted.triggers), None)


def because(marker: Reading, signal_id: int) -> str:
    """Why such an alert is withdrawn."""
    code = int(dict(zip(marker.ids, marker.values))[MARKER + signal_id])
    signal, day = BY_ID[signal_id], f"since {from_epoch(marker.ts):%Y-%m-%d at %H:%M} UTC"
    if not code:
        return f"it rested on a unit that a person had accepted and has taken back: {signal.title} counts as said {day}"
    words = UNITS[signal.unit][code - 1].words
    return f"it was a unit: {signal.title} is said in {words} and read as such {day}"
