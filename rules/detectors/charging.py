"""The 12 V supply in motion and at rest: what an alternator must deliver, what a night may cost."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from rules.detectors.usage_pattern import Habitual
from rules.engine.detector import STILL, Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell, Ring
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import BATTERY, RPM, SPEED, OfProfile, number, signal_of
from schemas.alert import Limit
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

_VOLTAGE = signal_of(f"{BATTERY}.CurrentVoltage").id
MODULE = "Vehicle.OBD.ControlModuleVoltage"  #: OBD PID 42: all that many dongles have of the 12 V supply
_MODULE = signal_of(MODULE).id
_IGNITION = signal_of("Vehicle.LowVoltageSystemState").id
_RPM, _SPEED = signal_of(RPM).id, signal_of(SPEED).id
SHORT, LONG = 0.12, 1 / 150  #: weight of one rest in the two means
PARKED_S = 36 * 3600.0  #: after a longer rest a lower voltage is no sign: every car sleeps on its battery
IGNITION = "Vehicle.LowVoltageSystemState"


def running(seen: Snapshot) -> float | None:
    """The voltage while something should be charging: engine turning, or an electric car switched on."""
    ignition = seen.get(_IGNITION, 86_400.0)
    if ignition is not None and ignition != 2.0:
        return None
    rpm = seen.now(_RPM)
    if rpm is None and (seen.profile.drive != "electric" or ignition is None):
        return None
    if rpm is not None and rpm < 400:
        return None
    value = seen.now(_VOLTAGE)  # what is said of the battery itself goes before
    return seen.now(_MODULE) if value is None and seen.before(_VOLTAGE, 86_400.0) is None else value


def RunningVoltage() -> Habitual:
    """Below what the model's alternator or converter delivers, or below the car's own habit.

    Smart charging rests on purpose.
    """
    return Habitual(
        f"{BATTERY}.CurrentVoltage",
        way=-1,
        clear=OfProfile("charging_low_v", 13.0, plus=0.15),
        soon=OfProfile("charging_low_v", 13.0),
        now=OfProfile("charging_low_v", 13.0, 0.96),
        hard=OfProfile("charging_low_v", 13.0, 0.985),
        drift=OfProfile("battery_nominal_v", 12.0, 0.5 / 12),
        unit="V",
        measure=running,
        reads=(IGNITION,),
        period_s=600,
        weight=0.06,
        least=5,
        only=(IGNITION, 2.0),
        what="running voltage",
        instead=MODULE,
    )


@dataclass(frozen=True, slots=True)
class StandingLoss(Detector):
    """Resting voltages of the last days against a level, and against the car's own long mean: a drain lowers them
    all.
    """

    level: float = 12.15
    fallen: float = 0.06
    least: int = 6
    known: int = 24

    def fit(self, profile: Profile) -> Fitted | None:
        return _StandingLoss(self, profile) if f"{BATTERY}.RestingVoltage" in profile.fitted else None


class _StandingLoss(Fitted):
    layout = Struct("<Hff")  # samples, short mean, long mean
    ring = Ring("If", 16, offset=Struct("<Hff").size)

    def __init__(self, detector: StandingLoss, profile: Profile) -> None:
        self.detector, self.scale = detector, profile.limits.get("battery_nominal_v", 12.0) / 12.0
        self.signal, self.low = signal_of(f"{BATTERY}.RestingVoltage"), detector.level * self.scale
        self.well, self.usual = (
            self.low + 0.05 * self.scale,
            0.4 * detector.fallen * self.scale,
        )  # above the level, and so near to the long mean
        self.triggers, self.carries, self.size = (self.signal.id,), (_SPEED,), self.layout.size + self.ring.size

    def remember(self, seen: Snapshot, cell: Cell) -> None:
        value = seen.now(self.signal.id)
        if value is not None:
            self.ring.push(cell, int(seen.ts), value)

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        value = seen.now(self.signal.id)
        if value is not None and (value < self.low or seen.get(_SPEED, PARKED_S) is not None):
            self.ring.push(cell, int(seen.ts), value)
            count, short, long = self.layout.unpack_from(cell.memory, cell.at)
            count = min(count + 1, 60_000)
            share = 1 / count
            short += (value - short) * (share if share > SHORT else SHORT)
            if not seen.open:
                long += (value - long) * (share if share > LONG else LONG)
            self.layout.pack_into(cell.memory, cell.at, count, short, long)
        return self._judged(cell, bool(seen.open))

    def _judged(self, cell: Cell, told: bool) -> Judged:
        count, short, long = self.layout.unpack_from(cell.memory, cell.at)
        if not told and (count < self.detector.least or (short > self.well and short > long - self.usual)):
            return STILL
        return [("", self._verdict(count, short, long))]

    def _verdict(self, count: int, short: float, long: float) -> Verdict:
        limit = self.low
        if count < self.detector.least:
            return Unsure(f"{count} of {self.detector.least} rests seen")
        words = f"battery rests at {short:.2f} V on average"
        if short < limit:
            return Holds(
                Severity.NOW if short < limit - 0.25 * self.scale else Severity.SOON,
                f"{words}, limit {number(limit)} V",
            )
        if count >= self.detector.known and short < long - self.detector.fallen * self.scale:
            return Holds(Severity.SOON, f"{words}; this car used to rest at {long:.2f} V")
        if short > self.well and short > long - self.usual:
            return Clear(words)
        return Unsure(f"{words}, between the levels")

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        points = [(r[0], r[1]) for r in reversed(self.ring.records(cell))]
        long = cell.read(self.layout)[2]
        return (line("resting voltage", "V", points),), (
            Limit(label="soon", value=self.detector.level * self.scale),
            Limit(label="usual", value=round(long, 2)),
        )
