"""The traction battery has lost its health below what its maker promises."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.threshold import falls_to
from rules.engine.repair_verification import Proof
from rules.engine.rule import ANY_FEED, Rule
from rules.engine.thresholds import PACK, OfProfile

HEALTH = f"{PACK}.StateOfHealth"

RULE = Rule(
    name="ev_health",
    version=1,
    title="Traction battery aged",
    needs=(HEALTH,),
    watch=ANY_FEED,
    hold=timedelta(minutes=30),
    settle=timedelta(days=2),
    judge=falls_to(
        HEALTH,
        soon=OfProfile("health_floor_percent", 70),
        advice=OfProfile("health_floor_percent", 70, plus=4),
        clear=OfProfile("health_floor_percent", 70, plus=8),
        unit="%",
    ),
    proof=Proof(path=HEALTH, low=80, readings=5),
    drives=("electric",),
    group="pack",
)
