"""What a car remembers from drive to drive: levels, charges, wear. Plain numbers, so that they can be kept on disk."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

from schemas.profile import Profile
from simulator.wear import Fault

ATMOSPHERE = 101.3  # kPa at sea level
REFERENCE_K = 293.15


@dataclass(slots=True)
class Condition:
    """The state of one car. Percent, km, Celsius, kPa, V unless a name says otherwise."""

    ts: float
    odometer_m: float
    air: list[float]  #: absolute pressure of each tyre at 20 Celsius, kPa
    tyre_heat: float = 0.0  #: K above the outside air
    charge: float = 0.92  #: of the 12 V battery, 0..1
    battery_age: float = 1.0  #: healthy spread of the inner resistance
    battery_k: float = 10.0
    surface_v: float = 0.0  #: surface charge after driving
    module_v: float = 12.6
    coolant_c: float = 10.0
    model_c: float = 10.0  #: what the engine's own model expects of the coolant
    oil_c: float = 10.0
    transmission_c: float = 10.0
    coolant_level: float = 92.0
    oil_level: float = 85.0
    oil_life: float = 80.0
    engine_h: float = 400.0
    long_trim: float = -0.8
    misfire: float = 0.2
    pads: list[float] = field(default_factory=lambda: [20.0] * 4)  #: percent worn
    brake_fluid: float = 96.0
    fuel: float = 60.0
    soot_g: float = 10.0
    since_regeneration_km: float = 100.0
    exhaust_fluid: float = 70.0
    regenerating_s: float = 0.0
    pack_charge: float = 70.0  #: percent
    pack_health: float = 94.0
    pack_c: float = 12.0
    cell_bias_mv: float = 4.0  #: healthy gap of the lowest cell
    lowest_cell: int = 17
    charging_faulted: bool = False
    service_km: float = 9_000.0
    service_s: float = 2.2e7
    off_since: float | None = None
    lamp_km: float = 0.0
    clear_km: float = 1_500.0
    warmups: float = 60.0
    temperature_bias: list[float] = field(default_factory=lambda: [0.0] * 4)
    pressure_bias: list[float] = field(default_factory=lambda: [0.0] * 4)

    def dump(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def fresh(profile: Profile, rng: Random, ts: float, air_c: float) -> Condition:
    """A healthy car somewhere in its life: levels and wear that need nobody for a while."""
    truck = profile.drive == "truck"
    front, rear = profile.limits["tyre_placard_front_kpa"], profile.limits["tyre_placard_rear_kpa"]
    fill = [placard * rng.uniform(0.98, 1.05) + ATMOSPHERE for placard in (front, front, rear, rear)]
    every_km, months = profile.service.every_km or 30_000, profile.service.every_months or 24
    wear = rng.uniform(5, 40)
    condition = Condition(
        ts=ts,
        odometer_m=1000.0 * int(rng.uniform(60_000, 400_000) if truck else rng.uniform(8_000, 90_000)),
        air=[p * REFERENCE_K / (REFERENCE_K - 4) for p in fill],  # filled on some day of about 16 Celsius
        charge=rng.uniform(0.85, 0.97),
        battery_age=rng.uniform(0.92, 1.18),
        battery_k=air_c,
        coolant_c=air_c,
        model_c=air_c,
        oil_c=air_c,
        transmission_c=air_c,
        pack_c=air_c,
        coolant_level=rng.uniform(85, 97),
        oil_level=rng.uniform(65, 95),
        oil_life=rng.uniform(58, 98),
        engine_h=rng.uniform(300, 2_500),
        long_trim=rng.gauss(-0.8, 1.3),
        misfire=rng.uniform(0.05, 0.35),
        pads=[wear * rng.uniform(0.93, 1.07) * side for side in (1.1, 1.1, 0.85, 0.85)],
        brake_fluid=rng.uniform(90, 98),
        fuel=rng.uniform(30, 95),
        soot_g=rng.uniform(2, 20),
        since_regeneration_km=rng.uniform(20, 400),
        exhaust_fluid=rng.uniform(40, 95),
        pack_charge=rng.uniform(50, 85),
        pack_health=rng.uniform(88, 97),
        cell_bias_mv=rng.uniform(3, 9),
        lowest_cell=rng.randint(1, 96),
        service_km=rng.uniform(0.55, 0.95) * every_km,
        service_s=rng.uniform(0.55, 0.95) * months * 2_629_800,
        clear_km=rng.uniform(500, 9_000),
        warmups=rng.randint(30, 255),
        temperature_bias=[rng.uniform(-1.0, 1.0) for _ in range(4)],
        pressure_bias=[rng.uniform(-2.0, 2.0) for _ in range(4)],
    )
    return condition


def worn_in(condition: Condition, profile: Profile, faults: list[Fault], ts: float) -> None:
    """Where a fault that began before the start has already brought the car."""
    for fault in faults:
        start, days = fault.values, max(0.0, (ts - fault.onset) / 86_400)
        if fault.kind == "worn_pads":
            for wheel in (0, 1) if fault.component == "front" else (2, 3):
                condition.pads[wheel] = start["start"] + condition.pads[wheel] % 1.5
        elif fault.kind == "oil_worn":
            condition.oil_life = start["start"]
        elif fault.kind == "pack_ageing":
            condition.pack_health = start["start"]
        elif fault.kind == "service_due":
            condition.service_km = start["start_km"]
        elif days > 0:
            _aged(condition, profile, fault, days)


def _aged(condition: Condition, profile: Profile, fault: Fault, days: float) -> None:
    from simulator.wear import WHEELS

    if fault.kind == "tyre_leak":
        wheel = WHEELS.index(fault.component)
        condition.air[wheel] *= (1.0 - fault.values["per_day"]) ** days
    elif fault.kind == "parasitic_drain":
        condition.charge = max(0.05, condition.charge - fault.values["per_day"] * days)
    elif fault.kind == "coolant_leak":
        condition.coolant_level = max(5.0, condition.coolant_level - fault.values["per_day"] * days)
    elif fault.kind == "brake_fluid_leak":
        condition.brake_fluid = max(5.0, condition.brake_fluid - fault.values["per_day"] * days)
    elif fault.kind == "sticking_calliper":
        condition.pads[WHEELS.index(fault.component)] += days * 0.35


def mended(condition: Condition, profile: Profile, part: str, air_c: float) -> None:
    """What the workshop leaves behind: new pads, a full battery, the right pressure."""
    front, rear = profile.limits["tyre_placard_front_kpa"], profile.limits["tyre_placard_rear_kpa"]
    if part.startswith("tyre_"):
        inflate(condition, (front, front, rear, rear), air_c)
    elif part == "battery_12v" or part == "wiring_12v" or part == "alternator":
        condition.charge, condition.battery_age = 0.97, 1.0
    elif part == "cooling" or part == "thermostat":
        condition.coolant_level = 95.0
    elif part.startswith("brake_pads_"):
        where = part.removeprefix("brake_pads_")
        for wheel in {"front": (0, 1), "rear": (2, 3)}.get(where.split("_")[0], (0, 1, 2, 3)):  # always by the axle
            condition.pads[wheel] = 0.0
    elif part == "brake_fluid":
        condition.brake_fluid = 98.0
    elif part == "oil":
        condition.oil_life, condition.oil_level = 100.0, 90.0
    elif part == "filter":
        condition.soot_g, condition.since_regeneration_km = 0.0, 0.0
    elif part == "pack":
        condition.pack_health = max(condition.pack_health, 97.0)
    elif part == "service":
        condition.service_km, condition.service_s = (
            profile.service.every_km or 30_000,
            (profile.service.every_months or 24) * 2_629_800,
        )
        condition.oil_life = 100.0


def inflate(condition: Condition, placards: tuple[float, float, float, float], air_c: float) -> None:
    """All four to the placard, cold, as they stand."""
    condition.air = [(placard + ATMOSPHERE) * REFERENCE_K / (air_c + 273.15) for placard in placards]
