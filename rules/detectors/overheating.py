"""An engine that is too hot, told from a thermometer in °F: a car whose normal is known is believed at once.

In °F an engine warms up through all that would be dangerous in °C, within minutes, and stays where no engine is (which
rules/detectors/believable.py doubts). So a car that was never seen at an engine's usual temperature, and whose engine
has just started, must be hot for longer than a warm-up passes through it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct

from rules.detectors.threshold import Threshold
from rules.engine.detector import STILL, Detector, Fitted, Judged, Picture
from rules.engine.memory import Cell
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import COOLANT, ENGINE, signal_of
from schemas.profile import Profile
from schemas.verdict import Holds, Unsure

_COOLANT, _RUN = signal_of(COOLANT).id, signal_of(f"{ENGINE}.RunTime").id
KNOWN = 2  #: warm samples after which the car's normal is known
WARM_S = 600.0  #: an engine that has run so long says what it usually says
STARTED_S = 900.0  #: within this time of its start an engine may be warming up
FIRST_S = 600  #: hot for so long where the normal is not known


@dataclass(frozen=True, slots=True)
class Overheating(Detector):
    """`limits` on the coolant; between the model's "warm" and their clear level a healthy engine is when it has run."""

    limits: Threshold
    below_warm: float = 5.0  #: Kelvin below the model's "warm" that still count as usual

    def fit(self, profile: Profile) -> Fitted | None:
        limits = self.limits.fit(profile)
        return None if limits is None else _Overheating(self, limits, profile)


class _Overheating(Fitted):
    quiet_is_clear, period_s = True, 1_200
    layout = Struct("<BI")  #: after the period's byte: warm samples; second since when it is hot
    size = 1 + layout.size

    def __init__(self, detector: Overheating, limits: Fitted, profile: Profile) -> None:
        self.limits, self.triggers = limits, (_COOLANT,)
        self.carries = (*limits.carries, *((_RUN,) if f"{ENGINE}.RunTime" in profile.fitted else ()))
        self.usual = profile.limits.get("coolant_warm_c", 80.0) - detector.below_warm
        self.hot = max(part.clear for part in limits.parts.values())  # type: ignore[attr-defined]

    def quiet(self, names: Mapping[int, str], at: int) -> str:
        return f"m[{at}] == q{self.period_s} and {names[_COOLANT]} <= {self.hot!r}"

    def wakes(self, seen: Snapshot) -> bool:
        value = seen.now(_COOLANT)
        return value is not None and value > self.hot

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        value = seen.now(_COOLANT)
        if value is None:
            return self.limits.judge(seen, cell)
        known, since = cell.read(self.layout, 1)
        run = seen.get(_RUN, 60.0)
        if value <= self.hot:
            if seen.fresh and value >= self.usual and known < KNOWN and run is not None and run >= WARM_S:
                known += 1
            if since or seen.fresh:
                cell.write(self.layout, known, 0, offset=1)
            return self.limits.judge(seen, cell) if seen.open else STILL
        second = int(seen.ts)
        if not since or second < since:
            since = second
        cell.write(self.layout, known, since, offset=1)
        cell.memory[cell.at] ^= 0x80  # the next sample is looked at: it may end this
        judged = list(self.limits.judge(seen, cell))
        sure = known >= KNOWN or run is None or run >= STARTED_S or second - since >= FIRST_S
        if sure:
            return judged
        return [
            (c, Unsure(f"{v.because}; what this car usually shows is not known yet") if isinstance(v, Holds) else v)
            for c, v in judged
        ]

    def sample(self, component: str, seen: Snapshot) -> float | None:
        return self.limits.sample(component, seen)

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        return self.limits.picture(component, samples, cell, seen)
