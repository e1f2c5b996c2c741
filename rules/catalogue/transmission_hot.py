"""The gearbox runs hotter than its oil likes."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.heat import above_air
from rules.detectors.usage_pattern import Habitual
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import ENGINE, OUTSIDE, OfProfile
from schemas.verdict import Severity

HEAT = "Vehicle.Powertrain.Transmission.Temperature"

RULE = Rule(
    name="transmission_hot",
    version=2,
    title="Gearbox too hot",
    needs=(HEAT, OUTSIDE, f"{ENGINE}.RunTime", f"{ENGINE}.Load"),
    watch=Watch(driving=True, ages={OUTSIDE: 3_600.0, f"{ENGINE}.RunTime": 5.0, f"{ENGINE}.Load": 5.0}),
    hold=timedelta(minutes=3),
    judge=Habitual(
        HEAT,
        way=1,
        soon=64,
        clear=52,
        drift=13,
        hard=OfProfile("transmission_max_c", 125, plus=-10),
        hard_severity=Severity.SOON,
        hard_always=True,
        unit="K above outside air and load",
        measure=above_air,
        reads=(OUTSIDE, f"{ENGINE}.RunTime", f"{ENGINE}.Load"),
        period_s=600,
        weight=0.1,
        what="gearbox",
    ),
    proof=Proof(path=HEAT, low=60, high=OfProfile("transmission_max_c", 125, plus=-14), readings=10, reach=True),
    drives=("petrol", "diesel", "truck"),
    group="gearbox",
)
