"""A rule that does not come back is broken off; rules that do are left alone, however many readings they see."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from gateway.ops.rule_watchdog import broken_off
from rules.catalogue import BY_NAME, RULES
from rules.detectors.custom_rule import CustomRule
from rules.detectors.usage_pattern import Habitual
from rules.engine.broken import MOST_OVERRUNS
from rules.engine.judge import Judge
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule
from schemas.reading import Reading
from schemas.signal import BY_PATH
from telltale import data

COOLANT = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"
TICK_S = 0.02  #: of computing


def hot(n: int) -> Reading:
    ts = 1_795_000_000.0 + n * 60
    return Reading(7, 1, n, ts, ts + 1, (BY_PATH[COOLANT].id,), (117.0,), int(ts // 86_400), place=n)


def endless(seen, state=None):
    while True:
        pass


@pytest.fixture(
    params=[
        Habitual(COOLANT, way=1, clear=0, soon=1, unit="K", measure=endless, period_s=30),
        CustomRule(judge=endless, on=(COOLANT,)),
    ],
    ids=["a measure", "a judge of its own"],
)
def looping(request: pytest.FixtureRequest) -> Judge:
    detector = request.param
    rule = Rule(
        name="endless",
        version=1,
        title="",
        needs=(COOLANT,),
        hold=timedelta(0),
        judge=detector,
        proof=Proof(kind="none"),
    )
    return Judge([rule, BY_NAME["coolant_hot"]], data.profiles())


def test_a_rule_that_loops_is_broken_off_counted_and_then_not_asked_again(looping):
    memory, steps = looping.memory("petrol_hatch"), []
    with broken_off(looping.step, TICK_S):
        for n in range(1, 9):
            steps += looping.step(memory, hot(n))
    broken = looping.broken["endless"]
    assert [s.state.value for s in steps] == ["pending", "active"] and {s.rule for s in steps} == {"coolant_hot"}
    assert (broken.count, broken.overruns, broken.cars) == (
        8,
        MOST_OVERRUNS,
        {7: 8},
    ) and "not asked again" in broken.last
    assert set(looping.broken) == {"endless"}


def test_honest_rules_are_never_broken_off():
    judge = Judge(RULES, data.profiles())
    memory, n, until = judge.memory("petrol_hatch"), 0, time.process_time() + 10 * TICK_S
    with broken_off(judge.step, TICK_S):
        while time.process_time() < until:
            n += 1
            judge.step(memory, hot(n))
    assert not judge.broken


def test_a_judge_that_is_no_function_of_ours_is_simply_not_watched():
    with broken_off(print):
        pass
