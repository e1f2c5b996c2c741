"""The engine runs hotter than any healthy one of its model."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.overheating import Overheating
from rules.detectors.threshold import rises_to
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import COOLANT, OfProfile

RULE = Rule(
    name="coolant_hot",
    version=3,
    title="Engine runs too hot",
    needs=(COOLANT,),
    watch=Watch(driving=True),
    hold=timedelta(minutes=2),
    settle=timedelta(minutes=30),
    judge=Overheating(
        rises_to(
            COOLANT,
            now=OfProfile("coolant_max_c", 110, plus=5),
            soon=OfProfile("coolant_max_c", 110, plus=-4),
            clear=OfProfile("coolant_max_c", 110, plus=-9),
            unit="°C",
        )
    ),
    proof=Proof(
        path=COOLANT,
        low=OfProfile("coolant_warm_c", 80),
        high=OfProfile("coolant_max_c", 110, plus=-6),
        readings=10,
        reach=True,
    ),
    drives=("petrol", "diesel", "truck"),
    doubted_by=("coolant_sensor",),  # what has drifted for days is no heat
    group="cooling",
)
