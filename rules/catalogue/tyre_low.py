"""A tyre is far below its placard, whatever the others do: air that went with the months."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.trend import DAY_S
from rules.detectors.tyres import TyresLow
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import OfProfile, wheel_paths

RULE = Rule(
    name="tyre_low",
    version=2,
    title="Tyre pressure low",
    needs=wheel_paths("Tire.Pressure"),
    watch=Watch(ages=dict.fromkeys(wheel_paths("Tire.Pressure"), DAY_S)),
    hold=timedelta(minutes=30),
    settle=timedelta(hours=2),
    judge=TyresLow(),
    proof=Proof(path="{wheel}.Tire.Pressure", low=OfProfile("tyre_placard_{axle}_kpa", 230, 0.90), readings=4),
    muted_by=("tyre_leak",),
    group="tyres",
)
