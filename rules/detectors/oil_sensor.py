"""Oil pressure that no engine has: it stands still whatever the engine does, or never was enough.

Pressure rises with the engine's speed. What is the same at idle and far above it is a sensor that is stuck, and an
engine that was never heard with half of what it needs does not drive for hours: that is another unit, or a sensor.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from rules.detectors.pressure import BUILT_UP_S, share_of_need
from rules.engine.detector import STILL, Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import ENGINE, RPM, number, signal_of
from schemas.alert import Limit
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

_PRESSURE, _RPM, _RUN = signal_of(f"{ENGINE}.EOP"), signal_of(RPM).id, signal_of(f"{ENGINE}.RunTime").id
TURNS_RPM = 500.0
SAME_KPA = 0.5  #: what differs by less has not moved
TIMES, MOST = 5, 250  #: looks that show it; what a byte counts
IDLE_RPM, FASTER = 1_100.0, 1.6  #: the same at idle and at so many times its speed
NEVER = 45.0  #: percent of need: on less no engine drives for hours
KNOWN, WAITS, TIMES_MASK = 15, 0x10, 7  #: instead of a count: it was heard with more; one low value proves nothing
GRAIN_RPM = 32.0


@dataclass(frozen=True, slots=True)
class OilSensor(Detector):
    """Looks each ten minutes while the engine turns."""

    def fit(self, profile: Profile) -> Fitted | None:
        return _OilSensor(profile) if {_PRESSURE.path, RPM} <= set(profile.fitted) else None


class _OilSensor(Fitted):
    period_s: int | None = 600
    patient = True  # a sensor stands for days
    #: after the period's byte: the value, the slowest and the fastest engine that showed it; in how many looks (its
    #: lowest bits), looks in which it was not enough, and whether the next message is to show it again (WAITS)
    layout = Struct("<eBBB")
    size = 1 + layout.size
    triggers = (_PRESSURE.id,)

    def __init__(self, profile: Profile) -> None:
        self.carries = (_RPM, _RUN) if f"{ENGINE}.RunTime" in profile.fitted else (_RPM,)

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        value, rpm = seen.now(_PRESSURE.id), seen.get(_RPM, 5.0)
        if value is None or rpm is None or rpm < TURNS_RPM:
            return [("", Unsure("the engine does not turn", missing=True))] if seen.open else STILL
        at, slow, fast, counts = self.layout.unpack_from(cell.memory, cell.at + 1)
        same, never = counts & TIMES_MASK, counts >> 3
        if seen.fresh:
            run = seen.get(_RUN, 5.0)
            if run is not None and run < BUILT_UP_S:
                cell.memory[cell.at] ^= 0x80  # looked at as soon as it has built up
                return STILL
            turns = min(MOST, int(rpm / GRAIN_RPM))
            if same and abs(value - at) <= SAME_KPA:
                slow, fast, same = min(slow, turns), max(fast, turns), min(TIMES, same + 1)
            else:
                at, slow, fast, same = value, turns, turns, 1
            if never != KNOWN:
                share = share_of_need(seen)
                if share is not None and share >= NEVER:
                    never = KNOWN
                elif never & WAITS:
                    never = min(KNOWN - 1, (never & ~WAITS) + 1)
                else:
                    never |= WAITS
                    cell.memory[cell.at] ^= 0x80
            self.layout.pack_into(cell.memory, cell.at + 1, at, slow, fast, same | never << 3)
        stuck = same >= TIMES and slow * GRAIN_RPM <= IDLE_RPM and fast >= FASTER * slow
        if stuck or TIMES <= never & ~WAITS < KNOWN:
            return [("", self._words(value, rpm, slow=slow * GRAIN_RPM, fast=fast * GRAIN_RPM, stuck=stuck))]
        if not seen.open:
            return STILL
        return [("", Clear(f"{_PRESSURE.title} moves") if same < TIMES else Unsure("too little is seen of it"))]

    def _words(self, value: float, rpm: float, slow: float, fast: float, stuck: bool) -> Verdict:
        kpa = f"{_PRESSURE.title} {number(round(value, 1))} kPa"
        if stuck:
            why = f"{kpa} at {slow:.0f} and at {fast:.0f} rpm: it stands still"
        else:
            why = f"{kpa} at {rpm:.0f} rpm and never enough since it was first heard: no engine drives on that"
        return Holds(Severity.ADVICE, f"sensor or unit implausible: {why}")

    def sample(self, component: str, seen: Snapshot) -> float | None:
        return seen.now(_PRESSURE.id)

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        need = seen.profile.limits.get("oil_pressure_idle_kpa", 80.0)
        return (line(_PRESSURE.title, "kPa", samples),), (Limit(label="needed at idle", value=need),)
