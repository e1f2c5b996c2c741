"""The engine stays cold although a healthy one would be warm: the thermostat no longer closes."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.warm_up import PAUSE_S, NeverWarm
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.snapshot import FRESH_S
from rules.engine.thresholds import COOLANT, SPEED, OfProfile

RULE = Rule(
    name="thermostat_open",
    version=2,
    title="Engine does not get warm",
    needs=(COOLANT, SPEED),
    watch=Watch(every_s=PAUSE_S, lasts_s=480.0, driving=True, ages={SPEED: FRESH_S}),
    hold=timedelta(minutes=4),
    settle=timedelta(minutes=20),
    judge=NeverWarm(),
    proof=Proof(path=COOLANT, low=OfProfile("coolant_warm_c", 80), readings=5, reach=True),
    drives=("petrol", "diesel", "truck"),
    group="cooling",
)
