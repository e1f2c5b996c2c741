"""A coolant sensor that says more than is: warm and after a night alike, while nothing else in the engine follows.

Each car is held against its own habit. An engine that runs too hot heats its oil, too, and is cold after a night; what
is heated for the start is as warm as ever once it has run.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    whole = Struct("<BbH6e")  #: all of it in one piece: each car asks at the start of each drive
    size = 1 + whole.size
    triggers = (_COOLANT.id,)

    def __init__(self, profile: Profile) -> None:
        fitted = {signal_of(path).id for path in profile.fitted}
        self.carries = tuple(i for i in (*_OTHERS, _RUN) if i in fitted and i != _INTAKE)
        self.warm = profile.limits.get("coolant_warm_c", 80.0) - 5.0

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        value, run = seen.now(_COOLANT.id), seen.get(_RUN, 60.0)
        if value is None or run is None:
            return [("", Unsure("coolant and run time are not said together", missing=True))] if seen.open else STILL
        when, night, counts, *means = self.whole.unpack_from(cell.memory, cell.at + 1)
        if seen.fresh:
            when, night, counts = self._look(value, run, when, night, counts, means=means, seen=seen)
            self.whole.pack_into(cell.memory, cell.at + 1, when, night, counts, *means)
        if not seen.open and means[0] - means[1] < BEYOND_K[WARM] and means[4] - means[5] < CREPT_K:
            return STILL  # as nearly always
        away = [_away(n, counts, means) for n in (WARM, OIL, COLD)]
        sure = [a is not None and a >= BEYOND_K[n] for n, a in enumerate(away)]
        if (sure[WARM] and (sure[OIL] or sure[COLD])) or _crept(away[COLD], when):
            which, when = (WARM, "when it is warm") if sure[WARM] else (COLD, "after a night")
            beside = "its oil" if sure[OIL] else "all else in the engine"
            words = f"{away[which]:.0f} K more than this car used to have {when}, and {beside} does not follow"
            return [("", Holds(Severity.ADVICE, f"sensor or unit implausible: {_COOLANT.title} says {words}"))]
        if not seen.open:
            return STILL
        well = all(a is None or a <= WELL_K for a in away)
        return [("", Clear("coolant is as warm as this car used to have it") if well else Unsure("nearly as it was"))]

    def _look(
        self, value: float, run: float, when: int, night: int, counts: int, *, means: list[float], seen: Snapshot
    ) -> tuple[int, int, int]:
        """What this message teaches: into `means`, and when the look was, the night and the counts."""
        now, last, leapt = int(seen.ts) // LOOK_S % 127 + 1, when & 127, when & LEAPT
        if run >= WARMED_S:
            if value >= self.warm:
                counts = self._learn(WARM, value, counts, means)
                oil = seen.get(_OIL, 60.0)
                if oil is not None and run >= OIL_WARMED_S:
                    counts = self._learn(OIL, value - oil, counts, means)
        elif run <= STARTED_S and last and (now - last) % 127 > NIGHT_S // LOOK_S:
            others = [v for i in _OTHERS if (v := seen.get(i, 120.0)) is not None]
            if others and max(others) - min(others) <= AGREE_K:
                above = max(-127, min(127, round(value - middle(others))))
                counts = self._learn(COLD, value - middle(others), counts, means)
                away = _away(COLD, counts, means) or 0.0
                leapt = 0 if away < WELL_K else LEAPT if abs(above - night) > STEP_K else leapt
                night = above
        return now | leapt, night, counts

    def _learn(self, which: int, value: float, counts: int, means: list[float]) -> int:
        count = min(31, (counts >> 5 * which & 31) + 1)
        short, long = means[2 * which : 2 * which + 2]
        short += (value - short) * max(1 / count, SHORT[which])
        if count <= LEAST[which] or short - long < WELL_K:
            long += (value - long) * (1 / count if count < 31 else LONG)
        means[2 * which : 2 * which + 2] = self.habit.unpack(self.habit.pack(short, long))  # as coarse as it is kept
        return counts & ~(31 << 5 * which) | count << 5 * which

    def sample(self, component: str, seen: Snapshot) -> float | None:
        return seen.now(_COOLANT.id)

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        usual = cell.read(self.habit, 1 + self.head.size)[1]
        return (line(_COOLANT.title, "°C", samples),), (Limit(label="usual, warm", value=round(usual, 1)),)


def _away(which: int, counts: int, means: Sequence[float]) -> float | None:
    """How far the short mean is above the long one, where a habit is known."""
    return means[2 * which] - means[2 * which + 1] if counts >> 5 * which & 31 > LEAST[which] else None


def _crept(away: float | None, when: int) -> bool:
    """Far from what it was after a night, in steps too small for a heater that is switched on."""
    return away is not None and away >= CREPT_K and not when & LEAPT
