"""The oil is nearly used up, by the engine's own count of cold starts and hot hours."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.threshold import falls_to
from rules.engine.repair_verification import Proof
from rules.engine.rule import ANY_FEED, Rule
from rules.engine.thresholds import ENGINE

LIFE = f"{ENGINE}.EngineOil.LifePercent"

RULE = Rule(
    name="oil_life",
    version=1,
    title="Engine oil used up",
    needs=(LIFE,),
    watch=ANY_FEED,
    hold=timedelta(minutes=10),
    judge=falls_to(LIFE, soon=5, advice=15, clear=20, unit="%"),
    proof=Proof(path=LIFE, low=80, readings=2),
    drives=("petrol", "diesel", "truck"),
    group="service",
)
