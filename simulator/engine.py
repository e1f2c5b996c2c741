"""The combustion engine: heat and thermostat, mixture and misfires, oil, gearbox, particulate filter.

C dT/dt = Q - (h_b + h_r u)(T - T_air), u = clip((T - 88)/10, 0, 1) between the limits of a worn thermostat.
"""

from __future__ import annotations

from math import exp
from random import Random

from schemas.profile import Profile
from simulator.condition import Condition
from simulator.wear import Wear

_HEAT_KJ_K, _BLOCK_KW_K, _RADIATOR_KW_K = 95.0, 0.05, 0.9
_OPENS_C, _RANGE_K = 88.0, 10.0


def power_kw(speed: float, climb: float) -> float:
    """Heat into the coolant: 2 kW idling, 13 cruising at 100, up to 22 climbing."""
    return (
        2.0 + 11.0 * min(1.6, (speed / 100.0) ** 0.9 if speed > 0 else 0.0) + 9.0 * climb * (1.0 if speed > 5 else 0.0)
    )


def warm(c: Condition, wear: Wear, air_c: float, heat_kw: float, seconds: float) -> None:
    """`seconds` of running: one implicit step each for the coolant and for the engine's own model of it."""
    flow = min(1.0, max(0.1, (c.coolant_level - 12.0) / 30.0)) if c.coolant_level < 42.0 else 1.0
    c.coolant_c = _heated(c.coolant_c, air_c, heat_kw, seconds, wear.opening_min, wear.opening_max * flow)
    c.model_c = _heated(c.model_c, air_c, heat_kw, seconds, 0.0, 1.0)
    c.oil_c += (c.coolant_c + 6.0 + heat_kw * 0.5 - c.oil_c) * (1.0 - exp(-seconds / 600.0))
    hot = air_c + 42.0 + 2.2 * heat_kw + wear.transmission_heat * (0.4 + heat_kw / 20.0)
    c.transmission_c += (hot - c.transmission_c) * (1.0 - exp(-seconds / 900.0))


def _heated(temp: float, air: float, heat: float, seconds: float, least: float, most: float) -> float:
    opening = (temp - _OPENS_C) / _RANGE_K
    slope = 0.0
    if least < opening < most and 0.0 < opening < 1.0:
        slope = _RADIATOR_KW_K / _RANGE_K * (temp - air)
    opening = min(max(opening, least, 0.0), most, 1.0)
    loss = _BLOCK_KW_K + _RADIATOR_KW_K * opening
    rate = (heat - loss * (temp - air)) / _HEAT_KJ_K
    step = seconds * rate / (1.0 + seconds * (loss + slope) / _HEAT_KJ_K)
    if opening == 0.0 and temp < _OPENS_C < temp + step:  # the thermostat opens within this step
        step = _OPENS_C - temp + 0.5
    return min(140.0, temp + step)


def cool_down(c: Condition, air_c: float, seconds: float) -> None:
    """A standing engine loses its heat in hours."""
    keep, slow = exp(-seconds / 5_400.0), exp(-seconds / 7_200.0)
    c.coolant_c = air_c + (c.coolant_c - air_c) * keep
    c.model_c = air_c + (c.model_c - air_c) * keep
    c.oil_c = air_c + (c.oil_c - air_c) * slow
    c.transmission_c = air_c + (c.transmission_c - air_c) * slow


def use(c: Condition, wear: Wear, profile: Profile, rpm: float, speed: float, seconds: float) -> None:
    """Hours, fuel, oil life (cold and hot revolutions count more) and oil level."""
    c.engine_h += seconds / 3600.0
    km = speed / 3600.0 * seconds
    ageing = 1.6 if c.oil_c < 60 else (2.0 if c.oil_c > 125 else 1.0)
    life_km = 400.0 if profile.drive == "truck" else 190.0  # km per percent
    c.oil_life = max(0.0, c.oil_life - (km + seconds * 0.003) / life_km * ageing * wear.oil_ageing)
    c.fuel -= km * (0.06 if profile.drive == "truck" else 0.13) + seconds * 0.0004
    if c.fuel < 12.0:
        c.fuel = 97.0
    c.oil_level = max(20.0, c.oil_level - km * 0.0004)


def breathe(c: Condition, wear: Wear, rng: Random, rpm: float, load: float) -> tuple[float, float, float]:
    """Short trim, long trim and misfire share in percent."""
    rate = c.misfire + wear.misfire * (0.75 + 0.5 * load / 100.0) * (1.15 if c.coolant_c < 60 else 1.0)
    idle = 1.0 if rpm < 1_000 else 0.35
    long = c.long_trim + 2.5 * wear.misfire + wear.vacuum_leak * (0.55 + 0.45 * idle)
    short = rng.gauss(0.0, 1.4) + wear.vacuum_leak * 0.2 * idle
    return short, min(25.0, max(-25.0, long + rng.gauss(0.0, 0.5))), max(0.0, rate + rng.gauss(0.0, 0.08))


def filter_soot(c: Condition, wear: Wear, profile: Profile, speed: float, seconds: float) -> None:
    """Soot gathers with distance; at the full load (or 1,100 km) the filter burns itself clean on a real drive."""
    full = profile.physics["soot_full_g"]
    km = speed / 3600.0 * seconds
    c.since_regeneration_km += km
    c.exhaust_fluid -= km * 0.006
    if c.exhaust_fluid < 15.0:
        c.exhaust_fluid = 95.0
    c.soot_g += full / 800.0 * km + seconds * full * 2e-6
    if c.regenerating_s > 0.0:
        c.regenerating_s -= seconds
        floor = full * (0.04 + 0.9 * wear.filter_ash)
        c.soot_g = max(floor, c.soot_g - full * seconds / 700.0)
        if c.regenerating_s <= 0.0:
            c.since_regeneration_km = 0.0
    elif (c.soot_g >= full or c.since_regeneration_km > 1_100.0) and c.coolant_c > 38 and speed > 35:
        c.regenerating_s = 900.0


def report(
    c: Condition, wear: Wear, profile: Profile, rng: Random, rpm: float, load: float, run_s: float, air_c: float
) -> dict[int, float]:
    """What the engine's control unit says, by signal id."""
    warm_oil = min(1.4, max(0.75, 1.35 - 0.004 * c.oil_c))
    idle, at_2000 = profile.limits["oil_pressure_idle_kpa"] * 1.7, profile.limits["oil_pressure_2000_kpa"] * 1.45
    pressure = (idle + (at_2000 - idle) * min(1.6, max(0.0, (rpm - 700.0) / 1_300.0))) * warm_oil * wear.oil_pressure
    values = {
        10: rpm,
        25: load,
        27: min(65_535.0, run_s),
        11: c.coolant_c + rng.gauss(0.0, 0.3),
        13: c.oil_c,
        26: air_c + 8.0,
        42: c.transmission_c,
        16: max(0.0, pressure + rng.gauss(0.0, 3.0)) if rpm > 0 else 0.0,
    }
    if profile.drive != "truck":
        values[18] = rpm * load / 100.0 * (0.018 if profile.drive == "petrol" else 0.03)
    if profile.drive == "petrol":
        values[30], values[31], values[28] = breathe(c, wear, rng, rpm, load)
        values[19] = 30.0 + 0.65 * load
    else:
        if profile.drive == "diesel":
            values[41] = 28_000.0 + 1_100.0 * load
        full = profile.physics["soot_full_g"]
        flow = rpm * (0.4 + load / 160.0) / 1_000.0
        values[21] = max(0.0, (350.0 * flow + 2_300.0 * flow * c.soot_g / full) * (1 + rng.gauss(0.0, 0.03)))
        values[22] = 100.0 * c.soot_g / full
    return values


def levels(c: Condition, profile: Profile) -> dict[int, float]:
    """What changes slowly."""
    values = {12: c.coolant_level, 15: c.oil_level, 29: c.oil_life, 17: c.engine_h, 39: c.fuel}
    if profile.drive != "truck":
        values |= {35: c.lamp_km, 36: c.clear_km, 37: min(255.0, c.warmups)}
    if profile.drive != "petrol":
        values |= {23: c.since_regeneration_km, 24: c.exhaust_fluid}
    return values
