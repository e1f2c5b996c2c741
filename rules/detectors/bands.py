"""The band in which each part can work, and why a value beyond it is not believed, or is.

What fell there through values between is a fall, and what the car's own lamp or another signal confirms is one, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rules.detectors.trend import DAY_S
from rules.engine.snapshot import Snapshot
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
from schemas.profile import Profile
from schemas.signal import Signal

ROLLS, TURNS, OUTSIDE_ID = signal_of(SPEED).id, signal_of(RPM).id, signal_of(OUTSIDE).id
RUN, OIL = signal_of(f"{ENGINE}.RunTime").id, signal_of(f"{ENGINE}.EngineOil.Temperature").id
COOLANT_ID, _LEVEL = signal_of(COOLANT).id, signal_of(f"{ENGINE}.EngineCoolant.Level").id
TIMES = 3  #: doubted so often among the last seven samples: not a lost frame any more
SEEN, FELL = 0x7F, 0x80  #: of a signal's byte: its last seven samples, a bit each; and that it went there by itself
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


def beyond(gate: Gate, value: float, before: float | None, bits: int, seen: Snapshot) -> tuple[Reason, bool]:
    """Nothing that works gives such a value."""
    return "no such part gives that while it works", False


def _fell(gate: Gate, value: float, before: float | None, bits: int, seen: Snapshot) -> tuple[Reason, bool]:
    """Low is believed when it came through values between."""
    if value > gate.high:
        return _hint(gate, value) or "no such part gives that", False
    if bits & FELL or (before is not None and gate.low <= before < gate.between):
        return None, True
    return _hint(gate, value) or (
        "its first value ever" if before is None else f"{in_words(gate, before)} before, and nothing between"
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
    speed = seen.get(ROLLS, WITH_IT_S)
    if before is not None and lamp is None and bits.bit_count() < TIMES - 1 and (speed is None or speed < ROLLS_KMH):
        return None, False
    if lamp == 0.0:
        reason = f"its lamp is off; {reason}"
    return reason if speed is None else f"at {speed:.0f} km/h; {reason}", False


def boils(gate: Gate, value: float, before: float | None, bits: int, seen: Snapshot) -> tuple[Reason, bool]:
    """Coolant boils: it comes that far from an engine that is hot already, and not much further."""
    if value < gate.low:
        outside = seen.get(OUTSIDE_ID, 7_200.0)
        cold = outside is not None and outside < gate.low + 10.0
        return (None if cold else "colder than any air around it"), False
    celsius, oil = (value - 32.0) / 1.8, seen.get(OIL, 60.0)
    if seen.shared.get("fahrenheit"):
        return f"{FAHRENHEIT}, as it was seen before: {celsius:.0f} °C", False
    if oil is not None and oil < COLD_OIL_C and value < gate.between + 30.0:
        return f"the oil has {oil:.0f} °C: rather {celsius:.0f} °C in Fahrenheit", False
    if value <= gate.between:
        return None, False
    if value <= gate.between + 30.0 and (bits & FELL or (seen.before(gate.signal.id, WITH_IT_S) or 0.0) >= gate.high):
        return None, True
    usual = 60.0 <= celsius < gate.high - 6.0  # 215 is rather 0xFF
    return f"{FAHRENHEIT}: {celsius:.0f} °C" if usual else "hotter than any engine that runs", False


def _emptied(gate: Gate, value: float, before: float | None, bits: int, seen: Snapshot) -> tuple[Reason, bool]:
    """A tank runs empty through levels between, or its engine gets hot; a wire breaks from one sample to the next."""
    if before is None:
        return "never anything else since it was first heard", False
    hot = seen.get(COOLANT_ID, WITH_IT_S) if gate.signal.id == _LEVEL else None
    if hot is not None and hot >= seen.profile.limits.get("coolant_max_c", 110.0) - 4.0:
        return None, True
    return _fell(gate, value, before, bits, seen)


def _heated(gate: Gate, value: float, before: float | None, bits: int, seen: Snapshot) -> tuple[Reason, bool]:
    """A pack gets that hot through temperatures between."""
    if value < gate.low:
        return "colder than any air around it", False
    if bits & FELL or (before is not None and before >= gate.between):
        return None, True
    return (
        "its first value ever" if before is None else f"{in_words(gate, before)} before, and nothing between"
    ), False


def _unpressed(gate: Gate, value: float, before: float | None, bits: int, seen: Snapshot) -> tuple[Reason, bool]:
    """No oil pressure at all while the engine turns: it is believed when it fell there; a wire breaks at once."""
    rpm = seen.get(TURNS, WITH_IT_S)
    if value <= gate.high and (rpm is None or rpm < TURNS_RPM):
        return None, False
    return _fell(gate, value, before, bits, seen)


def _turns(seen: Snapshot) -> bool:
    rpm, speed = seen.get(TURNS, WITH_IT_S), seen.get(ROLLS, WITH_IT_S)
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


def in_words(gate: Gate, value: float) -> str:
    return f"{number(round(value, 1))} {symbol(gate.signal.unit)}".strip()


_PRESSURES = tuple(signal_of(f"{branch}.Tire.Pressure").id for branch in WHEELS.values())


def gates_of(profile: Profile) -> list[Gate]:
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
        gate(f"tyre_temperature_{wheel}", f"{branch}.Tire.AirTemperature", -39.5, 125.0, beyond)
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
    gate("coolant_temperature", COOLANT, -39.5, hot - 4.0, boils, hot + 20.0, still=1)
    gate("coolant_level", f"{ENGINE}.EngineCoolant.Level", 0.5, 100.0, _emptied, 70.0)
    gate("brake_fluid_level", "Vehicle.Chassis.Brake.FluidLevel", 0.5, 100.0, _emptied, 70.0)
    idle = limits.get("oil_pressure_idle_kpa", 80.0)
    gate("oil_pressure", f"{ENGINE}.EOP", 0.06 * idle, 1_000.0, _unpressed, 0.9 * idle)
    gate("gearbox_temperature", "Vehicle.Powertrain.Transmission.Temperature", -60.0, gearbox + 40.0, beyond, still=2)
    gate("air_pressure", "Vehicle.OBD.BarometricPressure", 50.0, 115.0, beyond)
    gate("pack_alarm", f"{PACK}.AlarmLevel", 0.0, 13.0, beyond)  # 14 and 15 say that there is no such word
    gate("lowest_cell", f"{PACK}.CellVoltage.Min", 1.5, 5.0, _fell, 3.0)
    gate("pack_temperature", f"{PACK}.Temperature.Max", -39.5, limits.get("pack_max_c", 55.0) + 25.0, _heated, 60.0)
    floor = limits.get("insulation_floor_kohm", 200.0)
    gate("insulation", f"{PACK}.InsulationResistance", 0.005 * floor, 10_000.0, _fell, floor)
    return found
