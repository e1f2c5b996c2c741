"""What a sensor at its end stop, a loose wire or a wrong unit says, told from what a car can do.

A value within its band is believed. Beyond it the car's own past and its other signals decide: what fell there through
values between, is a fall; what stood there from one sample to the next, while all else says that nothing happened, is
the sensor's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rules.detectors.overnight import (
    LOOKED_AT,
    MOVES_K,
    OFFSET,
    STANDS_STILL,
    STARTED_S,
    STOOD_S,
    apart,
    just_started,
    unmoved,
)
from rules.detectors.trend import DAY_S
from rules.engine.detector import STILL, Detector, Judged, Picture, line
from rules.engine.memory import Cell
from rules.engine.sieve import DOUBTS, NowAndThen, Sieve, Wider
from rules.engine.snapshot import LATEST, Snapshot
from rules.engine.thresholds import (
    BATTERY,
    COOLANT,
    ENGINE,
    OUTSIDE,
    PACK,
    RPM,
    SPEED,
    WHEELS,
    number,
    signal_of,
    symbol,
)
from schemas.alert import Limit
from schemas.correction import SLOT
from schemas.profile import Profile
from schemas.signal import Signal
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

_SPEED, _RPM, _OUTSIDE = signal_of(SPEED).id, signal_of(RPM).id, signal_of(OUTSIDE).id
_RUN, _OIL = signal_of(f"{ENGINE}.RunTime").id, signal_of(f"{ENGINE}.EngineOil.Temperature").id
_COOLANT, _LEVEL = signal_of(COOLANT).id, signal_of(f"{ENGINE}.EngineCoolant.Level").id
TIMES = 3  #: doubted so often among the last seven samples: not a lost frame any more
_SEEN, _FELL = 0x7F, 0x80  #: of a signal's byte: its last seven samples, a bit each; and that it went there by itself
TURNS_RPM, ROLLS_KMH = 400.0, 30.0  #: the engine turns; nobody drives so fast on a flat tyre
WITH_IT_S = 120.0  #: what was said within two minutes is said of the same instant
FAHRENHEIT = "its normal in Fahrenheit"
COLD_OIL_C = 60.0  #: no engine whose oil is colder has coolant that boils
WARM_C = 75.0  #: … and is in °C what a warm engine has
SURE, MOST, WARM_S = (
    3,
    20,
    600.0,
)  #: seen in °F so often; remembered up to so often; warm samples after that take one off
LAMP_S = 60 * DAY_S  #: a lamp is said by change: its last word holds
PSI_KPA, BAR_KPA = 6.895, 100.0

Reason = str | None  #: why a value is not believed
Doubt = Callable[
    ["Gate", float, float | None, int, Snapshot], tuple[Reason, bool]
]  #: … and whether it fell there by itself


@dataclass(frozen=True, slots=True)
class Gate:
    """One signal: the band within which it is believed, and what to ask beyond."""

    name: str  #: the alert's component
    signal: Signal
    low: float
    high: float
    ask: Doubt
    between: float  #: a low value after one below this, and within the band, has fallen there
    normal: float = 0.0  #: of the model: placard, nominal voltage
    with_it: tuple[int, ...] = ()  #: signals that confirm it
    still: int = 0  #: its bit among those that cool while the car stands: one that does not is stuck


def _beyond(gate: Gate, value: float, before: float | None, bits: int, seen: Snapshot) -> tuple[Reason, bool]:
    """Nothing that works gives such a value."""
    return "no such part gives that while it works", False


def _fell(gate: Gate, value: float, before: float | None, bits: int, seen: Snapshot) -> tuple[Reason, bool]:
    """Low is believed when it came through values between."""
    if value > gate.high:
        return _hint(gate, value) or "no such part gives that", False
    if bits & _FELL or (before is not None and gate.low <= before < gate.between):
        return None, True
    return _hint(gate, value) or (
        "its first value ever" if before is None else f"{_said(gate, before)} before, and nothing between"
    ), False


def _while_turning(gate: Gate, value: float, before: float | None, bits: int, seen: Snapshot) -> tuple[Reason, bool]:
    """No engine turns on so little, and no unit speaks on half of that; at rest a battery may be that empty."""
    if 0.6 * gate.low <= value <= gate.high and not _turns(seen):
        return None, False
    reason, fell = _fell(gate, value, before, bits, seen)
    return (f"the engine turns on it: {reason}" if reason and value < gate.low and _turns(seen) else reason), fell


def _wheel(gate: Gate, value: float, before: float | None, bits: int, seen: Snapshot) -> tuple[Reason, bool]:
    """A flat tyre falls, or its lamp says so, or it is found flat at rest where no lamp speaks; it does not roll for
    minutes, and four are not flat at once.
    """
    reason, fell = _fell(gate, value, before, bits, seen)
    if reason is None or value > gate.high:
        return reason, fell
    lamp = next((seen.get(lamp, LAMP_S) for lamp in gate.with_it), None)
    if lamp == 1.0:
        return None, True  # the car itself says so
    low = sum(v is not None and v < gate.low for v in map(seen.now, _PRESSURES))
    if low >= 3:
        return _hint(gate, value) or f"{low} wheels say so at once", False
    speed = seen.get(_SPEED, WITH_IT_S)
    if before is not None and lamp is None and bits.bit_count() < TIMES - 1 and (speed is None or speed < ROLLS_KMH):
        return None, False
    if lamp == 0.0:
        reason = f"its lamp is off; {reason}"
    return reason if speed is None else f"at {speed:.0f} km/h; {reason}", False


def _hot(gate: Gate, value: float, before: float | None, bits: int, seen: Snapshot) -> tuple[Reason, bool]:
    """Coolant boils: it comes that far from an engine that is hot already, and not much further."""
    if value < gate.low:
        outside = seen.get(_OUTSIDE, 7_200.0)
        cold = outside is not None and outside < gate.low + 10.0
        return (None if cold else "colder than any air around it"), False
    celsius, oil = (value - 32.0) / 1.8, seen.get(_OIL, 60.0)
    if seen.shared.get("fahrenheit"):
        return f"{FAHRENHEIT}, as it was seen before: {celsius:.0f} °C", False
    if oil is not None and oil < COLD_OIL_C and value < gate.between + 30.0:
        return f"the oil has {oil:.0f} °C: rather {celsius:.0f} °C in Fahrenheit", False
    if value <= gate.between:
        return None, False
    if value <= gate.between + 30.0 and (bits & _FELL or (seen.before(gate.signal.id, WITH_IT_S) or 0.0) >= gate.high):
        return None, True
    usual = 60.0 <= celsius < gate.high - 6.0  # 215 is rather 0xFF
    return f"{FAHRENHEIT}: {celsius:.0f} °C" if usual else "hotter than any engine that runs", False


def _emptied(gate: Gate, value: float, before: float | None, bits: int, seen: Snapshot) -> tuple[Reason, bool]:
    """A tank runs empty through levels between, or its engine gets hot; a wire breaks from one sample to the next."""
    if before is None:
        return "never anything else since it was first heard", False
    hot = seen.get(_COOLANT, WITH_IT_S) if gate.signal.id == _LEVEL else None
    if hot is not None and hot >= seen.profile.limits.get("coolant_max_c", 110.0) - 4.0:
        return None, True
    return _fell(gate, value, before, bits, seen)


def _heated(gate: Gate, value: float, before: float | None, bits: int, seen: Snapshot) -> tuple[Reason, bool]:
    """A pack gets that hot through temperatures between."""
    if value < gate.low:
        return "colder than any air around it", False
    if bits & _FELL or (before is not None and before >= gate.between):
        return None, True
    return ("its first value ever" if before is None else f"{_said(gate, before)} before, and nothing between"), False


def _unpressed(gate: Gate, value: float, before: float | None, bits: int, seen: Snapshot) -> tuple[Reason, bool]:
    """No oil pressure at all while the engine turns: it is believed when it fell there; a wire breaks at once."""
    rpm = seen.get(_RPM, WITH_IT_S)
    if value <= gate.high and (rpm is None or rpm < TURNS_RPM):
        return None, False
    return _fell(gate, value, before, bits, seen)


def _turns(seen: Snapshot) -> bool:
    rpm, speed = seen.get(_RPM, WITH_IT_S), seen.get(_SPEED, WITH_IT_S)
    return (rpm is not None and rpm >= TURNS_RPM) or (speed is not None and speed >= ROLLS_KMH)


def _hint(gate: Gate, value: float) -> Reason:
    """Which unit or scale would make it a normal value; a person decides."""
    scales = (
        [("in psi", PSI_KPA), ("in bar", BAR_KPA)]
        if gate.ask is _wheel
        else [("half of it", 2.0), ("twice as much", 0.5)]
    )
    return (
        next((f"its normal, {words}" for words, times in scales if 0.8 <= value * times / gate.normal <= 1.3), None)
        if gate.normal and value
        else None
    )


def _said(gate: Gate, value: float) -> str:
    return f"{number(round(value, 1))} {symbol(gate.signal.unit)}".strip()


_PRESSURES = tuple(signal_of(f"{branch}.Tire.Pressure").id for branch in WHEELS.values())


def _gates(profile: Profile) -> list[Gate]:
    limits = profile.limits
    volts, hot = limits.get("battery_nominal_v", 12.0), limits.get("coolant_max_c", 110.0)
    gearbox = limits.get("transmission_max_c", 125.0)
    found = []

    def gate(
        name: str,
        path: str,
        low: float,
        high: float,
        ask: Doubt,
        between: float = 0.0,
        normal: float = 0.0,
        with_it: tuple[str, ...] = (),
        still: int = 0,
    ) -> None:
        if path in profile.fitted:
            also = tuple(signal_of(p).id for p in with_it if p in profile.fitted)
            found.append(Gate(name, signal_of(path), low, high, ask, between, normal, also, still))

    for wheel, branch in WHEELS.items():
        placard = limits.get(f"tyre_placard_{wheel.partition('_')[0]}_kpa", 230.0)
        gate(
            f"tyre_pressure_{wheel}",
            f"{branch}.Tire.Pressure",
            0.35 * placard,
            1.8 * placard,
            _wheel,
            0.75 * placard,
            placard,
            (f"{branch}.Tire.IsPressureLow",),
        )
        gate(f"tyre_temperature_{wheel}", f"{branch}.Tire.AirTemperature", -39.5, 125.0, _beyond)
    gate(
        "battery_voltage",
        f"{BATTERY}.CurrentVoltage",
        0.65 * volts,
        1.5 * volts,
        _while_turning,
        0.88 * volts,
        1.1 * volts,
    )
    gate(
        "control_module_voltage",
        "Vehicle.OBD.ControlModuleVoltage",
        0.65 * volts,
        1.5 * volts,
        _while_turning,
        0.88 * volts,
        1.1 * volts,
    )
    gate("resting_voltage", f"{BATTERY}.RestingVoltage", 0.65 * volts, 1.5 * volts, _fell, 0.97 * volts, 1.05 * volts)
    gate(
        "cranking_voltage", f"{BATTERY}.CrankingVoltageMin", 0.5 * volts, 1.5 * volts, _fell, 0.65 * volts, 0.85 * volts
    )
    gate("coolant_temperature", COOLANT, -39.5, hot - 4.0, _hot, hot + 20.0, still=1)
    gate("coolant_level", f"{ENGINE}.EngineCoolant.Level", 0.5, 100.0, _emptied, 70.0)
    gate("brake_fluid_level", "Vehicle.Chassis.Brake.FluidLevel", 0.5, 100.0, _emptied, 70.0)
    idle = limits.get("oil_pressure_idle_kpa", 80.0)
    gate("oil_pressure", f"{ENGINE}.EOP", 0.06 * idle, 1_000.0, _unpressed, 0.9 * idle)
    gate("gearbox_temperature", "Vehicle.Powertrain.Transmission.Temperature", -60.0, gearbox + 40.0, _beyond, still=2)
    gate("air_pressure", "Vehicle.OBD.BarometricPressure", 50.0, 115.0, _beyond)
    gate("pack_alarm", f"{PACK}.AlarmLevel", 0.0, 13.0, _beyond)  # 14 and 15 say that there is no such word
    gate("lowest_cell", f"{PACK}.CellVoltage.Min", 1.5, 5.0, _fell, 3.0)
    gate("pack_temperature", f"{PACK}.Temperature.Max", -39.5, limits.get("pack_max_c", 55.0) + 25.0, _heated, 60.0)
    floor = limits.get("insulation_floor_kohm", 200.0)
    gate("insulation", f"{PACK}.InsulationResistance", 0.005 * floor, 10_000.0, _fell, floor)
    return found


@dataclass(frozen=True, slots=True)
class Believable(Detector):
    """A signal doubted TIMES of its last seven samples; clear when none of them is."""

    def fit(self, profile: Profile) -> _Believable | None:
        gates = _gates(profile)
        return _Believable(gates, profile) if gates else None


class _Believable(Sieve):
    def __init__(self, gates: list[Gate], profile: Profile) -> None:
        self.gates = {gate.signal.id: (n, gate, gate.low, gate.high) for n, gate in enumerate(gates, start=1)}
        self.bands = {gate.signal.id: (gate.low, gate.high) for gate in gates}
        self.named = {gate.name: (n, gate) for n, gate in enumerate(gates, start=1)}
        asked = [gate.signal.id for gate in gates if gate.ask is not _beyond or gate.still]
        self.cools = {gate.signal.id: gate for gate in gates if gate.still}
        fitted = {signal_of(path).id for path in profile.fitted}
        self.carries = tuple(
            i
            for i in (*asked, *(lamp for gate in gates for lamp in gate.with_it), _SPEED, _RPM, _OUTSIDE, _OIL, _RUN)
            if i in fitted
        )
        self.carries += (SLOT,)
        #: beyond its band and short of what no engine gives, coolant is believed of an engine whose oil is warm
        self.wider = {
            g.signal.id: Wider(g.between, _OIL, COLD_OIL_C, needed=_OIL in fitted) for g in gates if g.ask is _hot
        }
        #: after the gates' bytes: how often the coolant was seen in °F; which signals stand still; when that was asked
        self.fahrenheit, self.still, self.asked = 1 + len(gates), 2 + len(gates), 3 + len(gates)
        self.size = 4 + len(gates)
        if self.cools:
            cools = frozenset(self.cools)
            reads = tuple(dict.fromkeys((*self.cools, *LOOKED_AT)))
            self.now_and_then = NowAndThen(
                self.asked, STOOD_S, signals=cools, reads=reads, unless=_RUN, above=STARTED_S
            )

    def sift(self, seen: Snapshot, cell: Cell) -> frozenset[int]:
        memory, at, doubted = cell.memory, cell.at, list[int]()
        self._recall(seen, cell)
        self.look(seen, cell)
        still, gates = memory[at + self.still], self.gates
        for signal_id, value in seen.values.items():
            found = gates.get(signal_id)
            if found is None:
                continue
            n, gate, low, high = found
            bits = memory[at + n]
            if low <= value <= high:
                if still & gate.still << 4:
                    memory[at + n] = ((bits << 1) & _SEEN) | 1
                    doubted.append(signal_id)
                    continue
                if still & gate.still:
                    if abs(value - (seen.before(signal_id) or 0.0)) <= MOVES_K:
                        memory[at + n] = ((bits << 1) & _SEEN) | 1
                        doubted.append(signal_id)
                        continue
                    still = memory[at + self.still] = still & ~gate.still
                if bits:
                    memory[at + n] = (bits << 1) & _SEEN
                if (
                    signal_id == _COOLANT
                    and memory[at + self.fahrenheit]
                    and (seen.get(_RUN, 60.0) or WARM_S) >= WARM_S
                ):
                    memory[at + self.fahrenheit] -= value >= WARM_C
                continue
            reason, fell = gate.ask(gate, value, seen.before(signal_id), bits, seen)
            memory[at + n] = ((bits << 1) & _SEEN) | (reason is not None) | (_FELL if fell else 0)
            if reason is not None:
                doubted.append(signal_id)
                if reason.startswith(FAHRENHEIT) and memory[at + self.fahrenheit] < MOST:
                    memory[at + self.fahrenheit] += 1
        memory[at] = DOUBTS if any(memory[at + 1 : at + self.asked]) else 0
        return frozenset(doubted)

    def speaks(self, cell: Cell) -> bool:
        for bits in cell.memory[cell.at + 1 : cell.at + self.fahrenheit]:
            if bits and (bits & _SEEN).bit_count() >= TIMES:
                return True
        return False

    def look(self, seen: Snapshot, cell: Cell) -> None:
        """What cools while the car stands, and has not, does not move any more: asked once after each stand.

        Only at the start of an engine: one that ran while nobody heard it may well be as warm as before.
        """
        memory, at, second = cell.memory, cell.at, int(seen.ts)
        bucket = second // STOOD_S & 255
        if not self.cools or memory[at + self.asked] == bucket or self.cools.keys().isdisjoint(seen.values):
            return
        if (seen.now(_RUN) or 0.0) > STARTED_S:
            return
        memory[at + self.asked] = bucket
        if not just_started(seen):
            return
        for signal_id, gate in self.cools.items():
            value, (before, when) = seen.now(signal_id), LATEST.unpack_from(memory, seen.slots[signal_id])
            stood = second - when
            if value is None or not when or stood <= STOOD_S:
                continue
            stuck, off = unmoved(value, before, seen), apart(signal_id, value, stood, seen)
            if off is not None:
                memory[at + self.still] &= ~(gate.still << 4)
            memory[at + self.still] |= gate.still if stuck else (gate.still << 4) * bool(off)
            memory[at] |= memory[at + self.still] > 0

    def _recall(self, seen: Snapshot, cell: Cell) -> None:
        seen.shared["fahrenheit"] = cell.memory[cell.at + self.fahrenheit] >= SURE

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        self._recall(seen, cell)
        found: list[tuple[str, Verdict]] = []
        for name, (n, gate) in self.named.items():
            bits = cell.memory[cell.at + n] & _SEEN
            if bits.bit_count() >= TIMES and seen.now(gate.signal.id) is not None:
                found.append((name, Holds(Severity.ADVICE, self._words(gate, seen, bits, cell))))
            elif name in seen.open:
                found.append(
                    (
                        name,
                        Unsure("some of its last samples were doubted", missing=True)
                        if bits
                        else Clear(f"{gate.signal.title} is plausible again"),
                    )
                )
        return found or STILL

    def component(self, signal_id: int) -> str | None:
        found = self.gates.get(signal_id)
        return None if found is None else found[1].name

    def clear(self, signal_id: int, cell: Cell) -> None:
        if (found := self.gates.get(signal_id)) is not None:
            cell.memory[cell.at + found[0]] = 0
        if signal_id == _COOLANT:
            cell.memory[cell.at + self.fahrenheit] = 0

    def _words(self, gate: Gate, seen: Snapshot, bits: int, cell: Cell) -> str:
        value = seen.now(gate.signal.id)
        if value is not None and bits & 1:
            still = cell.memory[cell.at + self.still]
            if gate.still << 4 & still:
                return f"sensor or unit implausible: {gate.signal.title} says {_said(gate, value)}; {OFFSET}"
            if gate.still & still:
                return f"sensor or unit implausible: {gate.signal.title} says {_said(gate, value)}; {STANDS_STILL}"
            reason = gate.ask(gate, value, seen.before(gate.signal.id), bits >> 1, seen)[
                0
            ]  # the words of this very sample
            return f"sensor or unit implausible: {gate.signal.title} says {_said(gate, value)}; {reason or 'doubted'}"
        return (
            f"sensor or unit implausible: {gate.signal.title} jumps: {bits.bit_count()} of its last 7 samples were "
            "doubted"
        )

    def sample(self, component: str, seen: Snapshot) -> float | None:
        return seen.now(self.named[component][1].signal.id)

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        gate = self.named[component][1]
        bounds = (
            Limit(label="believed from", value=round(gate.low, 2)),
            Limit(label="believed up to", value=round(gate.high, 2)),
        )
        return (line(gate.signal.title, symbol(gate.signal.unit), samples),), bounds
