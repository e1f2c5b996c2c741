"""Speed over time against the odometer: miles where kilometres belong, which no single value shows.

Both may be a tenth off, by worn tyres and a speedometer that flatters. What is off by the factor between two units,
over hundreds of kilometres and in each part of them, is no sensor: which of the two it is, and in which unit, is worked
out where a person decides (rules/detectors/unit_of.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log
from struct import Struct

from rules.engine.detector import STILL, Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import ODOMETER, SPEED, number, signal_of
from schemas.alert import Limit
from schemas.correction import UNITS
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

_SPEED, _ODOMETER = signal_of(SPEED), signal_of(ODOMETER)
APART_S = (60, 300)  #: between the two messages of a look: what lies further apart knows no speed between
PARTS = 3
SECONDS = 65_536
ONE, PER_E = 128, 17.0  #: a ratio in a byte: to three in a hundred
ROLLS_KMH = (
    5.0  #: a look begins and ends while the car drives: each drive has a start and an end, and most have few looks
)
MOST_KM = 60_000.0  #: of a half float
#: what the ratio is where one of the two is said in another unit
FACTORS = (*(unit.factor for unit in UNITS["m"]), *(1 / unit.factor for unit in UNITS["km/h"]))


@dataclass(frozen=True, slots=True)
class Distances(Detector):
    """PARTS of the way in a row, each `part_km` of looks, off by the same factor between two units.

    A look is two messages a minute apart: from one look to the next most drives begin or end.
    """

    part_km: float = 20.0
    near: float = 0.15  #: of the factor
    well: tuple[float, float] = (0.85, 1.2)

    def fit(self, profile: Profile) -> Fitted | None:
        return _Distances(self) if {SPEED, ODOMETER} <= set(profile.fitted) else None


class _Distances(Fitted):
    period_s: int | None = 600
    patient = True  # a unit stands for months, and one look each ten minutes ends it as well
    #: after the period's byte: of the look's first message the second (0: none is waited for), the odometer and the
    #: speed; km by speed and by the odometer so far; the ratios of the parts, newest first, as logarithms (0: none)
    layout = Struct("<HfBeeBBB")
    size = 1 + layout.size
    triggers = (_ODOMETER.id,)
    carries = (_SPEED.id,)

    def __init__(self, detector: Distances) -> None:
        self.detector = detector
        low, high = detector.well
        self.agrees = frozenset(part for part in range(1, 256) if low <= exp((part - ONE) / PER_E) <= high)

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        metres, speed = seen.now(_ODOMETER.id), seen.get(_SPEED.id, 60.0)
        if metres is None or speed is None:
            return [("", Unsure("speed and odometer are not said together", missing=True))] if seen.open else STILL
        if seen.fresh:
            parts = self._look(int(seen.ts), metres, speed, cell)
        else:
            parts = self.layout.unpack_from(cell.memory, cell.at + 1)[5:]
        if not seen.open and (0 in parts or parts[0] in self.agrees):
            return STILL  # as nearly always
        return [("", self._verdict(_ratios(parts)))]

    def _look(self, second: int, metres: float, speed: float, cell: Cell) -> Sequence[int]:
        first, before, was, by_speed, counted, *parts = self.layout.unpack_from(cell.memory, cell.at + 1)
        second = second % SECONDS or 1
        apart = (second - first) % SECONDS
        if not first or apart > APART_S[1]:
            cell.memory[cell.at] ^= 0x80  # another message is looked at, too
            first = second if speed >= ROLLS_KMH else 0
        elif apart < APART_S[0]:
            cell.memory[cell.at] ^= 0x80
            return parts
        else:
            first = 0
            if metres >= before and speed >= ROLLS_KMH:
                by_speed += (speed + was) / 2 / 3_600.0 * apart
                counted = min(MOST_KM, counted + (metres - before) / 1000.0)
            if by_speed >= self.detector.part_km:
                if counted > 0:
                    parts = [max(1, min(255, round(ONE + PER_E * log(by_speed / counted)))), *parts[:-1]]
                by_speed = counted = 0.0
        was = min(255, round(speed))
        self.layout.pack_into(cell.memory, cell.at + 1, first, metres, was, by_speed, counted, *parts)
        return parts

    def _parts(self, cell: Cell) -> list[float]:
        """The ratio of each part that is known, newest first."""
        return _ratios(cell.read(self.layout, 1)[5:])

    def _verdict(self, ratios: list[float]) -> Verdict:
        if len(ratios) < PARTS:
            return Unsure(f"{len(ratios)} of {PARTS} parts of the way")
        low, high = self.detector.well
        if low <= ratios[0] <= high:
            return Clear("speed and odometer agree")
        for factor in FACTORS:
            if all(abs(ratio / factor - 1) <= self.detector.near for ratio in ratios):
                words = (
                    f"sensor or unit implausible: by its speed the car drives {number(round(ratios[0], 2))} times as "
                    "far as its odometer counts"
                )
                return Holds(Severity.ADVICE, words)
        return Unsure("speed and odometer disagree, by no factor between two units")

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        points = [(seen.ts, round(ratio, 3)) for ratio in self._parts(cell)[:1]]
        return (line("distance by speed over distance by odometer", "times", points),), (
            Limit(label="agree", value=1.0),
        )


def _ratios(parts: Iterable[int]) -> list[float]:
    return [exp((part - ONE) / PER_E) for part in parts if part]
