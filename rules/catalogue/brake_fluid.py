"""Brake fluid is lost: the level falls further than worn pads explain."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.threshold import falls_to
from rules.engine.repair_verification import Proof
from rules.engine.rule import ANY_FEED, Rule

FLUID = "Vehicle.Chassis.Brake.FluidLevel"

RULE = Rule(
    name="brake_fluid",
    version=1,
    title="Brake fluid low",
    needs=(FLUID,),
    watch=ANY_FEED,
    hold=timedelta(minutes=10),
    samples=3,
    judge=falls_to(FLUID, now=50, soon=76, clear=80, unit="%"),
    proof=Proof(path=FLUID, low=85, readings=2),
    group="brakes",
)
