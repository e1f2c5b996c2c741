"""Oil pressure below what this engine needs at its speed and warmth."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.oil_pressure import OilPressure
from rules.detectors.pressure import share_of_need
from rules.detectors.sudden_looks import OilLost
from rules.detectors.usage_pattern import Habitual
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import ENGINE, RPM, OfProfile

PRESSURE = f"{ENGINE}.EOP"

RULE = Rule(
    name="oil_pressure",
    version=5,
    title="Oil pressure low",
    needs=(PRESSURE, RPM),
    watch=Watch(driving=True, ages={RPM: 5.0}),
    hold=timedelta(minutes=3),
    judge=OilPressure(
        Habitual(
            PRESSURE,
            way=-1,
            now=60,
            soon=105,
            clear=115,
            drift=16,
            beside=f"{ENGINE}.EngineOil.Temperature",  # cold oil is thick: where nobody says how cold it is …
            alone=(0, 14),  # … that alone moves the pressure by so much
            unit="% of need",
            measure=share_of_need,
            reads=(RPM, f"{ENGINE}.RunTime", f"{ENGINE}.EngineOil.Temperature"),
            what="oil pressure",
        ),
        OilLost(),
    ),
    proof=Proof(path=PRESSURE, low=OfProfile("oil_pressure_idle_kpa", 80), readings=10),
    drives=("petrol", "diesel", "truck"),
    group="engine",
)
