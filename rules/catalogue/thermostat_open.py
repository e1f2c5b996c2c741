"""The engine stays cold although a healthy one would be warm: the thermostat no longer closes."""

from __future__ import annotations

from datetime import timedelta

from rules.level import COOLANT, OUTSIDE, SPEED, OfProfile
from rules.own import Own
from rules.proof import Proof
from rules.rule import Rule
from rules.warmth import never_warm

RULE = Rule(
    name="thermostat_open",
    version=1,
    title="Engine does not get warm",
    needs=(COOLANT, SPEED),
    hold=timedelta(minutes=4),
    settle=timedelta(minutes=20),
    judge=Own(
        judge=never_warm,
        on=(COOLANT,),
        reads=(SPEED, OUTSIDE),
        state=("model_c", "last_ts", "cold_s", "warm_s"),
        period_s=120,
        quiet=((COOLANT, ">=", OfProfile("coolant_warm_c", 80)),),
        chart_limits=(("a healthy engine is warmer", OfProfile("coolant_warm_c", 80, plus=-6)),),
    ),
    proof=Proof(path=COOLANT, low=OfProfile("coolant_warm_c", 80), readings=5, reach=True),
    drives=("petrol", "diesel", "truck"),
    group="cooling",
)
