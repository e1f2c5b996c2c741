"""The engine stays cold although a healthy one would be warm: the thermostat no longer closes."""

from __future__ import annotations

from datetime import timedelta

from rules.level import COOLANT, SPEED, OfProfile
from rules.proof import Proof
from rules.rule import Rule
from rules.warmth import NeverWarm

RULE = Rule(
    name="thermostat_open",
    version=1,
    title="Engine does not get warm",
    needs=(COOLANT, SPEED),
    hold=timedelta(minutes=4),
    settle=timedelta(minutes=20),
    judge=NeverWarm(),
    proof=Proof(path=COOLANT, low=OfProfile("coolant_warm_c", 80), readings=5, reach=True),
    drives=("petrol", "diesel", "truck"),
    group="cooling",
)
