"""Speed over time against the odometer: miles where kilometres belong, which no single value shows.

Both may be a tenth off, by worn tyres and a speedometer that flatters. What is off by the factor between two units,
over hundreds of kilometres and in each part of them, is no sensor: which of the two it is, and in which unit, is worked
out where a person decides (rules/detectors/unit_of.py).
"""

from __future__ import annotations

from dataclasses import dataclass
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
APART_S = (30, 900)  #: between two looks
PARTS = 3
TICK_S, TICKS = 10, 65_536  #: a look's time in a few bytes: looks a week apart are none of one drive
MOST_KM = 60_000.0  #: of a half float
#: what the ratio is where one of the two is said in another unit
FACTORS = (*(unit.factor for unit in UNITS["m"]), *(1 / unit.factor for unit in UNITS["km/h"]))


@dataclass(frozen=True, slots=True)
class Distances(Detector):
    """PARTS of the way in a row, each `part_km` by its speed, off by the same factor between two units."""

    part_km: float = 150.0
    near: float = 0.22  #: of the factor; a look each ten minutes knows a part's distance to about a tenth
    well: tuple[float, float] = (0.85, 1.2)

    def fit(self, profile: Profile) -> Fitted | None:
        return _Distances(self) if {SPEED, ODOMETER} <= set(profile.fitted) else None


class _Distances(Fitted):
    period_s: int | None = 600
    patient = True  # a unit stands for months, and one look each ten minutes ends it as well
    #: after the period's byte: of the last look the time and the odometer; km by speed and by the odometer so far, and
    #: the speed then; how many parts are known, and their ratios, newest first
    layout = Struct("<HfeeeBeee")
    size = 1 + layout.size
    triggers = (_ODOMETER.id,)
    carries = (_SPEED.id,)

    def __init__(self, detector: Distances) -> None:
        self.detector = detector

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        metres, speed = seen.now(_ODOMETER.id), seen.get(_SPEED.id, 60.0)
        if metres is None or speed is None:
            return [("", Unsure("speed and odometer are not said together", missing=True))] if seen.open else STILL
        count, ratios = self._look(int(seen.ts), metres, speed, cell) if seen.fresh else self._parts(cell)
        if not seen.open and (count < PARTS or self.detector.well[0] <= ratios[0] <= self.detector.well[1]):
            return STILL  # as nearly always
        return [("", self._verdict(ratios[:count]))]

    def _look(self, second: int, metres: float, speed: float, cell: Cell) -> tuple[int, list[float]]:
        last, before, by_speed, counted, was, count, *ratios = self.layout.unpack_from(cell.memory, cell.at + 1)
        tick = second // TICK_S % TICKS or 1
        apart = (tick - last) % TICKS * TICK_S
        if last and APART_S[0] <= apart <= APART_S[1] and metres >= before:
            by_speed += (speed + was) / 2 / 3_600.0 * apart
            counted = min(MOST_KM, counted + (metres - before) / 1000.0)
            if by_speed >= self.detector.part_km:
                if counted > 0:
                    count, ratios = min(PARTS, count + 1), [min(MOST_KM, by_speed / counted), *ratios[:-1]]
                by_speed = counted = 0.0
        self.layout.pack_into(cell.memory, cell.at + 1, tick, metres, by_speed, counted, speed, count, *ratios)
        return count, ratios

    def _parts(self, cell: Cell) -> tuple[int, list[float]]:
        """How many parts are known, and the ratio of each, newest first."""
        _, _, _, _, _, count, *ratios = cell.read(self.layout, 1)
        return count, ratios

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
        count, ratios = self._parts(cell)
        points = [(seen.ts, round(ratio, 3)) for ratio in ratios[:count][:1]]
        return (line("distance by speed over distance by odometer", "times", points),), (
            Limit(label="agree", value=1.0),
        )
