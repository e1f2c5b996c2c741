"""A tyre is far below its placard, whatever the others do: air that went with the months."""

from __future__ import annotations

from datetime import timedelta

from rules.level import OfProfile, wheel_paths
from rules.proof import Proof
from rules.rule import Rule
from rules.tyres import TyresLow

RULE = Rule(
    name="tyre_low",
    version=1,
    title="Tyre pressure low",
    needs=wheel_paths("Tire.Pressure"),
    hold=timedelta(minutes=30),
    settle=timedelta(hours=2),
    judge=TyresLow(),
    proof=Proof(path="{wheel}.Tire.Pressure", low=OfProfile("tyre_placard_{axle}_kpa", 230, 0.90), readings=4),
    muted_by=("tyre_leak",),
    group="tyres",
)
