"""The particulate filter fills up beyond what its own cleaning still takes away."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.threshold import rises_to
from rules.engine.repair_verification import Proof
from rules.engine.rule import ANY_FEED, Rule
from rules.engine.thresholds import ENGINE, OfProfile

SOOT = f"{ENGINE}.DieselParticulateFilter.SootLoad"

RULE = Rule(
    name="dpf",
    version=1,
    title="Particulate filter full",
    needs=(SOOT,),
    watch=ANY_FEED,
    hold=timedelta(minutes=20),
    judge=rises_to(
        SOOT,
        now=OfProfile("dpf_soot_full_percent", 100, plus=40),
        soon=OfProfile("dpf_soot_full_percent", 100, plus=8),
        clear=OfProfile("dpf_soot_full_percent", 100, plus=1),
        unit="%",
    ),
    proof=Proof(path=SOOT, high=80, readings=3),
    drives=("diesel", "truck"),
    muted_by=("dpf_regeneration", "thermostat_open"),  # a cold engine cannot burn it clean
    group="exhaust",
)
