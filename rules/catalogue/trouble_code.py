"""A code the car itself has confirmed; each code is an alert of its own."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.trouble_codes import TroubleCodes
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch

RULE = Rule(
    name="trouble_code",
    version=2,
    title="Trouble code",
    needs=(),
    watch=Watch(codes=True),
    hold=timedelta(0),  # the car has matured it
    settle=timedelta(0),
    judge=TroubleCodes(),
    proof=Proof(kind="codes", drives=2),
    group="codes",
)
