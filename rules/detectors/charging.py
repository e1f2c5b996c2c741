"""The 12 V supply in motion and at rest: what an alternator must deliver, what a night may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct

from rules.detectors.usage_pattern import Habitual, _Habitual
from rules.engine.detector import STILL, Detector, Fitted, Judged, Picture, line
from rules.engine.feed import APART_S, LOOKED_BACK_S, TOGETHER_S, TURNED_RPM
from rules.engine.memory import Cell, Ring
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import BATTERY, RPM, SPEED, OfProfile, level, middle, number, signal_of
from schemas.alert import Limit
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

_VOLTAGE = signal_of(f"{BATTERY}.CurrentVoltage").id
MODULE = "Vehicle.OBD.ControlModuleVoltage"  #: OBD PID 42: all that many dongles have of the 12 V supply
_MODULE = signal_of(MODULE).id
_IGNITION = signal_of("Vehicle.LowVoltageSystemState").id
_RPM, _SPEED = signal_of(RPM).id, signal_of(SPEED).id
LOST = 0.04  #: of the nominal voltage: two meters of one supply differ by less
MOVES, RPM_GRAIN, GRAINS = 0.0025, 64.0, 4  #: of the nominal voltage; so many grains of rpm (or km/h) move a supply
BEGUN, VOLTS, DRIVER, FLAGS = 4, 1, 2, 3  #: the last: of the cell's four bytes, which has them
HARD = OfProfile("charging_low_v", 13.0, 0.985)
SURE_V = 12.6
OFF_RPM = TURNED_RPM[0]  #: nothing turns
SHORT, LONG = 0.12, 1 / 150  #: weight of one rest in the two means
PARKED_S = 36 * 3600.0  #: after a longer rest a lower voltage is no sign: every car sleeps on its battery
IGNITION = "Vehicle.LowVoltageSystemState"


def running(seen: Snapshot) -> float | None:
    """The voltage while something should be charging: engine turning, or an electric car switched on."""
    ignition = seen.get(_IGNITION, 86_400.0)
    if ignition is not None and ignition != 2.0:
        return None
    rpm = seen.get(_RPM, TOGETHER_S)
    if rpm is None and (seen.profile.drive != "electric" or ignition is None):
        return None
    if rpm is not None and rpm < 400:
        return None
    return _higher(seen)


def _higher(seen: Snapshot) -> float | None:
    """What is said of the battery goes before; where its control unit has clearly more, a sense wire has lost it."""
    if "supply" not in seen.shared:
        seen.shared["supply"] = _supply(seen)
    found: float | None = seen.shared["supply"]
    return found


def _supply(seen: Snapshot) -> float | None:
    value, module = seen.now(_VOLTAGE), seen.now(_MODULE)
    if value is None:
        return module if seen.before(_VOLTAGE, 86_400.0) is None else None
    if module is None or module <= value:
        return value
    return module if module > value + LOST * seen.profile.limits.get("battery_nominal_v", 12.0) else value


@dataclass(frozen=True, slots=True)
class Running(Habitual):
    """A running voltage that moves: one that stays the same whatever the engine does is a sensor's."""

    def fit(self, profile: Profile) -> Fitted | None:
        fits = self.path in profile.fitted or self.instead in profile.fitted
        return _Running(self, profile) if fits else None


class _Running(_Habitual):
    #: what the voltage and the engine (else the car's speed) were when it first was low, and which has moved
    first = Struct("<eBB")

    def __init__(self, detector: Habitual, profile: Profile) -> None:
        super().__init__(detector, profile)
        self.nominal = profile.limits.get("battery_nominal_v", 12.0)
        self.begun = self.size
        self.size += self.first.size

    def _value(self, seen: Snapshot) -> float | None:
        return _higher(seen)

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        value = seen.now(_VOLTAGE)
        if value is not None and value >= self.clear and seen.fresh and self._plain(value, seen, cell):
            return self._weighed(value, False, 0.0, means=self._learn(value, seen, cell), seen=seen, cell=cell)
        judged = super().judge(seen, cell)
        if judged is STILL and not cell.memory[cell.at + self.begun + FLAGS]:
            value = seen.now(self.id)
            if value is not None and value >= self.clear:  # as nearly always
                return judged
        value = running(seen)
        if value is None or self._moves(value, seen, cell) or judged is STILL:
            return judged
        words = f"{self.signal.title} stands at {value:.1f} V whatever the engine does"
        return [(c, Unsure(words) if isinstance(v, Holds) else v) for c, v in judged]

    def _plain(self, value: float, seen: Snapshot, cell: Cell) -> bool:
        """As nearly always: the battery's own voltage, while the engine turns, of a car of which nothing was low."""
        memory, at, now = cell.memory, cell.at, seen.now
        rpm, module = now(_RPM), now(_MODULE)
        if seen.open or memory[at + self.begun + FLAGS] or memory[at + self.last] or rpm is None or rpm < 400:
            return False
        ignition = seen.get(_IGNITION, 86_400.0)
        return (ignition is None or ignition == 2.0) and (module is None or module <= value + LOST * self.nominal)

    def _moves(self, value: float, seen: Snapshot, cell: Cell) -> bool:
        """Whether it moved since it is low, or nothing did that would have moved it."""
        volts, driver, flags = cell.read(self.first, self.begun)
        if value >= self.clear:
            if flags:
                cell.write(self.first, 0.0, 0, 0, offset=self.begun)
            return True
        rpm = seen.now(_RPM)
        now = min(255, int(rpm / RPM_GRAIN if rpm is not None else (seen.get(_SPEED) or 0.0)))
        if not flags:
            volts, driver, flags = value, now, BEGUN
        flags |= VOLTS * (abs(value - volts) >= MOVES * self.nominal) | DRIVER * (abs(now - driver) >= GRAINS)
        cell.write(self.first, volts, driver, flags, offset=self.begun)
        return bool(flags != BEGUN | DRIVER)


def less_at_the_module(profile: Profile) -> float:
    """Of a car whose model charges high, smart charging is not known; a full battery has SURE_V by itself, and a
    control unit somewhat less. Below that nothing charges.
    """
    sure = SURE_V * profile.limits.get("battery_nominal_v", 12.0) / 12.0
    return max(0.0, level(HARD, profile) - sure)


def RunningVoltage() -> Habitual:
    """Below what the model's alternator or converter delivers, or below the car's own habit.

    Smart charging rests on purpose.
    """
    return Running(
        f"{BATTERY}.CurrentVoltage",
        way=-1,
        clear=OfProfile("charging_low_v", 13.0, plus=0.15),
        soon=OfProfile("charging_low_v", 13.0),
        now=OfProfile("charging_low_v", 13.0, 0.96),
        hard=HARD,
        drift=OfProfile("battery_nominal_v", 12.0, 0.5 / 12),
        unit="V",
        measure=running,
        reads=(IGNITION, RPM),
        period_s=600,
        weight=0.06,
        least=5,
        only=(IGNITION, 2.0),
        what="running voltage",
        instead=MODULE,
        less=less_at_the_module,
    )


LOST_V = 6.0  #: no control unit speaks on less
AWAKE_V = 0.3  #: by so much a control unit and what is switched on with it pull a resting battery down, at most
SAGS_V = 0.2  #: what is switched on by the season changes a first word by less: a lamp, a fan, a heated pane


@dataclass(frozen=True, slots=True)
class StandingLoss(Detector):
    """Resting voltages of the last days against a level, and against the car's own long mean: a drain lowers them
    all.

    Where a car has none, the control module's voltage with the engine off counts, the first of a day. What is switched
    on by then differs from morning to morning: of the last of them the middle one counts, and against those before only
    where all but one are lower than all but one of these were.
    """

    level: float = 12.15
    fallen: float = 0.06
    least: int = 6
    known: int = 24
    mornings: int = 5  #: … of a dongle, within two weeks
    full: float = 12.45  #: who rests above it has enough, whatever it used to have

    def fit(self, profile: Profile) -> Fitted | None:
        rests = f"{BATTERY}.RestingVoltage" in profile.fitted or {MODULE, RPM} <= set(profile.fitted)
        return _StandingLoss(self, profile) if rests else None


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
        self.module = {MODULE, RPM} <= set(profile.fitted)
        self.triggers = (self.signal.id, _MODULE) if self.module else (self.signal.id,)
        self.carries = (_SPEED, _RPM) if self.module else (_SPEED,)
        self.quieted_by = _RPM if self.module else None
        self.size = self.layout.size + self.ring.size

    def quiet(self, names: Mapping[int, str], at: int) -> str:
        if self.signal.id in names:
            return ""
        return f"{names[_RPM]} >= {OFF_RPM!r}" if _RPM in names else ""

    def remember(self, seen: Snapshot, cell: Cell) -> None:
        value = seen.now(self.signal.id)
        if value is not None:
            self.ring.push(cell, int(seen.ts), value)

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        value = seen.now(self.signal.id)
        if value is None and self.module:
            self._first_word(seen, cell)
        count, short, long = self.layout.unpack_from(cell.memory, cell.at)
        if value is None:
            return self._by_first_words(seen, cell) if count and not long else self._judged(count, short, long, seen)
        if count and not long:  # what another signal said before counts no more
            count, short = 0, 0.0
            self.layout.pack_into(cell.memory, cell.at, count, short, long)
            self.ring.keep(cell, [])
        if value < self.low or seen.get(_SPEED, PARKED_S) is not None:
            self.ring.push(cell, int(seen.ts), value)
            count = min(count + 1, 60_000)
            share = 1 / count
            short += (value - short) * (share if share > SHORT else SHORT)
            if not seen.open:
                long += (value - long) * (share if share > LONG else LONG)
            self.layout.pack_into(cell.memory, cell.at, count, short, long)
        return self._judged(count, short, long, seen)

    def _first_word(self, seen: Snapshot, cell: Cell) -> None:
        """A rest by the control module's voltage; the long mean stays 0: there is none."""
        volts, rpm = seen.now(_MODULE), seen.get(_RPM, TOGETHER_S)
        count, short, long = self.layout.unpack_from(cell.memory, cell.at)
        newest = self.ring.newest(cell)
        if volts is None or rpm is None or rpm >= OFF_RPM or long or volts < LOST_V * self.scale:
            return
        if newest is not None and seen.ts - newest[0] < APART_S:
            return
        self.ring.push(cell, int(seen.ts), volts + AWAKE_V * self.scale)
        self.layout.pack_into(cell.memory, cell.at, min(count + 1, 60_000), short, 0.0)

    def _by_first_words(self, seen: Snapshot, cell: Cell) -> Judged:
        told, wanted, records = bool(seen.open), self.detector.mornings, self.ring.records(cell)
        lately = [r[1] for r in records[:wanted] if seen.ts - r[0] <= LOOKED_BACK_S]
        if len(lately) < wanted:
            return [("", Unsure(f"{len(lately)} of {wanted} mornings seen within two weeks"))] if told else STILL
        rests, before = middle(lately), [r[1] for r in records[wanted:]]
        words, full = f"battery rests at {rests:.2f} V in the last {wanted} mornings", self.detector.full * self.scale
        if rests < self.low:
            severity = Severity.NOW if rests < self.low - 0.25 * self.scale else Severity.SOON
            return [("", Holds(severity, f"{words}, limit {number(self.low)} V"))]
        if len(before) >= wanted and rests < full and sorted(lately)[-2] < sorted(before)[1]:
            usual = middle(before)
            if rests < usual - SAGS_V * self.scale:
                return [("", Holds(Severity.SOON, f"{words}; this car used to rest at {usual:.2f} V"))]
        if not told:
            return STILL
        return [("", Clear(words) if rests > full else Unsure(f"{words}, between the levels"))]

    def _judged(self, count: int, short: float, long: float, seen: Snapshot) -> Judged:
        if not seen.open and (count < self.detector.least or (short > self.well and short > long - self.usual)):
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
