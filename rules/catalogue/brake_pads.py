"""Brake pads near the limit, by their wear and by the date at which this driver will have used them up."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.trend import DAY_S, WearTrend
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import WHEELS, wheel_paths

RULE = Rule(
    name="brake_pads",
    version=1,
    title="Brake pads worn",
    needs=wheel_paths("Brake.PadWear"),
    watch=Watch(ages=dict.fromkeys(wheel_paths("Brake.PadWear"), DAY_S)),
    hold=timedelta(minutes=10),
    settle=timedelta(minutes=10),
    judge=WearTrend(
        {wheel: f"{branch}.Brake.PadWear" for wheel, branch in WHEELS.items()},
        limit=100,
        now=97,
        soon=85,
        clear=70,
        unit="%",
        soon_days=30,
    ),
    proof=Proof(path="{wheel}.Brake.PadWear", high=40, readings=2),
    group="brakes",
)
