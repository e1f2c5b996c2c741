"""The manufacturer calls this car in. Judged by the sweeper from the car's facts."""

from __future__ import annotations

from datetime import timedelta

from rules.engine.detector import BySweeping
from rules.engine.repair_verification import Proof
from rules.engine.rule import ANY_FEED, Rule

RULE = Rule(
    name="recall",
    version=1,
    title="Recall",
    needs=(),
    watch=ANY_FEED,
    hold=timedelta(0),
    settle=timedelta(0),
    judge=BySweeping(),
    proof=Proof(kind="none"),
    group="recall",
)
