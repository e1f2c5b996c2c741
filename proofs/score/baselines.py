"""What people use today, on the same data: fixed thresholds (the other baseline, trouble codes only, needs no code)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rules.engine.thresholds import BATTERY, COOLANT, ENGINE, PACK, WHEELS, signal_of
from schemas.profile import Profile
from schemas.reading import Reading

WEEK = 7 * 86_400.0
_RUN = signal_of(f"{ENGINE}.RunTime").id
_RPM = signal_of(f"{ENGINE}.Speed").id


def _id(path: str) -> int:
    return signal_of(path).id


@dataclass(slots=True)
class FixedThresholds:
    """Value beyond a number: alert, once a week and component. No hold, no temperature, no neighbours, no history."""

    profile: Profile
    tests: dict[int, list[tuple[str, str, Callable[[float, dict[int, float]], bool]]]] = field(default_factory=dict)
    told: dict[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        limits = self.profile.limits
        volts = limits.get("battery_nominal_v", 12.0) / 12.0
        for wheel, branch in WHEELS.items():
            placard = limits[f"tyre_placard_{wheel.partition('_')[0]}_kpa"]
            self._add(f"{branch}.Tire.Pressure", "tyre_low", wheel, lambda v, s, p=placard: v < 0.75 * p)
            self._add(f"{branch}.Brake.PadWear", "brake_pads", wheel, lambda v, s: v >= 90)
        self._add(f"{BATTERY}.CrankingVoltageMin", "battery_12v", "", lambda v, s: v < 9.6 * volts)
        self._add(f"{BATTERY}.RestingVoltage", "parasitic_drain", "", lambda v, s: v < 12.2 * volts)
        self._add(
            f"{BATTERY}.CurrentVoltage", "alternator", "", lambda v, s: v < 13.2 * volts and s.get(_RPM, 0.0) > 500
        )
        self._add(COOLANT, "thermostat_open", "", lambda v, s: v < 74 and s.get(_RUN, 0.0) > 1_200)
        self._add(COOLANT, "coolant_hot", "", lambda v, s: v > 110)
        self._add(f"{ENGINE}.EngineCoolant.Level", "coolant_low", "", lambda v, s: v < 30)
        self._add(f"{ENGINE}.MisfireShare", "misfire", "", lambda v, s: v > 2.5)
        self._add("Vehicle.OBD.LongTermFuelTrim1", "vacuum_leak", "", lambda v, s: v > 10)
        self._add(
            f"{ENGINE}.EOP",
            "oil_pressure",
            "",
            lambda v, s: v < limits.get("oil_pressure_idle_kpa", 80) and s.get(_RPM, 0.0) > 500,
        )
        self._add(f"{ENGINE}.EngineOil.LifePercent", "oil_life", "", lambda v, s: v < 5)
        self._add(f"{ENGINE}.DieselParticulateFilter.SootLoad", "dpf", "", lambda v, s: v > 105)
        self._add("Vehicle.Powertrain.Transmission.Temperature", "transmission_hot", "", lambda v, s: v > 120)
        self._add("Vehicle.Chassis.Brake.FluidLevel", "brake_fluid", "", lambda v, s: v < 50)
        self._add(
            f"{PACK}.CellVoltage.Min",
            "ev_cell",
            "",
            lambda v, s: s.get(_id(f"{PACK}.CellVoltage.Median"), v) - v > 0.06,
        )
        self._add(f"{PACK}.InsulationResistance", "ev_insulation", "", lambda v, s: v < 200)
        self._add(f"{PACK}.StateOfHealth", "ev_health", "", lambda v, s: v < 70)
        self._add(f"{PACK}.Charging.IsFaulted", "charging_fault", "", lambda v, s: v > 0.5)
        self._add("Vehicle.Service.DistanceToService", "service_due", "", lambda v, s: v <= 0)

    def _add(self, path: str, rule: str, component: str, test: Callable[..., bool]) -> None:
        if path in self.profile.fitted:
            self.tests.setdefault(_id(path), []).append((rule, component, test))

    def see(self, reading: Reading) -> list[tuple[str, str]]:
        """The alerts of this reading."""
        found = []
        seen = dict(zip(reading.ids, reading.values))
        for signal_id, value in seen.items():
            for rule, component, test in self.tests.get(signal_id, ()):
                if test(value, seen) and reading.ts - self.told.get((rule, component), -1e12) > WEEK:
                    self.told[rule, component] = reading.ts
                    found.append((rule, component))
        return found
