"""A coolant sensor that drifts upwards: the engine is as warm as ever, and it says more from week to week."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.coolant_drift import CoolantDrift
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import COOLANT, ENGINE

RULE = Rule(
    name="coolant_sensor",
    version=1,
    title="Coolant sensor drifts",
    needs=(COOLANT, f"{ENGINE}.RunTime"),
    watch=Watch(driving=True, ages={f"{ENGINE}.RunTime": 60.0}),
    hold=timedelta(0),  # means over hours are its hold
    settle=timedelta(0),
    judge=CoolantDrift(),
    proof=Proof(kind="none"),
    drives=("petrol", "diesel", "truck"),
    about_the_car=False,
    group="sensor",
)
