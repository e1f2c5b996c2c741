"""Engine oil pressure as no engine has it: stuck, in another unit, or never enough."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.oil_sensor import OilSensor
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import ENGINE, RPM

RULE = Rule(
    name="oil_sensor",
    version=1,
    title="Oil pressure sensor implausible",
    needs=(f"{ENGINE}.EOP", RPM),
    watch=Watch(driving=True, ages={RPM: 5.0}),
    hold=timedelta(0),  # five looks in ten minutes each are its hold
    settle=timedelta(0),
    judge=OilSensor(),
    proof=Proof(kind="none"),
    drives=("petrol", "diesel", "truck"),
    about_the_car=False,
    group="sensor",
)
