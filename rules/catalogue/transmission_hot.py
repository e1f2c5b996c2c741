"""The gearbox runs hotter than its oil likes."""

from __future__ import annotations

from datetime import timedelta

from rules.level import OfProfile
from rules.proof import Proof
from rules.rule import Rule
from rules.shapes import rises_to

HEAT = "Vehicle.Powertrain.Transmission.Temperature"

RULE = Rule(
    name="transmission_hot",
    version=1,
    title="Gearbox too hot",
    needs=(HEAT,),
    hold=timedelta(minutes=3),
    judge=rises_to(
        HEAT, now=OfProfile("transmission_max_c", 125, plus=12), soon=OfProfile("transmission_max_c", 125, plus=-10), clear=OfProfile("transmission_max_c", 125, plus=-17), unit="°C"
    ),
    proof=Proof(path=HEAT, low=60, high=OfProfile("transmission_max_c", 125, plus=-14), readings=10, reach=True),
    drives=("petrol", "diesel", "truck"),
    group="gearbox",
)
