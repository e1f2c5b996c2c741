"""What an alert keeps to show why: lines, their limits, and what the car measured when it stored the code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rules.engine.judge import Judge
from schemas.alert import AlertState
from schemas.reading import Reading
from schemas.telemetry import FreezeFrame
from simulator.codes import CodeMemory
from simulator.diagnostics import read_without_bus
from tests.unit.rules.test_catalogue import TABLE

INSULATION = "Vehicle.Powertrain.TractionBattery.InsulationResistance"


@pytest.mark.parametrize("rule, model, stream, component, severity", [row for row in TABLE if row[3] is not None])
def test_the_chart_of_every_rule_has_a_line_and_the_limit_it_was_held_against(
    rule, model, stream, component, severity, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    steps = fold([reading(minutes, n + 1, **values) for n, (minutes, values) in enumerate(stream)], model)
    (told, *_) = [
        s.evidence for s in steps if s.rule == rule and s.component == component and s.state is AlertState.ACTIVE
    ]
    assert told.series and all(line.samples and line.label and line.unit for line in told.series)
    assert told.limits and all(limit.label for limit in told.limits)
    assert told.because and (told.first_place or 0) <= (told.last_place or 0)


def stored(drive: str, *tests: str) -> CodeMemory:
    """Confirmed codes: the tests have failed in two driving cycles."""
    memory = CodeMemory(drive=drive)
    for _ in range(2):
        memory.begin()
        for n, test in enumerate(tests):
            memory.test(test, True, 700.0, 0.0, {52: 87.0, 1: 62.0} if n == 0 else {}, 1)
    return memory


@pytest.mark.parametrize(
    "model, drive, test, code, path, value",
    [
        ("electric_car", "electric", "insulation", "P0AA6-00", INSULATION, 87.0),
        ("petrol_hatch", "petrol", "misfire", "P0301", "Vehicle.Speed", 62.0),
    ],
)
def test_the_freeze_frame_that_the_car_stored_is_kept_with_the_code_s_alert(
    judge: Judge, reading: Callable[..., Reading], model, drive, test, code, path, value
):
    row = reading(0, 1, codes=[], mil=True)
    row.diagnostics = read_without_bus(drive, stored(drive, test), row.ts)
    active = [s for s in judge.step(judge.memory(model), row) if s.state is AlertState.ACTIVE]
    assert [(s.rule, s.component) for s in active] == [
        ("trouble_code", code.removesuffix("-00"))
    ]  # -00: no failure type
    assert active[0].evidence.freeze_frame is not None and active[0].evidence.freeze_frame[path] == value


def test_what_was_measured_for_one_code_is_no_evidence_for_another(judge: Judge, reading: Callable[..., Reading]):
    row = reading(0, 1, codes=[("P0301", "confirmed"), ("P0420", "confirmed")], mil=True)
    row.diagnostics = row.diagnostics.model_copy(
        update={"freeze_frame": FreezeFrame(code="P0301", signals={"Vehicle.Speed": 62.0})}
    )
    frames = {
        s.component: s.evidence.freeze_frame
        for s in judge.step(judge.memory("petrol_hatch"), row)
        if s.state is AlertState.ACTIVE
    }
    assert frames == {"P0301": {"Vehicle.Speed": 62.0}, "P0420": None}
