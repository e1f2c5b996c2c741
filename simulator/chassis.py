"""Tyres, brakes and service counters, moved by driving and by days."""

from __future__ import annotations

from math import exp
from random import Random

from schemas.profile import Profile
from simulator.condition import ATMOSPHERE, REFERENCE_K, Condition
from simulator.wear import DAY, Wear

_WARM_UP_S = 1_200.0  # 20 minutes
_HEAT_PER_100 = 25.0  # K at 100 km/h (assumed)
_BREATHING = 0.0008  # share of its air that any tyre loses in a day
_PAD_MM_PER_KM = (0.00013, 0.00013, 0.00009, 0.00009)


def roll(c: Condition, wear: Wear, profile: Profile, speed: float, seconds: float) -> None:
    """`seconds` of driving at `speed` km/h."""
    metres = speed / 3.6 * seconds
    km = metres / 1000.0
    c.odometer_m += metres
    c.service_km -= km
    c.clear_km = min(65_535.0, c.clear_km + km)
    target = _HEAT_PER_100 * speed / 100.0
    c.tyre_heat += (target - c.tyre_heat) * (1.0 - exp(-seconds / _WARM_UP_S))
    per_percent = (profile.physics.get("pad_mm", 12.0) - 3.0) / 100.0  # 3 mm is worn out
    share = (0.35 if profile.drive == "electric" else 1.0) * (1.6 if speed < 50 else 0.8)
    for wheel in range(4):
        c.pads[wheel] = min(100.0, c.pads[wheel] + km * _PAD_MM_PER_KM[wheel] * share * wear.pads[wheel] / per_percent)


def stand(c: Condition, wear: Wear, seconds: float) -> None:
    """Time passes, driving or not: air escapes, fluids leak, the service date comes nearer."""
    days = seconds / DAY
    for wheel in range(4):
        c.air[wheel] *= 1.0 - (_BREATHING + wear.leak[wheel]) * days
    c.service_s -= seconds
    if wear.brake_fluid_loss:
        c.brake_fluid = max(0.0, c.brake_fluid - wear.brake_fluid_loss * days)
    if wear.coolant_loss:
        c.coolant_level = max(0.0, c.coolant_level - wear.coolant_loss * days)


def cool(c: Condition, seconds: float) -> None:
    """The tyres of a standing car."""
    c.tyre_heat *= exp(-seconds / 2_400.0)


def pressures(c: Condition, air_c: float, atmosphere: float = ATMOSPHERE) -> list[float]:
    """Gauge pressure of each tyre in kPa, without noise."""
    factor = (air_c + c.tyre_heat + 273.15) / REFERENCE_K
    return [air * factor - atmosphere for air in c.air]


def report(c: Condition, profile: Profile, rng: Random, air_c: float, atmosphere: float) -> dict[int, float]:
    """What the tyre sensors, the pads and the service counters say, by signal id."""
    truck = profile.drive == "truck"
    front, rear = profile.limits["tyre_placard_front_kpa"], profile.limits["tyre_placard_rear_kpa"]
    values: dict[int, float] = {}
    inside = air_c + c.tyre_heat
    for wheel, true in enumerate(pressures(c, air_c, atmosphere)):
        seen = max(0.0, true + c.pressure_bias[wheel] * (3.0 if truck else 1.0) + rng.gauss(0.0, 0.6))
        values[70 + wheel] = seen
        values[74 + wheel] = inside + c.temperature_bias[wheel]
        values[78 + wheel] = c.pads[wheel]
        values[82 + wheel] = 1.0 if seen < 0.75 * (front if wheel < 2 else rear) else 0.0
    values[2] = c.odometer_m
    values[58], values[59], values[60] = (
        c.service_km,
        c.service_s,
        1.0 if c.service_km <= 0 or c.service_s <= 0 else 0.0,
    )
    values[61] = c.brake_fluid - 0.03 * (c.pads[0] + c.pads[2])  # the level falls a little as pads thin
    return values
