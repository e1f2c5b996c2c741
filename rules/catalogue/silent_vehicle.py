"""A car that has not been heard for long: we cannot speak for it. Judged by the sweeper, for time alone shows it."""

from __future__ import annotations

from datetime import timedelta

from rules.engine.detector import BySweeping
from rules.engine.repair_verification import Proof
from rules.engine.rule import ANY_FEED, Rule

RULE = Rule(
    name="silent_vehicle",
    version=1,
    title="Car is silent",
    needs=(),
    watch=ANY_FEED,
    hold=timedelta(days=7),
    settle=timedelta(0),
    judge=BySweeping(),
    proof=Proof(kind="none"),
    about_the_car=False,
    group="link",
)
