"""What is broken, since when and how fast it gets worse; with the ground truth that a detection is scored against.

Numbers are from VEHICLES.md section 3.2 (measured or published) unless a comment says "assumed".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log

from schemas.errors import BadInput

DAY = 86_400.0
WHEELS = ("front_left", "front_right", "rear_left", "rear_right")


@dataclass(slots=True)
class Wear:
    """The condition of one car at one moment, as the physics reads it. The defaults are a healthy car."""

    leak: list[float] = field(default_factory=lambda: [0.0] * 4)  #: extra share of air lost per day
    crank_resistance: float = 1.0  #: inner resistance of the 12 V battery against new
    drain_per_day: float = 0.0  #: extra share of charge lost per parked day
    belt_slip: float = 0.0  #: 0..1, voltage lost under load
    alternator_dead: bool = False
    opening_min: float = 0.0  #: a thermostat that no longer closes
    opening_max: float = 1.0  #: a cooling circuit that no longer opens or flows
    coolant_loss: float = 0.0  #: percent per day
    misfire: float = 0.0  #: share in percent, on top of the healthy 0.2
    misfire_cylinder: int = 1
    vacuum_leak: float = 0.0  #: percent of fuel trim at idle
    pads: list[float] = field(default_factory=lambda: [1.0] * 4)  #: wear against normal
    brake_fluid_loss: float = 0.0  #: percent per day
    oil_pressure: float = 1.0  #: share of normal
    oil_ageing: float = 1.0
    transmission_heat: float = 0.0  #: K on top of normal when loaded
    filter_ash: float = 0.0  #: 0..1: regeneration empties less and less
    weak_cell_mv: float = 0.0  #: below the median at rest
    weak_cell: int = 41
    insulation: float = 0.0  #: 0..1: dips first, then collapse
    health_loss: float = 0.0  #: percent points on top of ageing
    charging_fault: float = 0.0  #: chance that a charge stops


def _grown(days: float, over: float) -> float:
    """0 at onset, 1 after `over` days, then on in the same straight line."""
    return max(0.0, days / over)


def _per_wheel(wear: list[float], component: str, value: float) -> None:
    wear[WHEELS.index(component)] += value


Effect = Callable[[Wear, float, Mapping[str, float], str], None]


def _tyre_leak(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    _per_wheel(wear.leak, component, p["per_day"])


def _battery_ageing(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.crank_resistance *= exp(log(2.5) * min(days / p["days"], 1.6))


def _parasitic_drain(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.drain_per_day += p["per_day"]


def _belt_slip(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.belt_slip = max(wear.belt_slip, min(1.0, 0.25 + 0.75 * _grown(days, p["days"])))


def _alternator_dead(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.alternator_dead = True


def _thermostat_open(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.opening_min = max(wear.opening_min, p["open"] * min(1.0, 0.3 + 0.7 * _grown(days, p["days"])))


def _cooling_blocked(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.opening_max = min(wear.opening_max, max(p["floor"], 1.0 - (1.0 - p["floor"]) * _grown(days, p["days"])))


def _coolant_leak(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.coolant_loss += p["per_day"]


def _misfire(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.misfire = min(8.0, 5.8 * _grown(days, p["days"]))
    wear.misfire_cylinder = int(p["cylinder"])


def _vacuum_leak(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.vacuum_leak = min(30.0, p["percent"] * _grown(days, p["days"]))


def _worn_pads(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    for wheel in (0, 1) if component == "front" else (2, 3):
        wear.pads[wheel] *= p["factor"]


def _sticking_calliper(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.pads[WHEELS.index(component)] *= p["factor"]


def _brake_fluid_leak(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.brake_fluid_loss += p["per_day"]


def _oil_pressure(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.oil_pressure *= max(0.1, 1.0 - 0.65 * _grown(days, p["days"]))


def _oil_life(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.oil_ageing *= p["factor"]


def _transmission_heat(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.transmission_heat += min(60.0, 45.0 * _grown(days, p["days"]))


def _filter_clogging(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.filter_ash = min(0.92, 0.85 * _grown(days, p["days"]))


def _weak_cell(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.weak_cell_mv += min(p["mv"], p["mv"] * _grown(days, p["days"])) + max(0.0, days - p["days"]) * 1.5
    wear.weak_cell = int(p["cell"])


def _insulation(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.insulation = min(1.0, _grown(days, p["days"]))


def _pack_health(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.health_loss += p["points_per_day"] * days


def _charging_fault(wear: Wear, days: float, p: Mapping[str, float], component: str) -> None:
    wear.charging_fault = min(0.95, 0.35 + 0.6 * _grown(days, p["days"]))


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: what it does, its parameters, and when it can be seen and when it is too late (days from
    onset).
    """

    effect: Effect
    part: str  #: what the workshop replaces; {} is the component
    defaults: Mapping[str, float]
    detectable: Callable[[Mapping[str, float]], float]
    failure: Callable[[Mapping[str, float]], float]
    too_late_days: float  #: an alert closer to the failure than this is a miss
    drives: tuple[str, ...] = ("petrol", "diesel", "electric", "truck")
    components: tuple[str, ...] = ("",)


_FUEL = ("petrol", "diesel", "truck")
#: From 234 kPa: 75 % of the placard is reached after ln(335/277)/lambda days.
_TYRE_LN = log((234 + 101.3) / (0.75 * 234 + 101.3))

# fmt: off
KINDS: dict[str, Kind] = {
    "tyre_leak": Kind(_tyre_leak, "tyre_{}", {"per_day": 0.01},
        lambda p: 0.02 / p["per_day"], lambda p: _TYRE_LN / p["per_day"], 1, components=WHEELS),
    "battery_ageing": Kind(_battery_ageing, "battery_12v", {"days": 120.0},
        lambda p: 0.45 * p["days"], lambda p: 1.2 * p["days"], 3, drives=_FUEL),
    "parasitic_drain": Kind(_parasitic_drain, "wiring_12v", {"per_day": 0.07},
        lambda p: 2.0, lambda p: 0.75 / p["per_day"] + 4, 1),
    "belt_slip": Kind(_belt_slip, "alternator", {"days": 25.0},
        lambda p: 2.0, lambda p: p["days"] + 5, 1, drives=_FUEL),
    "alternator_dead": Kind(_alternator_dead, "alternator", {}, lambda p: 0.0, lambda p: 3.0, 0, drives=_FUEL),
    "thermostat_open": Kind(_thermostat_open, "thermostat", {"open": 0.3, "days": 10.0},
        lambda p: 3.0, lambda p: 999.0, 1 / 24, drives=_FUEL),
    "cooling_blocked": Kind(_cooling_blocked, "cooling", {"floor": 0.2, "days": 30.0},
        lambda p: 0.6 * p["days"], lambda p: 999.0, 1 / 24, drives=_FUEL),
    "coolant_leak": Kind(_coolant_leak, "cooling", {"per_day": 2.0},
        lambda p: 15 / p["per_day"], lambda p: 65 / p["per_day"], 1, drives=_FUEL),
    "misfire": Kind(_misfire, "ignition", {"days": 45.0, "cylinder": 1},
        lambda p: 0.3 * p["days"], lambda p: 1.1 * p["days"], 1, drives=("petrol",)),
    "vacuum_leak": Kind(_vacuum_leak, "intake", {"percent": 22.0, "days": 30.0},
        lambda p: 0.4 * p["days"], lambda p: 1.4 * p["days"], 1, drives=("petrol",)),
    "worn_pads": Kind(_worn_pads, "brake_pads_{}", {"factor": 6.0, "start": 62.0},
        lambda p: 0.0, lambda p: 999.0, 0, components=("front", "rear")),
    "sticking_calliper": Kind(_sticking_calliper, "brake_pads_{}", {"factor": 8.0},
        lambda p: 8.0, lambda p: 999.0, 0, components=WHEELS),
    "brake_fluid_leak": Kind(_brake_fluid_leak, "brake_fluid", {"per_day": 1.5},
        lambda p: 8 / p["per_day"], lambda p: 45 / p["per_day"], 1),
    "oil_pressure_loss": Kind(_oil_pressure, "oil_pump", {"days": 40.0},
        lambda p: 0.35 * p["days"], lambda p: 1.2 * p["days"], 1, drives=_FUEL),
    "oil_worn": Kind(_oil_life, "oil", {"factor": 6.0, "start": 30.0}, lambda p: 0.0, lambda p: 999.0, 0, drives=_FUEL),
    "transmission_heat": Kind(_transmission_heat, "transmission", {"days": 25.0},
        lambda p: 0.6 * p["days"], lambda p: 999.0, 1, drives=_FUEL),
    "filter_clogging": Kind(_filter_clogging, "filter", {"days": 40.0},
        lambda p: 0.4 * p["days"], lambda p: 1.3 * p["days"], 1, drives=("diesel", "truck")),
    "weak_cell": Kind(_weak_cell, "pack", {"mv": 70.0, "days": 21.0, "cell": 41},
        lambda p: 0.25 * p["days"], lambda p: p["days"] + 30, 3, drives=("electric",)),
    "insulation_loss": Kind(_insulation, "pack", {"days": 28.0},
        lambda p: 0.3 * p["days"], lambda p: p["days"], 3, drives=("electric",)),
    "pack_ageing": Kind(_pack_health, "pack", {"points_per_day": 0.12, "start": 76.0},
        lambda p: 10.0, lambda p: 90.0, 3, drives=("electric",)),
    "charging_fault": Kind(_charging_fault, "charger", {"days": 20.0},
        lambda p: 3.0, lambda p: 999.0, 1 / 24, drives=("electric",)),
    "service_due": Kind(lambda *_: None, "service", {"start_km": 900.0}, lambda p: 0.0, lambda p: 999.0, 0),
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Truth:
    """What really happened to one car: instants are epoch seconds.

    `component` is a wheel, an axle ("front" means either front wheel) or "". A failure far in the future (999 days)
    says that the fault's end is a level, not a date, and that the level has not been reached yet.
    """

    fault: str
    component: str
    part: str
    onset: float
    detectable: float
    failure: float
    too_late: float  #: the last instant at which an alert still helps
    #: whether it has changed anything so far that a sensor could see; a fault that shows nothing cannot be found
    visible: bool = True


@dataclass(slots=True)
class Fault:
    """One fault of one car. `onset` is an epoch second; healed ones have no effect any more."""

    kind: str
    component: str
    onset: float
    values: dict[str, float]
    healed_at: float | None = None

    @classmethod
    def of(cls, kind: str, component: str, onset: float, values: Mapping[str, float]) -> Fault:
        known = KINDS.get(kind)
        if known is None:
            raise BadInput("fault.kind", f"{kind!r} is not one of {', '.join(KINDS)}")
        if component not in known.components:
            raise BadInput("fault.component", f"{component!r} is not one of {', '.join(known.components)} for {kind}")
        unknown = set(values) - set(known.defaults)
        if unknown:
            raise BadInput("fault.values", f"{kind} has no {', '.join(sorted(unknown))}")
        return cls(kind, component, onset, {**known.defaults, **values})

    @property
    def part(self) -> str:
        """What the workshop has to mend."""
        return KINDS[self.kind].part.format(self.component)

    def truth(self) -> Truth:
        kind = KINDS[self.kind]
        failure = self.onset + DAY * kind.failure(self.values)
        return Truth(
            self.kind,
            self.component,
            self.part,
            self.onset,
            self.onset + DAY * kind.detectable(self.values),
            failure,
            failure - DAY * kind.too_late_days,
        )

    def severity(self, now: float) -> float:
        """0 before the onset and after the repair, 1 at the failure."""
        if self.healed_at is not None or now < self.onset:
            return 0.0
        truth = self.truth()
        return min(1.0, (now - truth.onset) / max(1.0, truth.failure - truth.onset))


def wear_of(faults: Sequence[Fault], now: float) -> Wear:
    """The condition that these faults make at `now`."""
    wear = Wear()
    for fault in faults:
        if fault.healed_at is None and now >= fault.onset:
            KINDS[fault.kind].effect(wear, (now - fault.onset) / DAY, fault.values, fault.component)
    return wear
