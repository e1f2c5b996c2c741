"""Cylinders miss: the share of misfires rises for weeks before the lamp comes on."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.usage_pattern import Habitual
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import ENGINE

SHARE = f"{ENGINE}.MisfireShare"

RULE = Rule(
    name="misfire",
    version=2,
    title="Engine misfires",
    needs=(SHARE,),
    watch=Watch(driving=True),
    hold=timedelta(minutes=5),
    settle=timedelta(hours=2),
    judge=Habitual(SHARE, way=1, now=6.0, soon=1.1, clear=0.7, unit="%"),
    proof=Proof(path=SHARE, high=1.0, readings=10, drives=2),
    drives=("petrol",),
    group="engine",
)
