"""Coolant is lost: the level falls, long before the engine gets hot."""

from __future__ import annotations

from datetime import timedelta

from rules.level import ENGINE
from rules.proof import Proof
from rules.rule import Rule
from rules.shapes import falls_to

LEVEL = f"{ENGINE}.EngineCoolant.Level"

RULE = Rule(
    name="coolant_low",
    version=1,
    title="Coolant low",
    needs=(LEVEL,),
    hold=timedelta(minutes=10),
    judge=falls_to(LEVEL, now=15, soon=50, clear=60, unit="%"),
    proof=Proof(path=LEVEL, low=70, readings=2),
    drives=("petrol", "diesel", "truck"),
    group="cooling",
)
