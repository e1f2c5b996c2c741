"""Speed and odometer disagree by the factor between two units: miles where kilometres belong."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.distances import APART_S, Distances
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import ODOMETER, SPEED

RULE = Rule(
    name="distance_unit",
    version=2,
    title="Speed and distance disagree",
    needs=(ODOMETER, SPEED),
    watch=Watch(every_s=APART_S[1], driving=True, ages={SPEED: 60.0}),
    hold=timedelta(0),  # hundreds of kilometres are its hold
    settle=timedelta(0),
    judge=Distances(),
    proof=Proof(kind="none"),
    about_the_car=False,
    group="sensor",
)
