"""Coolant is lost: the level falls, long before the engine gets hot."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.sudden import Also
from rules.detectors.sudden_looks import CoolantGone
from rules.detectors.threshold import falls_to
from rules.engine.repair_verification import Proof
from rules.engine.rule import ANY_FEED, Rule
from rules.engine.thresholds import ENGINE

LEVEL = f"{ENGINE}.EngineCoolant.Level"

RULE = Rule(
    name="coolant_low",
    version=2,
    title="Coolant low",
    needs=(LEVEL,),
    watch=ANY_FEED,
    hold=timedelta(minutes=10),
    samples=3,
    judge=Also(falls_to(LEVEL, now=15, soon=50, clear=60, unit="%"), CoolantGone(level=15)),
    proof=Proof(path=LEVEL, low=70, readings=2),
    drives=("petrol", "diesel", "truck"),
    group="cooling",
)
