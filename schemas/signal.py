"""The signals we believe: COVESA VSS 6.0 paths and units, plus the OBD overlay and a few of our own (marked)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schemas.errors import BadInput


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal: a stable small id for storage, its unit and the range outside of which it is no value."""

    id: int
    path: str
    unit: str
    low: float
    high: float
    title: str


def _wheels(first_id: int, leaf: str, unit: str, low: float, high: float, title: str) -> list[Signal]:
    places = [
        ("Row1", "Left", "front left"),
        ("Row1", "Right", "front right"),
        ("Row2", "Left", "rear left"),
        ("Row2", "Right", "rear right"),
    ]
    return [
        Signal(first_id + n, f"Vehicle.Chassis.Axle.{row}.Wheel.{side}.{leaf}", unit, low, high, f"{title} {words}")
        for n, (row, side, words) in enumerate(places)
    ]


def _positions(first_id: int, leaf: str, unit: str, low: float, high: float, title: str) -> list[Signal]:
    """The wheels behind a truck's steering axle: up to four on each, counted from the left.

    Ours: VSS knows left and right.
    """
    return [
        Signal(
            first_id + 4 * n + place,
            f"Vehicle.Chassis.Axle.Row{n + 2}.Wheel.Position{place + 1}.{leaf}",
            unit,
            low,
            high,
            f"{title} axle {n + 2}, wheel {place + 1}",
        )
        for n in range(4)
        for place in range(4)
    ]


_ENGINE = "Vehicle.Powertrain.CombustionEngine"
_PACK = "Vehicle.Powertrain.TractionBattery"

#: Ids are stored in rows: never reuse or renumber one.
SIGNALS: tuple[Signal, ...] = (
    Signal(1, "Vehicle.Speed", "km/h", -250, 400, "vehicle speed"),
    Signal(2, "Vehicle.TraveledDistance", "m", 0, 4_294_967_295, "odometer"),
    Signal(3, "Vehicle.IsMoving", "bool", 0, 1, "moving"),
    Signal(4, "Vehicle.Exterior.AirTemperature", "Celsius", -60, 70, "outside air"),
    Signal(5, "Vehicle.LowVoltageBattery.CurrentVoltage", "V", 0, 36, "12 V battery voltage"),
    Signal(6, "Vehicle.LowVoltageBattery.CurrentCurrent", "A", -1500, 1500, "12 V battery current"),
    Signal(7, "Vehicle.LowVoltageBattery.CrankingVoltageMin", "V", 0, 36, "lowest voltage while cranking"),  # ours
    Signal(8, "Vehicle.LowVoltageBattery.RestingVoltage", "V", 0, 36, "resting voltage of the 12 V battery"),  # ours
    Signal(
        9, "Vehicle.LowVoltageSystemState", "enum", 0, 10, "ignition (0 off, 1 accessory, 2 on, 3 start)"
    ),  # VSS: string
    Signal(10, f"{_ENGINE}.Speed", "rpm", 0, 20_000, "engine speed"),
    Signal(11, f"{_ENGINE}.EngineCoolant.Temperature", "Celsius", -60, 215, "coolant temperature"),
    Signal(12, f"{_ENGINE}.EngineCoolant.Level", "percent", 0, 100, "coolant level"),  # VSS: string
    Signal(13, f"{_ENGINE}.EngineOil.Temperature", "Celsius", -60, 250, "oil temperature"),
    Signal(14, f"{_ENGINE}.EngineOil.LifeRemaining", "s", -1e9, 1e9, "oil life remaining"),
    Signal(15, f"{_ENGINE}.EngineOil.Level", "percent", 0, 100, "oil level"),  # VSS: string
    Signal(16, f"{_ENGINE}.EOP", "kPa", 0, 1_500, "oil pressure"),
    Signal(17, f"{_ENGINE}.EngineHours", "h", 0, 500_000, "engine hours"),
    Signal(18, f"{_ENGINE}.MAF", "g/s", 0, 2_000, "air mass flow"),
    Signal(19, f"{_ENGINE}.MAP", "kPa", 0, 600, "manifold pressure"),
    Signal(20, f"{_ENGINE}.TPS", "percent", 0, 100, "throttle position"),
    Signal(
        21, f"{_ENGINE}.DieselParticulateFilter.DeltaPressure", "Pa", 0, 200_000, "particulate filter pressure drop"
    ),
    Signal(
        22, f"{_ENGINE}.DieselParticulateFilter.SootLoad", "percent", 0, 400, "particulate filter soot load"
    ),  # ours
    Signal(
        23,
        f"{_ENGINE}.DieselParticulateFilter.DistanceSinceRegeneration",
        "km",
        0,
        100_000,
        "distance since the last filter regeneration",
    ),  # ours
    Signal(24, f"{_ENGINE}.DieselExhaustFluid.Level", "percent", 0, 100, "exhaust fluid level"),
    Signal(25, f"{_ENGINE}.Load", "percent", 0, 100, "engine load"),  # ours: OBD PID 04
    Signal(26, f"{_ENGINE}.IntakeAirTemperature", "Celsius", -60, 215, "intake air"),  # ours: OBD PID 0F
    Signal(27, f"{_ENGINE}.RunTime", "s", 0, 10_000_000, "time since engine start"),  # ours: OBD PID 1F
    Signal(28, f"{_ENGINE}.MisfireShare", "percent", 0, 100, "share of misfires"),  # ours: OBD mode 06
    Signal(29, f"{_ENGINE}.EngineOil.LifePercent", "percent", 0, 100, "oil life"),  # ours: VSS has seconds only
    Signal(30, "Vehicle.OBD.ShortTermFuelTrim1", "percent", -100, 100, "short-term fuel trim"),
    Signal(31, "Vehicle.OBD.LongTermFuelTrim1", "percent", -100, 100, "long-term fuel trim"),
    Signal(32, "Vehicle.OBD.ControlModuleVoltage", "V", 0, 66, "control module voltage"),
    Signal(33, "Vehicle.OBD.Status.IsMILOn", "bool", 0, 1, "malfunction lamp"),
    Signal(34, "Vehicle.OBD.Status.DTCCount", "count", 0, 255, "number of trouble codes"),
    Signal(35, "Vehicle.OBD.DistanceWithMIL", "km", 0, 65_535, "distance with the lamp on"),
    Signal(36, "Vehicle.OBD.DistanceSinceDTCClear", "km", 0, 65_535, "distance since the codes were cleared"),
    Signal(37, "Vehicle.OBD.WarmupsSinceDTCClear", "count", 0, 255, "warm-ups since the codes were cleared"),
    Signal(38, "Vehicle.OBD.BarometricPressure", "kPa", 0, 255, "air pressure"),
    Signal(39, "Vehicle.OBD.FuelLevel", "percent", 0, 100, "fuel level"),
    Signal(40, "Vehicle.OBD.FuelRate", "l/h", 0, 3_300, "fuel rate"),
    Signal(41, "Vehicle.OBD.FuelRailPressure", "kPa", 0, 700_000, "fuel rail pressure"),
    Signal(42, "Vehicle.Powertrain.Transmission.Temperature", "Celsius", -60, 250, "transmission temperature"),
    Signal(43, "Vehicle.Powertrain.Transmission.ClutchWear", "percent", 0, 100, "clutch wear"),
    Signal(44, f"{_PACK}.StateOfHealth", "percent", 0, 100, "battery health"),
    Signal(45, f"{_PACK}.StateOfCharge.Current", "percent", 0, 100, "state of charge"),
    Signal(46, f"{_PACK}.NetCapacity", "kWh", 0, 2_000, "usable capacity"),
    Signal(47, f"{_PACK}.CellVoltage.Min", "V", 0, 6, "lowest cell"),
    Signal(48, f"{_PACK}.CellVoltage.Max", "V", 0, 6, "highest cell"),
    Signal(49, f"{_PACK}.CellVoltage.IdMin", "id", 0, 2_000, "number of the lowest cell"),
    Signal(50, f"{_PACK}.CellVoltage.Median", "V", 0, 6, "median cell"),  # ours
    Signal(51, f"{_PACK}.Temperature.Max", "Celsius", -60, 150, "hottest cell"),
    Signal(52, f"{_PACK}.InsulationResistance", "kOhm", 0, 10_000, "insulation resistance"),  # ours: VSS has none
    Signal(53, f"{_PACK}.CurrentVoltage", "V", 0, 1_500, "pack voltage"),
    Signal(54, f"{_PACK}.CurrentCurrent", "A", -3_000, 3_000, "pack current"),
    Signal(55, f"{_PACK}.Charging.IsCharging", "bool", 0, 1, "charging"),
    Signal(56, f"{_PACK}.Charging.ChargeRate", "kW", 0, 1_000, "charge power"),
    Signal(57, f"{_PACK}.Charging.IsFaulted", "bool", 0, 1, "charging fault"),  # ours
    Signal(58, "Vehicle.Service.DistanceToService", "km", -1_000_000, 1_000_000, "distance to service"),
    Signal(59, "Vehicle.Service.TimeToService", "s", -1e9, 1e9, "time to service"),
    Signal(60, "Vehicle.Service.IsServiceDue", "bool", 0, 1, "service due"),
    Signal(
        61, "Vehicle.Chassis.Brake.FluidLevel", "percent", 0, 100, "brake fluid level"
    ),  # ours: VSS has it per wheel
    Signal(62, "Vehicle.CurrentLocation.Altitude", "m", -500, 9_000, "altitude"),
    Signal(63, "Vehicle.CurrentLocation.Latitude", "degrees", -90, 90, "latitude"),
    Signal(64, "Vehicle.CurrentLocation.Longitude", "degrees", -180, 180, "longitude"),
    Signal(65, f"{_PACK}.CellVoltage.IdMax", "id", 0, 2_000, "number of the highest cell"),
    Signal(66, f"{_PACK}.AlarmLevel", "enum", 0, 15, "alarm level of the battery's own unit"),  # ours: 0 is none
    *_wheels(70, "Tire.Pressure", "kPa", 0, 1_400, "tyre pressure"),
    *_wheels(74, "Tire.AirTemperature", "Celsius", -60, 150, "tyre air temperature"),
    *_wheels(78, "Brake.PadWear", "percent", 0, 100, "brake pad wear"),
    *_wheels(82, "Tire.IsPressureLow", "bool", 0, 1, "low-pressure lamp"),
    *_positions(90, "Tire.Pressure", "kPa", 0, 1_400, "tyre pressure"),
    *_positions(106, "Tire.AirTemperature", "Celsius", -60, 150, "tyre air temperature"),
)

BY_PATH: dict[str, Signal] = {s.path: s for s in SIGNALS}
BY_ID: dict[int, Signal] = {s.id: s for s in SIGNALS}

#: Names and units of older feeds, converted at the door: old path -> (path, conversion to the VSS 6.0 unit).
ALIASES: dict[str, tuple[str, Callable[[float], float]]] = {
    "Vehicle.OBD.CoolantTemperature": (f"{_ENGINE}.EngineCoolant.Temperature", float),
    f"{_ENGINE}.ECT": (f"{_ENGINE}.EngineCoolant.Temperature", float),
    f"{_ENGINE}.EOT": (f"{_ENGINE}.EngineOil.Temperature", float),
    "Vehicle.OdometerKm": ("Vehicle.TraveledDistance", lambda km: km * 1000.0),
    "Vehicle.OBD.EngineSpeed": (f"{_ENGINE}.Speed", float),
    "Vehicle.OBD.Speed": ("Vehicle.Speed", float),
}


def signal(path: str) -> Signal:
    """The signal of that VSS path, or BadInput."""
    found = BY_PATH.get(path)
    if found is None:
        raise BadInput("signals", f"{path} is not a signal we know")
    return found
