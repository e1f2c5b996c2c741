"""A sensor that is stuck, that drifts or speaks in another unit is an item for the technician and never a danger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proofs.score.living import START, believed, rows_of
from rules.engine.judge import Judge
from rules.engine.thresholds import ENGINE
from schemas.alert import AlertState, AlertStep
from schemas.reading import Reading
from schemas.verdict import Severity
from simulator.population import Specimen, population
from simulator.wear import DAY
from telltale.data import profiles

PRESSURE = f"{ENGINE}.EOP"
ITEMS = {"oil_sensor", "coolant_sensor", "sensor_implausible"}
FAULTS = ["oil_stuck", "oil_psi", "oil_bar", "coolant_drift"]


def cars(drive: str, count: int) -> Iterator[Specimen]:
    """Healthy cars of that drive that say all."""
    found = population(profiles(), 400, 25, seed=41, since=START, faulty=0.0, real=True, spoiled=0.0)
    own = [replace(car, feed="full") for car in found if car.profile.drive == drive]
    yield from own[:count]


def told(judge: Judge, car: Specimen, days: float) -> list[AlertStep]:
    memory = judge.memory(car.profile.name)
    rows = believed(rows_of(car.told(car.car(START), START + days * DAY)))
    return [s for row in rows for s in judge.step(memory, row) if s.state is AlertState.ACTIVE]


@pytest.mark.parametrize("drive", ["petrol", "diesel", "truck"])
@pytest.mark.parametrize("fault", FAULTS)
def test_of_a_car_that_is_well_its_sensor_is_told_and_nothing_else(judge: Judge, fault: str, drive: str):
    some = 0
    for n, plain in enumerate(cars(drive, 3)):
        at = START if fault in ("oil_psi", "oil_bar") else START + (8 + n) * DAY
        steps = told(judge, replace(plain, sensor_fault=fault, sensor_fault_at=at), 25)
        later = [s for s in steps if s.ts >= at]
        assert not [s for s in later if s.rule not in ITEMS or s.severity is not Severity.ADVICE]
        some += bool(later)
    assert some >= 2, "one of them drives little"


@pytest.mark.parametrize("drive", ["petrol", "diesel", "truck"])
def test_of_a_car_whose_sensors_work_no_item_is_told(judge: Judge, drive: str):
    for car in cars(drive, 6):
        assert not [s for s in told(judge, car, 25) if s.rule in ITEMS]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kpa=st.floats(50, 900, width=32), well=st.integers(0, 40), seed=st.integers(0, 1_000), apart=st.sampled_from([1, 5])
)
def test_pressure_that_stands_still_while_the_engine_does_not_is_a_sensor(
    judge: Judge, reading: Callable[..., Reading], kpa: float, well: int, seed: int, apart: int
):
    """From some day on, or from birth; at whatever pressure, however the engine turns."""
    memory, rng, steps = judge.memory("petrol_hatch"), Random(seed), list[AlertStep]()
    for n in range(well + 1_200 // apart):
        rpm = rng.choice((780.0, rng.uniform(900, 3_400)))
        usual = 130.0 + rpm / 12 + rng.uniform(-4, 4)
        values = {PRESSURE: usual if n < well else kpa, "rpm": rpm, "run": 900.0, "oil": 95.0, "speed": rpm / 40}
        steps += judge.step(memory, reading(n * apart, n + 1, **values))
    active = [(s.rule, s.severity.value) for s in steps if s.state is AlertState.ACTIVE]
    assert active == [("oil_sensor", "advice")]


@pytest.mark.parametrize("lost", [0.5, 0.35, 0.2])
def test_an_engine_that_loses_its_pressure_is_told_as_before(
    judge: Judge, reading: Callable[..., Reading], lost: float
):
    """It moves, and the car has had it."""
    memory, rng, steps = judge.memory("petrol_hatch"), Random(3), list[AlertStep]()
    for n in range(600):
        rpm = rng.uniform(800, 2_600)
        usual = (130.0 + rpm / 12) * (1.0 if n < 200 else lost) + rng.uniform(-3, 3)
        values = {PRESSURE: usual, "rpm": rpm, "run": 900.0, "oil": 95.0, "speed": rpm / 40}
        steps += judge.step(memory, reading(n, n + 1, **values))
    assert "oil_pressure" in {
        s.rule for s in steps if s.state is AlertState.ACTIVE and s.severity is not Severity.ADVICE
    }
    assert not {"oil_sensor"} & {s.rule for s in steps}


def test_an_engine_that_overheats_is_told_though_its_sensor_has_drifted_a_little(
    judge: Judge, reading: Callable[..., Reading]
):
    """Four Kelvin are no item, and what is hot is hot."""
    memory, steps = judge.memory("petrol_hatch"), list[AlertStep]()
    for n in range(900):
        hot = 94.0 if n < 880 else 120.0
        values = {"coolant": hot, "oil": 97.0, "run": 2_000.0, "rpm": 2_000.0, "speed": 60.0}
        steps += judge.step(memory, reading(n, n + 1, **values))
    assert ("coolant_hot", "now") in {(s.rule, s.severity.value) for s in steps if s.state is AlertState.ACTIVE}


def test_one_healthy_word_is_enough_to_be_told_of_a_loss(judge: Judge, reading: Callable[..., Reading]):
    """A unit was fitted this morning: its rules have learned nothing yet."""
    memory, steps = judge.memory("petrol_hatch"), list[AlertStep]()
    for n, kpa in enumerate([0.0, 290.0, 150.0, 40.0, 20.0, 12.0, 10.0]):
        values = {PRESSURE: kpa, "rpm": 2_000.0 if n else 0.0, "run": 30.0 * n, "speed": 50.0}
        steps += judge.step(memory, reading(n / 60, n + 1, **values))
    assert ("oil_pressure", "now") in {(s.rule, s.severity.value) for s in steps if s.state is AlertState.ACTIVE}
