"""The voltage of the control module (OBD PID 42) is all that many dongles have of the 12 V supply: the rule about it
judges by it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rules.engine.judge import Judge
from schemas.reading import Reading

MODULE = "Vehicle.OBD.ControlModuleVoltage"
DRIVE = {"speed": 70, "rpm": 2100}


def driven(reading, volts, also=()):
    return [reading(n / 2, n + 1, **{MODULE: volts(n)}, **DRIVE, **dict(also)) for n in range(400)]


def active(steps):
    return {(s.rule, s.severity.value) for s in steps if s.state.value == "active"}


@pytest.mark.parametrize("model, scale", [("petrol_hatch", 1), ("diesel_van", 1), ("truck", 2)])
def test_a_dongle_s_car_that_is_not_charged_is_told(
    model, scale, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    assert ("alternator", "now") in active(fold(driven(reading, lambda n: scale * (14.1 if n < 100 else 12.0)), model))


@pytest.mark.parametrize("model, scale", [("petrol_hatch", 1), ("diesel_van", 1), ("truck", 2)])
def test_a_dongle_s_healthy_car_is_silent(
    model, scale, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    assert not fold(driven(reading, lambda n: scale * (14.1 + 0.2 * (n % 3))), model)


def test_the_battery_s_own_voltage_goes_before(fold: Callable[..., list[Any]], reading: Callable[..., Reading]):
    assert not active(fold(driven(reading, lambda n: 12.4, {"volts": 14.1}.items()), "petrol_hatch"))


def test_single_dips_are_no_fault(fold: Callable[..., list[Any]], reading: Callable[..., Reading]):
    assert not active(fold(driven(reading, lambda n: 10.1 if n % 50 == 7 else 14.2), "petrol_hatch"))


def test_the_healthy_car_was_really_judged(judge: Judge, reading: Callable[..., Reading]):
    """Silence of a rule that hears nothing proves nothing: what it remembers shows that it has measured."""
    memory = judge.memory("petrol_hatch")
    for row in driven(reading, lambda n: 14.1):
        judge.step(memory, row)
    line = next(line for line in judge.program("petrol_hatch").lines if line.name == "alternator")
    count, short, _ = line.fitted.means.unpack_from(memory, line.at + 1)
    assert count >= 10 and abs(short - 14.1) < 0.01
