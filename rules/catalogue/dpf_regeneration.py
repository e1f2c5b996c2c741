"""The particulate filter burns itself clean more and more often: ash takes the room that soot should have."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.intervals import Intervals
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import ENGINE, ODOMETER, OfProfile

SINCE = f"{ENGINE}.DieselParticulateFilter.DistanceSinceRegeneration"
SOOT = f"{ENGINE}.DieselParticulateFilter.SootLoad"

RULE = Rule(
    name="dpf_regeneration",
    version=3,
    title="Particulate filter cleans itself too often",
    needs=((SINCE, SOOT), (SINCE, ODOMETER)),
    watch=Watch(ages={ODOMETER: 3_600.0}),
    hold=timedelta(0),  # three regenerations are its hold
    settle=timedelta(hours=1),
    judge=Intervals(SINCE, shortest=OfProfile("dpf_regeneration_km", 250), times=2, instead=SOOT),
    proof=Proof(path=SOOT, high=80, readings=5),
    drives=("diesel", "truck"),
    group="exhaust",
)
