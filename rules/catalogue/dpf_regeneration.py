"""The particulate filter burns itself clean more and more often: ash takes the room that soot should have."""

from __future__ import annotations

from datetime import timedelta

from rules.intervals import Intervals
from rules.level import ENGINE, OfProfile
from rules.proof import Proof
from rules.rule import Rule

SINCE = f"{ENGINE}.DieselParticulateFilter.DistanceSinceRegeneration"
SOOT = f"{ENGINE}.DieselParticulateFilter.SootLoad"

RULE = Rule(
    name="dpf_regeneration",
    version=1,
    title="Particulate filter cleans itself too often",
    needs=(SINCE,),
    hold=timedelta(0),  # three regenerations are its hold
    settle=timedelta(hours=1),
    judge=Intervals(SINCE, shortest=OfProfile("dpf_regeneration_km", 250), times=2),
    proof=Proof(path=SOOT, high=80, readings=5),
    drives=("diesel", "truck"),
    group="exhaust",
)
