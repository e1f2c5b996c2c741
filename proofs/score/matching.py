"""Alerts against the truth: found in time, missed, imagined, or blamed on the wrong part.

Unit: one (vehicle, fault) episode.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt
from statistics import median
from typing import Any

from proofs.score.living import Lived, Raised
from rules.catalogue import RULES
from rules.engine.feed import unwatched
from rules.engine.thresholds import WHEELS
from simulator.wear import Truth

DAY = 86_400.0
SAME_S = 7 * DAY  #: alerts of one vehicle and component within a week are one
MISSED, FALSE = 500, 10  #: cost of a missed fault and of a false alert
REAL_FAULTS_PER_VEHICLE_YEAR = 0.0005  #: 0.05 % a year and fault kind: what a real fleet shows of one kind

#: What an alert tells the workshop to mend. `{}` is the component, `{axle}` its axle.
PARTS: dict[str, tuple[str, ...]] = {
    "tyre_leak": ("tyre_{}",),
    "tyre_low": ("tyre_{}",),
    "battery_12v": ("battery_12v",),
    "alternator": ("alternator",),
    "parasitic_drain": ("wiring_12v",),
    "thermostat_open": ("thermostat",),
    "coolant_hot": ("cooling",),
    "coolant_low": ("cooling",),
    "misfire": ("ignition",),
    "vacuum_leak": ("intake",),
    "oil_pressure": ("oil_pump",),
    "oil_life": ("oil", "service"),
    "dpf": ("filter",),
    "dpf_regeneration": ("filter",),
    "transmission_hot": ("transmission",),
    "brake_pads": ("brake_pads_{axle}", "brake_pads_{}"),
    "brake_pad_uneven": ("brake_pads_{}",),
    "brake_fluid": ("brake_fluid",),
    "ev_cell": ("pack",),
    "ev_heat": ("pack",),
    "ev_alarm": ("pack",),
    "ev_insulation": ("pack",),
    "ev_health": ("pack",),
    "charging_fault": ("charger",),
    "service_due": ("service",),
}
CODES: dict[str, str] = {
    "P0128": "thermostat",
    "110/18": "thermostat",
    "P0217": "cooling",
    "110/0": "cooling",
    "P0171": "intake",
    "P0562": "alternator",
    "168/1": "alternator",
    "P0524": "oil_pump",
    "100/1": "oil_pump",
    "P0218": "transmission",
    "177/0": "transmission",
    "P2463": "filter",
    "3719/0": "filter",
    "P0AA6": "pack",
    "P0A80": "pack",
}


#: Where several faults break one part, the rules that are meant for each.
OF_FAULT: dict[str, set[str]] = {
    "insulation_loss": {"ev_insulation"},
    "weak_cell": {"ev_cell"},
    "pack_ageing": {"ev_health"},
    "coolant_leak": {"coolant_low"},
    "cooling_blocked": {"coolant_hot"},
}


#: Signals without which a fault shows nowhere: a car whose feed says the date of its service knows of no distance.
SHOWS_IN: dict[str, str] = {"service_due": "Vehicle.Service.DistanceToService"}


def parts_of(raised: Raised) -> tuple[str, ...]:
    """The parts that an alert blames."""
    if raised.rule == "trouble_code":
        code = raised.component.partition("-")[0]
        return ("ignition",) if code.startswith("P030") else (CODES.get(code, code),)
    axle = raised.component.partition("_")[0]
    return tuple(
        p.replace("{axle}", axle).replace("{}", raised.component) for p in PARTS.get(raised.rule, (raised.rule,))
    )


def wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share."""
    if total == 0:
        return 0.0, 1.0
    share = hits / total
    centre, spread = share + z * z / (2 * total), z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return (centre - spread) / (1 + z * z / total), (centre + spread) / (1 + z * z / total)


@dataclass(slots=True)
class Tally:
    """Counts of one fault kind, or of all."""

    hits: int = 0
    missed: int = 0
    open: int = 0  #: not found, and not too late yet when the run ended
    unwatched: int = 0  #: not found, and the car's feed does not bring what a rule needs for it: the desk says so
    unseen: int = 0  #: of the open ones, those that have changed nothing that a sensor could see
    wrong: int = 0  #: episodes whose first alert blamed another part
    leads: list[float] = field(default_factory=list)  #: days

    @property
    def total(self) -> int:
        return self.hits + self.missed

    def facts(self) -> dict[str, Any]:
        low, high = wilson(self.hits, self.total)
        leads = sorted(self.leads)
        return {
            "episodes": self.total,
            "open": self.open,
            "open_unseen": self.unseen,
            "unwatched": self.unwatched,
            "recall": round(self.hits / self.total, 4) if self.total else None,
            "recall_low": round(low, 4),
            "recall_high": round(high, 4),
            "median_lead_days": round(median(leads), 2) if leads else None,
            "p10_lead_days": round(leads[int(0.1 * (len(leads) - 1))], 2) if leads else None,
            "wrong_component": self.wrong,
        }


@dataclass(slots=True)
class Judged:
    """One way of judging over the whole fleet."""

    by_fault: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    false: list[tuple[Lived, Raised]] = field(default_factory=list)
    missed: list[tuple[Lived, Truth]] = field(default_factory=list)
    parts: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  #: fault -> the parts it breaks
    car_days: float = 0.0
    alerts: int = 0

    def all(self) -> Tally:
        tally = Tally()
        for one in self.by_fault.values():
            tally.hits, tally.missed, tally.open = (
                tally.hits + one.hits,
                tally.missed + one.missed,
                tally.open + one.open,
            )
            tally.wrong, tally.unseen = tally.wrong + one.wrong, tally.unseen + one.unseen
            tally.unwatched += one.unwatched
            tally.leads += one.leads
        return tally


def judged(lives: Sequence[Lived], way: str) -> Judged:
    """Match every alert of one way of judging with the truth."""
    found = Judged()
    for life in lives:
        found.car_days += life.days
        alerts = _once_a_week([r for r in life.raised[way] if not _of_a_sensor(life, r)])
        found.alerts += len(alerts)
        used: set[int] = set()
        for n, truth in enumerate(life.truths):
            tally = found.by_fault[truth.fault]
            found.parts[truth.fault].add(truth.part)
            right = [k for k, r in enumerate(alerts) if truth.part in parts_of(r) and r.ts >= truth.onset]
            used.update(right)
            first = next((alerts[k] for k in right), None)
            if first is not None and first.ts <= truth.too_late:
                tally.hits += 1
                if truth.failure <= life.until + 3 * DAY or truth.failure - truth.onset < 400 * DAY:
                    tally.leads.append((truth.failure - first.ts) / DAY)
            elif not watched(life, truth, n):
                tally.unwatched += 1
            elif truth.too_late > life.until:
                tally.open += 1
                tally.unseen += not truth.visible
            else:
                tally.missed += 1
                found.missed.append((life, truth))
            before = [
                r
                for k, r in enumerate(alerts)
                if k not in right and truth.onset <= r.ts <= (first.ts if first else truth.failure)
            ]
            tally.wrong += bool(before) and (first is None or before[0].ts < first.ts)
        found.false += [(life, r) for k, r in enumerate(alerts) if k not in used]
    return found


#: Rules about sensors and units, not about the car.
OF_SENSORS = frozenset(rule.name for rule in RULES if rule.group == "sensor")


def _of_a_sensor(life: Lived, raised: Raised) -> bool:
    """Whether it says that a sensor is implausible, and one is."""
    spoiled = life.plan.sensor_fault != "" and raised.ts >= life.plan.sensor_fault_at
    return spoiled and raised.rule in OF_SENSORS


def watched(life: Lived, truth: Truth, n: int = 0) -> bool:
    """Whether any rule that is meant for this fault can decide at all for this car, as the desk says it while it is not
    too late. `n`: which of its truths that is.
    """
    if not life.plan.real:
        return True
    if truth.fault in SHOWS_IN and SHOWS_IN[truth.fault] not in life.heard:
        return False
    ever = {one.rule for one in unwatched(RULES, life.plan.profile, life.heard)}
    lacking = life.lacking[n] if life.lacking else ever
    meant = OF_FAULT.get(truth.fault) or {name for name in PARTS if _blames(name, truth.part)}
    return not meant <= lacking


def _blames(rule: str, part: str) -> bool:
    components = ("", "front", "rear", *WHEELS)
    return any(part in parts_of(Raised(rule, component, 0.0, "")) for component in components)


def _once_a_week(raised: Sequence[Raised]) -> list[Raised]:
    kept: list[Raised] = []
    newest: dict[tuple[str, ...], float] = {}
    for one in raised:
        key = (one.rule, one.component)
        if one.ts - newest.get(key, -1e12) > SAME_S:
            kept.append(one)
        newest[key] = one.ts
    return kept


def summary(found: Judged) -> dict[str, Any]:
    """The figures of one way of judging."""
    tally, false = found.all(), len(found.false)
    facts = tally.facts()
    per_1000 = 1000 * false / max(1.0, found.car_days)
    real_hits = (
        REAL_FAULTS_PER_VEHICLE_YEAR
        * max(1, len(found.by_fault))
        / 365.0
        * 1000
        * (tally.hits / tally.total if tally.total else 0.0)
    )
    facts |= {
        "false_alerts": false,
        "false_per_1000_vehicle_days": round(per_1000, 4),
        "wrong_component_share": round(tally.wrong / max(1, tally.hits), 4),
        "precision": round(tally.hits / max(1, tally.hits + false), 4),
        "cost": FALSE * false + MISSED * tally.missed,
        "at_real_base_rate": {
            "faults_per_vehicle_year": round(REAL_FAULTS_PER_VEHICLE_YEAR * max(1, len(found.by_fault)), 5),
            "false_per_true": round(per_1000 / real_hits, 1) if real_hits else None,
            "cost_per_1000_vehicle_years": round(
                365_000 / 1000 * (FALSE * per_1000)
                + MISSED
                * 1000
                * REAL_FAULTS_PER_VEHICLE_YEAR
                * len(found.by_fault)
                * (tally.missed / tally.total if tally.total else 0.0),
                1,
            ),
        },
    }
    return facts


def report(lives: Sequence[Lived]) -> dict[str, Any]:
    """The whole score: ours, by fault, and both baselines on the same data."""
    ours, codes, fixed = judged(lives, "telltale"), judged(lives, "codes"), judged(lives, "fixed")
    facts = summary(ours)
    facts["vehicle_days"] = round(ours.car_days, 1)
    facts["by_fault"] = {name: tally.facts() for name, tally in sorted(ours.by_fault.items())}
    facts["false_by_rule"] = _count(r.rule for _, r in ours.false)
    facts |= _of_real_feeds(lives, ours)
    facts["baselines"] = {}
    for name, way in (("trouble_codes_only", codes), ("fixed_thresholds", fixed)):
        by_fault = {fault: tally.facts() for fault, tally in sorted(way.by_fault.items())}
        facts["baselines"][name] = {**summary(way), "by_fault": by_fault}
    worse = sorted({f for other in (codes, fixed) for f in ours.by_fault if not _better(ours, other, f)})
    facts["better_on_every_fault"], facts["not_better_on"] = not worse, worse
    return facts


def _of_real_feeds(lives: Sequence[Lived], ours: Judged) -> dict[str, Any]:
    """By kind of feed, and what the faults of sensors made of it."""
    by_feed = {}
    for feed in sorted({life.plan.feed for life in lives}):
        own = [life for life in lives if life.plan.feed == feed]
        part = judged(own, "telltale")
        kept = ("episodes", "recall", "unwatched", "median_lead_days", "false_alerts", "false_per_1000_vehicle_days")
        by_feed[feed] = {"vehicles": len(own), "vehicle_days": round(part.car_days, 1)}
        by_feed[feed] |= {name: value for name, value in summary(part).items() if name in kept}
    spoiled = [life for life in lives if life.plan.sensor_fault]
    found = [life for life in spoiled if any(_of_a_sensor(life, r) for r in life.raised["telltale"])]
    urgent = [
        f"{life.plan.number} {life.plan.sensor_fault}: {r.rule} {r.component} {r.because}"
        for life in spoiled
        for r in life.urgent
        if r.ts >= life.plan.sensor_fault_at
        and not any(truth.part in parts_of(r) and r.ts >= truth.onset for truth in life.truths)
    ]
    return {
        "by_feed": by_feed,
        "sensor_faults": len(spoiled),
        "sensor_faults_told": len(found),
        "now_from_sensor_faults": len(urgent),
        "now_from_sensor_faults_first": urgent[:10],
        "missed_first": [
            f"{life.plan.number} {life.plan.profile.drive} {life.plan.feed} {life.plan.sensor_fault}: {truth.fault} "
            f"until day {(truth.too_late - life.until) / DAY + life.days:.0f}"
            for life, truth in ours.missed[:25]
        ],
        "false_first": [
            f"{life.plan.number} {life.plan.profile.drive} {life.plan.feed} {life.plan.sensor_fault}: "
            f"{r.rule} {r.component} {r.because}"
            for life, r in ours.false[:25]
        ],
    }


def _better(ours: Judged, other: Judged, fault: str) -> bool:
    """Cheaper, false alerts that blame this fault's parts included; where both cost the same, not later by more than a
    tenth.
    """
    mine, theirs = ours.by_fault[fault], other.by_fault[fault]
    costs = [
        FALSE * sum(bool(way.parts[fault] & set(parts_of(r))) for _, r in way.false)
        + MISSED * way.by_fault[fault].missed
        for way in (ours, other)
    ]
    if costs[0] != costs[1]:
        return costs[0] < costs[1]
    return not theirs.leads or (bool(mine.leads) and median(mine.leads) >= 0.9 * median(theirs.leads))


def _count(names: Any) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for name in names:
        found[name] += 1
    return dict(sorted(found.items(), key=lambda item: -item[1]))
