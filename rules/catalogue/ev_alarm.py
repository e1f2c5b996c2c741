"""The battery's own unit raises an alarm: its levels 1 to 3 are those of GB/T 32960, and 0 is none."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.threshold import rises_to
from rules.engine.repair_verification import Proof
from rules.engine.rule import ANY_FEED, Rule
from rules.engine.thresholds import PACK

ALARM = f"{PACK}.AlarmLevel"

RULE = Rule(
    name="ev_alarm",
    version=1,
    title="Traction battery raises an alarm",
    needs=(ALARM,),
    watch=ANY_FEED,
    hold=timedelta(seconds=1),  # a second sample says the same
    settle=timedelta(hours=24),
    judge=rises_to(ALARM, now=3, soon=2, advice=1, clear=0, unit="of 3"),
    proof=Proof(path=ALARM, high=0.5, readings=10, drives=2),
    drives=("electric",),
    group="pack",
)
