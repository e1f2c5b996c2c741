"""One value beyond a hard limit proves nothing, however often and in whatever rhythm it comes; two in a row do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from schemas.reading import Reading

DRIVE = {"speed": 70, "rpm": 2100}
#: rule, model, signal, what is usual, what is beyond
LIMITS = [
    ("alternator", "petrol_hatch", "Vehicle.OBD.ControlModuleVoltage", 14.2, 10.1),
    ("alternator", "petrol_hatch", "Vehicle.LowVoltageBattery.CurrentVoltage", 14.2, 10.1),
    ("alternator", "truck", "Vehicle.LowVoltageBattery.CurrentVoltage", 28.4, 20.2),
    ("oil_pressure", "petrol_hatch", "Vehicle.Powertrain.CombustionEngine.EOP", 350, 40),
    ("transmission_hot", "petrol_hatch", "Vehicle.Powertrain.Transmission.Temperature", 80, 122),
]


def active(steps):
    return {(s.rule, s.severity.value) for s in steps if s.state.value == "active"}


def drive(reading, signal, value, apart_min=0.5):
    return [reading(n * apart_min, n + 1, **{signal: value(n)}, **DRIVE) for n in range(400)]


@pytest.mark.parametrize("rule, model, signal, usual, beyond", LIMITS)
@pytest.mark.parametrize(
    "every", [2, 20, 40, 50, 60, 100]
)  # a mean takes one value in ten or twenty minutes: every 20th or 40th
@pytest.mark.parametrize("first", [0, 7, 100])
@pytest.mark.parametrize("apart_min", [0.5, 10, 60])
def test_single_values_are_no_fault(
    rule,
    model,
    signal,
    usual,
    beyond,
    every,
    first,
    apart_min,
    fold: Callable[..., list[Any]],
    reading: Callable[..., Reading],
):
    rows = drive(reading, signal, lambda n: beyond if n % every == first % every else usual, apart_min)
    assert not active(fold(rows, model))


@pytest.mark.parametrize("rule, model, signal, usual, beyond", LIMITS)
@pytest.mark.parametrize("apart_min", [0.5, 10])
def test_what_stays_beyond_is_a_fault(
    rule, model, signal, usual, beyond, apart_min, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    steps = fold(drive(reading, signal, lambda n: usual if n < 100 else beyond, apart_min), model)
    assert rule in {name for name, _ in active(steps)}
