"""The starter pulls the 12 V battery down further and further: it will not start one day."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.baseline import DIP_S, Cranking
from rules.detectors.charging import MODULE
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import BATTERY, OfProfile

RULE = Rule(
    name="battery_12v",
    version=3,
    title="12 V battery weak",
    needs=((f"{BATTERY}.CrankingVoltageMin", MODULE),),
    watch=Watch(every_of={MODULE: DIP_S}, starts_of={MODULE: Cranking().dips}),
    hold=timedelta(0),  # three starts are its hold
    settle=timedelta(hours=6),
    judge=Cranking(),
    proof=Proof(
        path=f"{BATTERY}.CrankingVoltageMin",
        low=OfProfile("battery_nominal_v", 12, 1 / 12 * 10.0),
        readings=2,
        drives=2,
    ),
    drives=("petrol", "diesel", "truck"),
    muted_by=("alternator", "parasitic_drain"),
    group="supply_12v",
)
