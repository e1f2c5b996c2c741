"""The traction battery gets hot by itself, by the minute: driving and charging never heat it so fast."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.heat_rise import FAR_S, HeatRise
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import PACK, OfProfile

HEAT = f"{PACK}.Temperature.Max"

RULE = Rule(
    name="ev_heat",
    version=1,
    title="Traction battery heats up",
    needs=(HEAT,),
    watch=Watch(every_s=FAR_S),
    hold=timedelta(0),  # two samples in a row are its hold
    settle=timedelta(hours=24),
    judge=HeatRise(),
    proof=Proof(path=HEAT, high=OfProfile("pack_max_c", 55), readings=20, drives=2),
    drives=("electric",),
    group="pack",
)
