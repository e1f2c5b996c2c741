"""The low-voltage supply: battery charge and resistance, starter, alternator or DC-DC converter.

OCV = 11.89 + 0.76 SoC; cranking minimum = OCV - I R, R growing 1 % per K below 25 Celsius. A 24 V truck is two in
series.
"""

from __future__ import annotations

from math import exp
from random import Random

from schemas.profile import Profile
from simulator.condition import Condition
from simulator.wear import DAY, Wear

_QUIET_DRAIN = 0.008  # share of charge that sleeping control units take in a day (25 mA of 60 Ah)


def rest(c: Condition, wear: Wear, seconds: float, air_c: float) -> None:
    """A parked car: charge drains, surface charge fades, the battery takes on the air's temperature."""
    c.charge = max(0.02, c.charge - (_QUIET_DRAIN + wear.drain_per_day) * seconds / DAY)
    c.surface_v *= exp(-seconds / 5_400.0)
    c.battery_k = air_c + (c.battery_k - air_c) * exp(-seconds / 14_400.0)


def resting_volts(c: Condition, rng: Random, factor: float) -> float:
    """At the terminals of a sleeping car, with the small spread of sensor and temperature."""
    return (11.89 + 0.76 * c.charge + c.surface_v + rng.gauss(0.0, 0.03)) * factor


def cranking_volts(c: Condition, wear: Wear, profile: Profile, rng: Random, factor: float) -> float:
    """The lowest voltage of one start."""
    ohm = profile.physics["battery_mohm"] / 1000.0 * c.battery_age * wear.crank_resistance
    ohm *= 1.0 + 0.01 * max(0.0, 25.0 - c.battery_k)
    volts = 11.89 + 0.76 * c.charge + 0.5 * c.surface_v - profile.physics["crank_a"] * rng.uniform(0.96, 1.04) * ohm
    c.charge -= 0.004
    return max(3.0, volts * factor + rng.gauss(0.0, 0.08))


def run(c: Condition, wear: Wear, profile: Profile, rng: Random, speed: float, seconds: float, factor: float) -> float:
    """`seconds` with the engine (or the converter) on; answers the running voltage."""
    c.battery_k += (28.0 - c.battery_k) * (1.0 - exp(-seconds / 3_600.0)) * 0.6
    if wear.alternator_dead:
        c.charge = max(0.0, c.charge - 35.0 * seconds / 3600.0 / (profile.physics["battery_ah"] * 0.8))
        c.surface_v = 0.0
        return max(8.0, 11.6 + 1.0 * c.charge - max(0.0, 0.12 - c.charge) * 12 + rng.gauss(0.0, 0.04)) * factor
    slip = wear.belt_slip * (0.6 + 0.8 * rng.random())
    c.charge = min(1.0, c.charge + (1.0 - c.charge) * (1.0 - exp(-seconds / 4_500.0)) * (1.0 - slip))
    c.surface_v += (0.25 - c.surface_v) * (1.0 - exp(-seconds / 900.0))
    if profile.limits.get("smart_charging"):  # rests on purpose, works when the car slows down
        wanted = 15.0 if speed < 3 or rng.random() < 0.12 else (13.0 if c.charge > 0.8 and rng.random() < 0.6 else 13.9)
    else:
        wanted = 14.35 - 0.012 * (c.battery_k - 10.0) - 0.25 * (1.0 - c.charge)
        wanted = min(14.6, wanted)
    return (wanted - 1.9 * slip + rng.gauss(0.0, 0.06)) * factor
