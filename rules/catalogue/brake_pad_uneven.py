"""One wheel's pads wear much faster than their partner's: a calliper does not let go."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.trend import DAY_S, UnevenWear
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import wheel_paths

RULE = Rule(
    name="brake_pad_uneven",
    version=1,
    title="Brake pads wear unevenly",
    needs=wheel_paths("Brake.PadWear"),
    watch=Watch(ages=dict.fromkeys(wheel_paths("Brake.PadWear"), DAY_S)),
    hold=timedelta(minutes=10),
    settle=timedelta(minutes=10),
    judge=UnevenWear("Brake.PadWear"),
    proof=Proof(path="{wheel}.Brake.PadWear", high=40, readings=2),
    group="brakes",
)
