"""A traction battery that gets warmer by the minute: faster than driving and charging ever heat it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct

from rules.engine.detector import STILL, Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import PACK, number, signal_of
from schemas.alert import Limit
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure

_HEAT = signal_of(f"{PACK}.Temperature.Max")
MINUTE = 60
FAR_S = 150.0  #: two looks further apart say nothing of a rate
OFFSET = 100.0  #: so that a temperature fits into a byte
LEAP_S = 20  #: samples so near to each other tell a leap from a rise
STILL_RISING = 0.04  #: Kelvin a second against each sample before: else it was one of those that was wrong
CALM_K = 2.0  #: above the minute's first sample a value is looked at again


@dataclass(frozen=True, slots=True)
class HeatRise(Detector):
    """`rise` Kelvin or more within about two minutes, in `times` samples in a row; clear when it has stopped rising."""

    rise: float = 8.0
    times: int = 2
    jump: float = 4.0  #: Kelvin, and as many for each second between two samples: a sensor, no cell

    def fit(self, profile: Profile) -> Fitted | None:
        return _HeatRise(self) if _HEAT.path in profile.fitted else None


class _HeatRise(Fitted):
    period_s: int | None = MINUTE
    #: after the period's byte: first sample of this minute in whole K (rounded up) for the quiet line; samples in a
    #: row; then second and
    #: temperature of the first sample of this minute, of the minute before, and of the newest that was looked at
    layout = Struct("<BBIfIfIf")
    size = 1 + layout.size
    triggers = (_HEAT.id,)

    def __init__(self, detector: HeatRise) -> None:
        self.detector = detector

    def quiet(self, names: Mapping[int, str], at: int) -> str:
        return f"m[{at}] == q{MINUTE} and {names[_HEAT.id]} <= m[{at + 1}] - {OFFSET - CALM_K!r}"

    def wakes(self, seen: Snapshot) -> bool:
        """Whether it is above the minute's first sample stands in the cell, not in the message.

        `judge` asks it again.
        """
        return seen.now(_HEAT.id) is not None

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        value = seen.now(_HEAT.id)
        if value is None:
            return [("", Unsure(f"no reading of {_HEAT.title}", missing=True))] if seen.open else STILL
        second = int(seen.ts)
        mark, count, t0, v0, t1, v1, t2, v2 = cell.read(self.layout, 1)
        if not seen.fresh and not seen.open and value <= mark - (OFFSET - CALM_K):
            return STILL  # quiet: nothing is written down
        if t2 and 0 <= second - t2 <= LEAP_S and abs(value - v2) > self.detector.jump * (1 + second - t2):
            v0, count = (
                (value if second - t0 <= LEAP_S else v0),
                0,
            )  # no cell does that: the sample before was none, or this one
        if not seen.fresh and not 0 < second - t1 <= FAR_S and value > v0 + CALM_K:
            t1, v1 = (
                second,
                value,
            )  # the first minute has none before it: a second sample that what follows is held against
        known = [(second - t, value - v) for t, v in ((t0, v0), (t1, v1)) if t and 0 < second - t <= FAR_S]
        rise = max((by for _, by in known), default=None)
        goes_on = all(by >= STILL_RISING * apart for apart, by in known)
        compared = len(known) == 2 or (bool(known) and known[0][0] <= LEAP_S)
        rising = rise is not None and rise >= self.detector.rise and goes_on and compared
        if rising:
            count = min(250, count + 1)
        else:
            count = 0
        if seen.fresh:
            t1, v1, t0, v0 = t0, v0, second, value
        # after a first sample the next is looked at, whatever it says
        mark = 0 if count else max(0, min(255, int(v0 + OFFSET) + 1))
        cell.write(self.layout, mark, count, t0, v0, t1, v1, second, value, offset=1)
        if rising and count >= self.detector.times and rise is not None:
            words = f"hottest cell {number(round(value))} °C, {rise:.0f} K more than within the two minutes before"
            return [("", Holds(Severity.NOW, words, at_once=True))]
        if not seen.open:
            return STILL
        if rise is None or rise > 0.25 * self.detector.rise:
            return [("", Unsure(f"hottest cell {number(round(value))} °C, too few samples for a rate"))]
        return [("", Clear(f"hottest cell {number(round(value))} °C, no longer rising"))]

    def sample(self, component: str, seen: Snapshot) -> float | None:
        return seen.now(_HEAT.id)

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        _, _, t0, v0, t1, v1, _, _ = cell.read(self.layout, 1)
        earlier = [(t, v) for t, v in ((t1, v1), (t0, v0)) if t and (not samples or t < samples[0][0])]
        limit = Limit(label=Severity.NOW.value, value=round((earlier[0][1] if earlier else v0) + self.detector.rise, 1))
        return (line(_HEAT.title, "°C", [*earlier, *samples]),), (limit,)
