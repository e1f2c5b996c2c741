"""The high-voltage insulation dips: first now and then, one day for good."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.insulation import Insulation
from rules.engine.repair_verification import Proof
from rules.engine.rule import ANY_FEED, Rule
from rules.engine.thresholds import PACK, OfProfile

INSULATION = f"{PACK}.InsulationResistance"

RULE = Rule(
    name="ev_insulation",
    version=2,
    title="High-voltage insulation weak",
    needs=(INSULATION,),
    watch=ANY_FEED,
    hold=timedelta(0),  # several dips, or two samples far down, are its hold
    settle=timedelta(hours=24),
    judge=Insulation(),
    proof=Proof(path=INSULATION, low=OfProfile("insulation_floor_kohm", 200, 2.0), readings=20, drives=2),
    drives=("electric",),
    group="pack",
)
