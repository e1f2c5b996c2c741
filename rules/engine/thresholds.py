"""Levels and names: a number, or a limit that the vehicle's profile gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.profile import Profile
from schemas.signal import BY_PATH, Signal


@dataclass(frozen=True, slots=True)
class OfProfile:
    """A limit of the model, scaled and shifted; `default` where the profile is silent."""

    name: str
    default: float
    times: float = 1.0
    plus: float = 0.0

    def of(self, profile: Profile) -> float:
        """The number for this model."""
        return profile.limits.get(self.name, self.default) * self.times + self.plus


Level = float | OfProfile


def level(value: Level, profile: Profile) -> float:
    """A level as a number for this model."""
    return value.of(profile) if isinstance(value, OfProfile) else float(value)


def levels(profile: Profile, *values: Level | None) -> tuple[float | None, ...]:
    """Several levels at once; a level that is not given stays None."""
    return tuple(None if value is None else level(value, profile) for value in values)


#: The four wheels as components: name -> the branch of the signal tree.
WHEELS: dict[str, str] = {
    "front_left": "Vehicle.Chassis.Axle.Row1.Wheel.Left",
    "front_right": "Vehicle.Chassis.Axle.Row1.Wheel.Right",
    "rear_left": "Vehicle.Chassis.Axle.Row2.Wheel.Left",
    "rear_right": "Vehicle.Chassis.Axle.Row2.Wheel.Right",
}
ENGINE = "Vehicle.Powertrain.CombustionEngine"
PACK = "Vehicle.Powertrain.TractionBattery"
BATTERY = "Vehicle.LowVoltageBattery"
SPEED = "Vehicle.Speed"
ODOMETER = "Vehicle.TraveledDistance"
OUTSIDE = "Vehicle.Exterior.AirTemperature"
RPM = f"{ENGINE}.Speed"
COOLANT = f"{ENGINE}.EngineCoolant.Temperature"


def wheel_paths(leaf: str) -> tuple[str, ...]:
    """That leaf on all four wheels, in the order of WHEELS."""
    return tuple(f"{branch}.{leaf}" for branch in WHEELS.values())


def signal_of(path: str) -> Signal:
    """The signal of a path; a typing error in a rule fails at import, not in the field."""
    return BY_PATH[path]


def number(value: float) -> str:
    """A measured number as people read it: 9.64, 98, 0.031."""
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def middle(values: Iterable[float]) -> float:
    """The median; statistics.median says the same in five times the time."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


_SYMBOLS = {"Celsius": "°C", "percent": "%", "bool": "", "count": "", "enum": "", "id": "", "kOhm": "kΩ"}


def symbol(unit: str) -> str:
    """A unit of ours as people write it."""
    return _SYMBOLS.get(unit, unit)
