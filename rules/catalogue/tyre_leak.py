"""One tyre loses air: it falls behind its partner and the other wheels, cold snaps and loads taken out."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.sudden import Also
from rules.detectors.sudden_looks import Burst
from rules.detectors.trend import DAY_S
from rules.detectors.tyres import TyreLeak
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import OfProfile, wheel_paths

RULE = Rule(
    name="tyre_leak",
    version=3,
    title="A tyre loses air",
    needs=wheel_paths("Tire.Pressure"),
    watch=Watch(ages=dict.fromkeys(wheel_paths("Tire.Pressure"), DAY_S)),
    hold=timedelta(minutes=20),
    settle=timedelta(hours=12),
    judge=Also(TyreLeak(), Burst()),
    proof=Proof(
        path="{wheel}.Tire.Pressure",
        low=OfProfile("tyre_placard_{axle}_kpa", 230, 0.90),
        high=OfProfile("tyre_placard_{axle}_kpa", 230, 1.40),
        readings=4,
        drives=2,
    ),
    group="tyres",
)
