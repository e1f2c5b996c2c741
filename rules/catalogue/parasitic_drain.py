"""Something draws current while the car stands: it wakes with less than it went to sleep with."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.charging import MODULE, StandingLoss
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import BATTERY, OfProfile

RULE = Rule(
    name="parasitic_drain",
    version=3,
    title="12 V battery drains while parked",
    needs=((f"{BATTERY}.RestingVoltage", MODULE),),
    watch=Watch(mornings_of={MODULE: StandingLoss().mornings}),
    hold=timedelta(0),  # several nights are its hold
    settle=timedelta(hours=24),
    judge=StandingLoss(),
    proof=Proof(
        path=f"{BATTERY}.RestingVoltage", low=OfProfile("battery_nominal_v", 12, 1 / 12 * 12.4), readings=1, reach=True
    ),
    muted_by=("alternator",),
    group="supply_12v",
)
