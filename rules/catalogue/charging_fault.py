"""The car calls a charge faulted: advice the first time, soon when it happens again."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.count_in_window import CountInWindow
from rules.engine.repair_verification import Proof
from rules.engine.rule import ANY_FEED, Rule
from rules.engine.thresholds import PACK

FAULTED = f"{PACK}.Charging.IsFaulted"

RULE = Rule(
    name="charging_fault",
    version=1,
    title="Charging breaks off",
    needs=(FAULTED,),
    watch=ANY_FEED,
    hold=timedelta(0),  # the car itself has called it a fault
    settle=timedelta(days=2),
    judge=CountInWindow(FAULTED, bad_above=0.5, times=2, advice_times=1, within_s=10 * 86_400, apart_s=3_600),
    proof=Proof(path=f"{PACK}.Charging.IsCharging", low=0.5, readings=3, reach=True),
    drives=("electric",),
    group="pack",
)
