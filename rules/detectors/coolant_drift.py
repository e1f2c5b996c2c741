"""A coolant sensor that says more than is: warm and after a night alike, while nothing else in the engine follows.

Each car is held against its own habit. An engine that runs too hot heats its oil, too, and is cold after a night; what
is heated for the start is as warm as ever once it has run.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from rules.detectors.overnight import LOOKED_AT, NIGHT_S
from rules.engine.detector import STILL, Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import COOLANT, ENGINE, middle, signal_of
from schemas.alert import Limit
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure

_COOLANT, _RUN = signal_of(COOLANT), signal_of(f"{ENGINE}.RunTime").id
_OIL = signal_of(f"{ENGINE}.EngineOil.Temperature").id
_INTAKE = signal_of(f"{ENGINE}.IntakeAirTemperature").id  #: where it is in another message, the others do
_OTHERS = tuple(i for i in LOOKED_AT if i not in (_COOLANT.id, _RUN))  #: thermometers that are cold after a night
#: after so long it runs as warm as it gets, and so does its oil; within so long it is as cold as the night was
WARMED_S, OIL_WARMED_S, STARTED_S = 300.0, 1_200.0, 120.0
AGREE_K = 15.0  #: after a night: an intake is warmed by what stands beside it
WARM, OIL, COLD = range(3)  #: what is learned: the warm engine, how far above its oil, how far above all after a night
LEAST = (8, 8, 3)  #: samples after which a habit is known
BEYOND_K = (7.0, 9.0, 7.0)  #: so far above it is none
CREPT_K, STEP_K = 8.0, 8.0  #: after a night alone: so far, and never so much from one night to the next
LOOK_S, LEAPT = 3_600, 0x80
WELL_K = 3.0  #: nearer than that is well, and learned from
SHORT, LONG = (0.3, 0.3, 0.6), 1 / 200  #: weight of one sample


@dataclass(frozen=True, slots=True)
class CoolantDrift(Detector):
    """The warm engine beyond its habit, and so is the distance to its oil, or to all else after a night."""

    def fit(self, profile: Profile) -> Fitted | None:
        return _CoolantDrift(profile) if {COOLANT, f"{ENGINE}.RunTime"} <= set(profile.fitted) else None


class _CoolantDrift(Fitted):
    period_s: int | None = 1_200
    patient = True
    #: after the period's byte: when the last look was, in LOOK_S, and whether nights have leapt since all was well; the
    #: last night; samples of each habit, five bits each; and its short and long mean
    head = Struct("<BbH")
    habit = Struct("<ee")
    size = 1 + head.size + 3 * habit.size
    triggers = (_COOLANT.id,)

    def __init__(self, profile: Profile) -> None:
        fitted = {signal_of(path).id for path in profile.fitted}
        self.carries = tuple(i for i in (*_OTHERS, _RUN) if i in fitted and i != _INTAKE)
        self.warm = profile.limits.get("coolant_warm_c", 80.0) - 5.0

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        value, run = seen.now(_COOLANT.id), seen.get(_RUN, 60.0)
        if value is None or run is None:
            return [("", Unsure("coolant and run time are not said together", missing=True))] if seen.open else STILL
        if seen.fresh:
            self._look(value, run, seen, cell)
        counts = cell.read(self.head, 1)[2]
        away = [self._away(n, counts, cell) for n in (WARM, OIL, COLD)]
        sure = [a is not None and a >= BEYOND_K[n] for n, a in enumerate(away)]
        if (sure[WARM] and (sure[OIL] or sure[COLD])) or self._crept(away[COLD], cell):
            which, when = (WARM, "when it is warm") if sure[WARM] else (COLD, "after a night")
            beside = "its oil" if sure[OIL] else "all else in the engine"
            words = f"{away[which]:.0f} K more than this car used to have {when}, and {beside} does not follow"
            return [("", Holds(Severity.ADVICE, f"sensor or unit implausible: {_COOLANT.title} says {words}"))]
        if not seen.open:
            return STILL
        well = all(a is None or a <= WELL_K for a in away)
        return [("", Clear("coolant is as warm as this car used to have it") if well else Unsure("nearly as it was"))]

    def _look(self, value: float, run: float, seen: Snapshot, cell: Cell) -> None:
        when, night, counts = cell.read(self.head, 1)
        now, last, leapt = int(seen.ts) // LOOK_S % 127 + 1, when & 127, when & LEAPT
        if run >= WARMED_S:
            if value >= self.warm:
                counts = self._learn(WARM, value, counts, cell)
                oil = seen.get(_OIL, 60.0)
                if oil is not None and run >= OIL_WARMED_S:
                    counts = self._learn(OIL, value - oil, counts, cell)
        elif run <= STARTED_S and last and (now - last) % 127 > NIGHT_S // LOOK_S:
            others = [v for i in _OTHERS if (v := seen.get(i, 120.0)) is not None]
            if others and max(others) - min(others) <= AGREE_K:
                above = max(-127, min(127, round(value - middle(others))))
                counts = self._learn(COLD, value - middle(others), counts, cell)
                away = self._away(COLD, counts, cell) or 0.0
                leapt = 0 if away < WELL_K else LEAPT if abs(above - night) > STEP_K else leapt
                night = above
        cell.write(self.head, now | leapt, night, counts, offset=1)

    def _crept(self, away: float | None, cell: Cell) -> bool:
        """Far from what it was after a night, in steps too small for a heater that is switched on."""
        return away is not None and away >= CREPT_K and not cell.memory[cell.at + 1] & LEAPT

    def _learn(self, which: int, value: float, counts: int, cell: Cell) -> int:
        at = 1 + self.head.size + which * self.habit.size
        count = min(31, (counts >> 5 * which & 31) + 1)
        short, long = cell.read(self.habit, at)
        short += (value - short) * max(1 / count, SHORT[which])
        if count <= LEAST[which] or short - long < WELL_K:
            long += (value - long) * (1 / count if count < 31 else LONG)
        cell.write(self.habit, short, long, offset=at)
        return counts & ~(31 << 5 * which) | count << 5 * which

    def _away(self, which: int, counts: int, cell: Cell) -> float | None:
        short, long = cell.read(self.habit, 1 + self.head.size + which * self.habit.size)
        return short - long if counts >> 5 * which & 31 > LEAST[which] else None

    def sample(self, component: str, seen: Snapshot) -> float | None:
        return seen.now(_COOLANT.id)

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        usual = cell.read(self.habit, 1 + self.head.size)[1]
        return (line(_COOLANT.title, "°C", samples),), (Limit(label="usual, warm", value=round(usual, 1)),)
