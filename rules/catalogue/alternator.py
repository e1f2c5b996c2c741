"""The alternator or DC-DC converter no longer carries the car: running voltage below what this model ever shows."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.charging import IGNITION, MODULE, RunningVoltage
from rules.detectors.trend import DAY_S
from rules.engine.feed import TOGETHER_S
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import BATTERY, RPM, OfProfile

RULE = Rule(
    name="alternator",
    version=5,
    title="12 V battery is not charged",
    needs=((f"{BATTERY}.CurrentVoltage", MODULE),),
    needs_of={"petrol": (RPM,), "diesel": (RPM,), "truck": (RPM,), "electric": (IGNITION,)},  # while something charges
    watch=Watch(driving=True, ages={IGNITION: DAY_S, RPM: TOGETHER_S}),
    hold=timedelta(minutes=6),
    settle=timedelta(hours=1),
    judge=RunningVoltage(),
    proof=Proof(
        path=f"{BATTERY}.CurrentVoltage", low=OfProfile("charging_low_v", 13.0, plus=0.1), readings=10, reach=True
    ),
    group="supply_12v",
)
