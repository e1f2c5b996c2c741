"""A mixed fleet with ground truth for `telltale score`: how each car is used, its confounders, and at most one
fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import exp, log
from random import Random
from typing import TypeVar

from schemas.profile import Profile
from simulator.car import DAY, Car, Life
from simulator.direct import Told, telemetry
from simulator.driving import Habit
from simulator.feeds import FEEDS, through
from simulator.sensor_faults import SENSOR_FAULTS, Spoiled
from simulator.sensors import Sensors
from simulator.wear import KINDS, Fault

Choice = TypeVar("Choice")

REGIONS = 6
SAMPLE_S = 60.0
_REPAIRED_AFTER = 2.0  # days after the failure: it broke down and somebody mended it
_MIX: tuple[tuple[str, float], ...] = (("petrol", 0.42), ("diesel", 0.20), ("electric", 0.28), ("truck", 0.10))
_HABITS: Mapping[str, tuple[tuple[Habit, float], ...]] = {
    "petrol": (("commuter", 0.6), ("short_trips", 0.28), ("rare", 0.12)),
    "diesel": (("van", 0.55), ("commuter", 0.45)),
    "electric": (("commuter", 0.75), ("short_trips", 0.25)),
    "truck": (("truck", 1.0),),
}
#: Fault -> the ranges of its parameters, drawn evenly on a logarithmic scale.
_RANGES: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "tyre_leak": {"per_day": (0.004, 0.022)},
    "battery_ageing": {"days": (50.0, 120.0)},
    "parasitic_drain": {"per_day": (0.06, 0.13)},
    "belt_slip": {"days": (15.0, 40.0)},
    "thermostat_open": {"open": (0.2, 0.45), "days": (5.0, 15.0)},
    "cooling_blocked": {"floor": (0.1, 0.2), "days": (20.0, 35.0)},
    "coolant_leak": {"per_day": (1.0, 4.0)},
    "misfire": {"days": (30.0, 60.0)},
    "vacuum_leak": {"percent": (16.0, 28.0), "days": (20.0, 40.0)},
    "worn_pads": {"factor": (5.0, 9.0), "start": (60.0, 75.0)},
    "sticking_calliper": {"factor": (6.0, 12.0)},
    "brake_fluid_leak": {"per_day": (0.8, 2.5)},
    "oil_pressure_loss": {"days": (25.0, 50.0)},
    "oil_worn": {"factor": (5.0, 9.0), "start": (25.0, 40.0)},
    "transmission_heat": {"days": (15.0, 35.0)},
    "filter_clogging": {"days": (30.0, 50.0)},
    "weak_cell": {"mv": (60.0, 100.0), "days": (14.0, 28.0)},
    "insulation_loss": {"days": (18.0, 35.0)},
    "pack_ageing": {"points_per_day": (0.1, 0.16), "start": (74.0, 78.0)},
    "charging_fault": {"days": (10.0, 25.0)},
    "service_due": {"start_km": (300.0, 2_000.0)},
}

#: Faults that such a use or model never brings out: a van on the road all day, and an electric car at its wallbox,
#: recharge what they lose overnight.
_UNSEEN: Mapping[str, tuple[str, ...]] = dict.fromkeys(("van", "truck", "electric"), ("parasitic_drain",))


@dataclass(frozen=True)
class Specimen:
    """One car of the population, ready to be driven."""

    number: int
    profile: Profile
    life: Life
    seed: int
    feed: str = "full"
    real: bool = False  #: its sensors are its own, and fail; else they say what is
    sensor_fault: str = ""  #: a name of SENSOR_FAULTS
    sensor_fault_at: float = 0.0

    def told(self, car: Car, until: float) -> Iterator[Told]:
        """What reaches us of this car: through its sensors, with their fault, by its feed."""
        if not self.real:
            return lived(car, until)
        limits = self.profile.limits
        sensors = Sensors(self.seed, limits.get("battery_nominal_v", 12.0), self.profile.drive == "truck")
        spoiled = Spoiled(self.sensor_fault, self.sensor_fault_at, self.seed) if self.sensor_fault else None
        return through(self.feed, lived(car, until, sensors, spoiled), self.seed)

    def car(self, since: float) -> Car:
        """The car, standing at `since`."""
        return Car(self.profile, self.life, self.seed, since)


def population(
    profiles: Mapping[str, Profile],
    vehicles: int,
    days: float,
    seed: int,
    since: float,
    faulty: float = 0.5,
    real: bool = False,
    spoiled: float = 0.25,
) -> Iterator[Specimen]:
    """`vehicles` cars that begin at `since`; a share of `faulty` gets one fault, early enough to be found.

    `real`: each has its own sensors and feed, and a share of `spoiled` a fault of a sensor that hides no real one.
    """
    by_drive: dict[str, Profile] = {profile.drive: profile for profile in profiles.values()}
    for number in range(vehicles):
        rng = Random(f"{seed}/{number}")
        drive = _drawn(_MIX, rng)
        habit = _drawn(_HABITS[drive], rng)
        faults: tuple[Fault, ...] = ()
        if rng.random() < faulty:
            faults = (_fault(drive, habit, rng, since, days),)
        life = Life(
            habit=habit,
            faults=faults,
            region=seed * 100 + number % REGIONS,
            altitude_m=rng.uniform(0, 500),
            mean_c=rng.uniform(7, 13),
            season_k=10.0,
            top_up_days=rng.uniform(25, 90),
            tyre_swap_on_day=int(rng.uniform(5, days)) if rng.random() < 0.5 else None,
            stretch_s=SAMPLE_S,
        )
        plain = Specimen(number, by_drive[drive], life, seed * 100_003 + number)
        yield _real(plain, seed, since, days, spoiled) if real else plain


def _real(plain: Specimen, seed: int, since: float, days: float, spoiled: float) -> Specimen:
    """The same car with sensors and a feed of its own.

    Drawn from a line of its own, so that its life stays what it was.
    """
    rng = Random(f"real/{seed}/{plain.number}")
    feed, fault, at = _drawn(FEEDS, rng), "", since
    if rng.random() < spoiled:
        drive, broken = plain.profile.drive, {fault.kind for fault in plain.life.faults}
        fitting = [name for name, one in SENSOR_FAULTS.items() if drive in one.drives and broken.isdisjoint(one.clouds)]
        fault = rng.choice(sorted(fitting))
        if not SENSOR_FAULTS[fault].from_birth:
            at = since + rng.uniform(0.05, 0.8) * days * DAY
    return replace(plain, feed=feed, real=True, sensor_fault=fault, sensor_fault_at=at)


def lived(car: Car, until: float, sensors: Sensors | None = None, spoiled: Spoiled | None = None) -> Iterator[Told]:
    """What the car says up to `until`; what has broken down is mended two days later."""
    look = 0.0
    for told in telemetry(car, until, sensors, spoiled):
        yield told
        if told.ts < look:
            continue
        look = told.ts + 0.25 * DAY
        for truth, fault in zip(car.truths(), car.faults, strict=True):
            if fault.healed_at is None and told.ts > truth.failure + _REPAIRED_AFTER * DAY:
                car.heal(fault.part)


def _fault(drive: str, habit: Habit, rng: Random, since: float, days: float) -> Fault:
    unseen = _UNSEEN.get(habit) or _UNSEEN.get(drive, ())
    kind = rng.choice(
        [name for name, k in KINDS.items() if drive in k.drives and name in _RANGES and name not in unseen]
    )
    values = {name: exp(rng.uniform(log(low), log(high))) for name, (low, high) in _RANGES[kind].items()}
    if kind == "misfire":
        values["cylinder"] = float(rng.randint(1, 4))
    if kind == "weak_cell":
        values["cell"] = float(rng.randint(1, 96))
    worn_already = "start" in values or "start_km" in values  # wear has no day on which it begins
    onset = since if worn_already else since + DAY * rng.uniform(0.08, 0.45) * days
    return Fault.of(kind, rng.choice(KINDS[kind].components), onset, values)


def _drawn(choices: tuple[tuple[Choice, float], ...], rng: Random) -> Choice:
    mark, total = rng.random(), 0.0
    for choice, share in choices:
        total += share
        if mark < total:
            return choice
    return choices[-1][0]
