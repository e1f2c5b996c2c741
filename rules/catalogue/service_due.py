"""Service is due by the first of distance, date and hours, told as a date."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.service_due import ServiceDue
from rules.detectors.trend import DAY_S
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch

RULE = Rule(
    name="service_due",
    version=2,
    title="Service due",
    needs=(("Vehicle.Service.DistanceToService", "Vehicle.Service.TimeToService"),),
    watch=Watch(ages=dict.fromkeys(("Vehicle.Service.DistanceToService", "Vehicle.Service.TimeToService"), DAY_S)),
    hold=timedelta(minutes=10),
    settle=timedelta(minutes=5),
    judge=ServiceDue(),
    proof=Proof(path="Vehicle.Service.DistanceToService", low=3_000, readings=1),
    group="service",
)
