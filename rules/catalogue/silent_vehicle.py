"""A car that has not been heard for long: we cannot speak for it. Judged by the sweeper, for time alone shows it."""

from __future__ import annotations

from datetime import timedelta

from rules.proof import Proof
from rules.rule import Rule
from rules.shapes import BySweeping

RULE = Rule(
    name="silent_vehicle",
    version=1,
    title="Car is silent",
    needs=(),
    hold=timedelta(days=7),
    settle=timedelta(0),
    judge=BySweeping(),
    proof=Proof(kind="none"),
    group="link",
)
