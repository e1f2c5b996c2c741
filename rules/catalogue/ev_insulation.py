"""The high-voltage insulation dips: first now and then, one day for good."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.count_in_window import CountInWindow
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule
from rules.engine.thresholds import PACK, OfProfile

INSULATION = f"{PACK}.InsulationResistance"

RULE = Rule(
    name="ev_insulation",
    version=1,
    title="High-voltage insulation weak",
    needs=(INSULATION,),
    hold=timedelta(0),  # several dips are its hold
    settle=timedelta(hours=24),
    judge=CountInWindow(
        INSULATION,
        bad_below=OfProfile("insulation_warn_kohm", 850),
        urgent_below=OfProfile("insulation_floor_kohm", 200),
        times=4,
        urgent_times=2,
        within_s=3 * 86_400,
        apart_s=300,
    ),
    proof=Proof(path=INSULATION, low=900, readings=20, drives=2),
    drives=("electric",),
    group="pack",
)
