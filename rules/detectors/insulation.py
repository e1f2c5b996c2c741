"""High-voltage insulation against the car's own normal: meters end at 1, 3, 10 MΩ or more, and weather moves them.

What a car usually shows is learned as the level above which four of five samples lie, and how far they scatter; both
are ratios, so that a
car whose meter says ten times as much is judged alike. Dips below it now and then are the beginning; a collapse is told
at once. Only what
has been too low since it was first heard is held against the model's floor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log, sqrt
from struct import Struct

from rules.engine.detector import STILL, Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell, Ring
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import PACK, Level, OfProfile, level, number, signal_of, symbol
from schemas.alert import Limit
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

_INSULATION = signal_of(f"{PACK}.InsulationResistance")
SOON_KNOWN = 6  #: … and after so many, well enough to see a collapse
LEAST = 20  #: samples after which the normal is known
GRAIN = 40.0  #: kΩ: the dip's limit as a byte, rounded up, for the quiet line
ALWAYS = 255  #: above any value: the next sample is looked at
FIRST, LATER = (
    0.5,
    0.04,
)  #: step of the normal at the first sample (falling with the root of their number), and at least
FLOOR = OfProfile("insulation_floor_kohm", 200)
NEVER = 1e-3  #: kΩ: below what any meter says


@dataclass(frozen=True, slots=True)
class Insulation(Detector):
    """Dips to a share of the car's own normal.

    So many within a window are a fault, two samples in a row far below it are a collapse.
    """

    dip: float = 0.25  #: ln below normal that counts, or `spreads` times the usual scatter if that is more
    spreads: float = 4.5
    collapse: float = 0.2  #: of the normal
    times: int = 4
    urgent_times: int = 2  #: dips as deep as a collapse, `apart_s` from each other
    within_s: int = 3 * 86_400
    apart_s: int = 300
    floor: Level = FLOOR  #: a normal below it is a fault by itself …
    urgent_floor: float = 0.4  #: … and urgent below this share of it

    def fit(self, profile: Profile) -> Fitted | None:
        return _Insulation(self, profile) if _INSULATION.path in profile.fitted else None


class _Insulation(Fitted):
    period_s: int | None = 1_200
    #: after the period's byte: the dip's limit in GRAINs; samples learned; collapsed samples in a row and the second of
    #: the first; the
    #: normal and the usual scatter (both of ln kΩ)
    layout = Struct("<BHBIff")
    ring = Ring("If", 12, offset=1 + layout.size)
    size = 1 + layout.size + ring.size
    triggers = (_INSULATION.id,)

    def __init__(self, detector: Insulation, profile: Profile) -> None:
        self.detector, self.floor = detector, level(detector.floor, profile)

    def quiet(self, names: Mapping[int, str], at: int) -> str:
        return f"m[{at}] == q{self.period_s} and {names[_INSULATION.id]} >= m[{at + 1}] * {GRAIN!r}"

    def wakes(self, seen: Snapshot) -> bool:
        return seen.now(_INSULATION.id) is not None

    def _dip(self, normal: float, scatter: float) -> float:
        return exp(normal - max(self.detector.dip, self.detector.spreads * scatter))

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        value = seen.now(_INSULATION.id)
        if value is None:
            missing = Unsure(f"no reading of {_INSULATION.title}", missing=True)
            return [("", missing)] if seen.open else STILL
        mark, count, row, first, normal, scatter = cell.read(self.layout, 1)
        if not seen.fresh and not seen.open and count >= LEAST and value >= mark * GRAIN:
            return STILL  # quiet: nothing is written down
        limit, deep = self._dip(normal, scatter), self.detector.collapse * exp(normal)
        known, second = count >= LEAST, int(seen.ts)
        row, first = (min(250, row + 1), first if row else second) if count >= SOON_KNOWN and value < deep else (0, 0)
        if known and value < limit:
            times = [when for when, _ in self.ring.records(cell)]
            if all(abs(second - when) >= self.detector.apart_s for when in times):
                self.ring.push(cell, second, value)
        if (seen.fresh or not known) and not row and not seen.open:
            count, normal, scatter = _learned(count, normal, scatter, log(max(value, NEVER)), limit)
        mark = ALWAYS if row or count < LEAST else min(ALWAYS, int(self._dip(normal, scatter) / GRAIN) + 1)
        cell.write(self.layout, mark, count, row, first, normal, scatter, offset=1)
        if not known and row < 2:
            return [("", self._too_low(normal, count))]
        return [("", self._verdict(value, limit, deep, row, second - first, normal, seen, cell))]

    def _too_low(self, normal: float, count: int) -> Verdict:
        usual = exp(normal)
        if count >= LEAST // 4 and usual < self.floor:
            urgent = usual < self.detector.urgent_floor * self.floor
            words = (
                f"{_INSULATION.title} {number(round(usual))} kΩ since it was first heard, limit {number(self.floor)} kΩ"
            )
            return Holds(Severity.NOW if urgent else Severity.SOON, words)
        return Unsure(f"{count} of {LEAST} samples of what this car usually shows")

    def _verdict(
        self, value: float, limit: float, deep: float, row: int, for_s: int, normal: float, seen: Snapshot, cell: Cell
    ) -> Verdict:
        usual, unit = number(round(exp(normal))), symbol(_INSULATION.unit)
        said = f"{_INSULATION.title} {number(round(value))} {unit}; this car usually shows {usual} {unit}"
        if row >= 2 and for_s >= 1:
            return Holds(Severity.NOW, f"collapsed: {said}", at_once=True)
        since = seen.ts - self.detector.within_s
        recent = [v for when, v in self.ring.records(cell) if when > since]
        if len(recent) >= self.detector.times and (value < limit or seen.open):
            urgent = sum(v < deep for v in recent) >= self.detector.urgent_times
            hours = self.detector.within_s / 3600
            words = f"{said}; {len(recent)} dips within {hours:g} h"
            return Holds(Severity.NOW if urgent else Severity.SOON, words)
        if exp(normal) < self.floor:
            return self._too_low(normal, LEAST)
        if recent or value < limit:
            return Unsure(f"{len(recent)} of {self.detector.times} dips so far")
        return Clear(f"{said}; no dip since {self.detector.within_s / 3600:g} h")

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        _, _, _, _, normal, scatter = cell.read(self.layout, 1)
        dips = [(when, value) for when, value in reversed(self.ring.records(cell))]
        value = seen.now(_INSULATION.id)
        if value is not None and (not dips or dips[-1][0] != int(seen.ts)):
            dips.append((int(seen.ts), value))
        usual = Limit(label="usual", value=round(exp(normal), 1))
        dip = Limit(label="dip", value=round(self._dip(normal, scatter), 1))
        return (line(_INSULATION.title, symbol(_INSULATION.unit), dips),), (usual, dip)

    def sample(self, component: str, seen: Snapshot) -> float | None:
        return seen.now(_INSULATION.id)


def _learned(count: int, normal: float, scatter: float, value: float, limit: float) -> tuple[int, float, float]:
    """One more sample of ln kΩ.

    The normal goes up a little and down four times as much, so that one sample of five lies below it.
    """
    if not count:
        return 1, value, 0.0
    count = min(60_000, count + 1)
    most = max(LATER, FIRST / sqrt(count))
    away = value - normal
    if exp(value) >= limit or count <= LEAST:  # a dip is no scatter
        scatter += (min(abs(away), 1.0) - scatter) * max(0.05, 1.0 / count)
    step = 0.2 * most if away > 0 else 0.8 * most
    return count, normal + max(-step, min(step, away)), scatter
