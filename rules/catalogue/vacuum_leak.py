"""The engine draws air past its meter: the long-term trim makes the mixture richer and richer, without misfires."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.usage_pattern import Habitual
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import ENGINE

TRIM = "Vehicle.OBD.LongTermFuelTrim1"
SHARE = f"{ENGINE}.MisfireShare"  #: where nobody says it, a trim within 10 % may be that of an engine that misfires

RULE = Rule(
    name="vacuum_leak",
    version=2,
    title="Engine draws false air",
    needs=(TRIM,),
    watch=Watch(driving=True),
    hold=timedelta(minutes=5),
    settle=timedelta(hours=2),
    judge=Habitual(TRIM, way=1, soon=6.5, clear=4.5, drift=4.0, unit="%", beside=SHARE, alone=(3.5, 3.5)),
    proof=Proof(path=TRIM, low=-6, high=6, readings=10, drives=2),
    drives=("petrol",),
    muted_by=("misfire",),
    muted_by_codes=("P030",),
    group="engine",
)
