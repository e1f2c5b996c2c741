"""The traction battery: charge, cells against their median, insulation, health with its recalibration jumps."""

from __future__ import annotations

from math import exp
from random import Random

from schemas.profile import Profile
from simulator.condition import Condition
from simulator.wear import DAY, Wear


def drive(c: Condition, profile: Profile, speed: float, climb: float, air_c: float, seconds: float) -> float:
    """`seconds` of driving; answers the pack current in A (positive: out of the pack)."""
    kw = 0.6 + 0.055 * speed + 0.0000135 * speed**3 + 18.0 * climb * (speed > 5) + (1.8 if air_c < 8 else 0.3)
    c.pack_charge = max(
        4.0, c.pack_charge - 100.0 * kw * seconds / 3600.0 / (profile.physics["pack_kwh"] * c.pack_health / 100.0)
    )
    c.pack_c += (air_c + 6.0 + 0.35 * kw - c.pack_c) * (1.0 - exp(-seconds / 4_800.0))
    return kw * 1000.0 / volts(c, profile)


def charge(c: Condition, profile: Profile, seconds: float) -> float:
    """`seconds` at the wallbox; answers the charge power in kW."""
    kw = profile.physics["charger_kw"] * (1.0 if c.pack_charge < 75 else 0.6)
    c.pack_charge = min(
        80.0,
        c.pack_charge + 100.0 * kw * 0.92 * seconds / 3600.0 / (profile.physics["pack_kwh"] * c.pack_health / 100.0),
    )
    return kw


def stand(c: Condition, seconds: float, air_c: float) -> None:
    """Parked: it takes on the air's temperature; health falls 3.6 points in a year."""
    c.pack_c = air_c + (c.pack_c - air_c) * exp(-seconds / 28_800.0)


def age(c: Condition, seconds: float) -> None:
    """Time passes, driving or not."""
    c.pack_health -= 3.6 / 365.0 * seconds / DAY


def cell_volts(charge: float) -> float:
    """Open-circuit voltage of one NMC cell: 3.4 V empty, flat in the middle, 4.15 V full (assumed)."""
    share = charge / 100.0
    return 3.42 + 0.62 * share + 0.10 * share**4 - 0.18 * exp(-share * 14.0)


def volts(c: Condition, profile: Profile) -> float:
    """Of the whole pack at rest."""
    return cell_volts(c.pack_charge) * profile.physics["cells"]


def report(
    c: Condition, wear: Wear, profile: Profile, rng: Random, current_a: float, charging_kw: float
) -> dict[int, float]:
    """What the battery management says, by signal id."""
    cells = profile.physics["cells"]
    current = current_a if charging_kw <= 0 else -charging_kw * 1000.0 / volts(c, profile)
    drop = current * profile.physics["pack_mohm"] / 1000.0 / cells
    median = cell_volts(c.pack_charge) - drop
    low_charge = 1.0 + max(0.0, 25.0 - c.pack_charge) / 25.0
    weak = wear.weak_cell_mv * low_charge * (1.0 + abs(current) / 400.0)
    healthy = c.cell_bias_mv * (1.0 + abs(current) / 300.0)
    gap = max(healthy, weak) + abs(rng.gauss(0.0, 1.6))
    insulation = 1_000.0
    if wear.insulation > 0.0:  # dips for weeks, then it stays down
        deep = wear.insulation >= 1.0 or rng.random() < 0.06 + 0.45 * wear.insulation
        if deep:
            insulation = max(20.0, 700.0 * (1.0 - wear.insulation) + rng.uniform(-60, 60) + 40)
    low_cell = wear.weak_cell if weak > healthy else c.lowest_cell
    return {
        53: volts(c, profile) - drop * cells,
        54: current,
        56: charging_kw,
        47: median - gap / 1000.0,
        48: median + abs(rng.gauss(3.0, 1.0)) / 1000.0,
        50: median,
        49: float(low_cell),
        45: c.pack_charge,
        44: max(0.0, c.pack_health - wear.health_loss + 0.0),
        52: insulation,
        51: c.pack_c + 1.5,
        55: 1.0 if charging_kw > 0 else 0.0,
        57: 1.0 if c.charging_faulted else 0.0,
    }
