"""What turns dangerous within seconds is told within ten, of two samples; one, or a sensor at its end, is no danger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from schemas.profile import Profile
from schemas.reading import Reading

ENGINE = "Vehicle.Powertrain.CombustionEngine"
PACK = "Vehicle.Powertrain.TractionBattery"
OIL, LEVEL, RUN = f"{ENGINE}.EOP", f"{ENGINE}.EngineCoolant.Level", f"{ENGINE}.RunTime"
LOW, MEDIAN, MAX, NUMBER = (f"{PACK}.CellVoltage.{name}" for name in ("Min", "Median", "Max", "IdMin"))
HEAT, INSULATION, CHARGE = f"{PACK}.Temperature.Max", f"{PACK}.InsulationResistance", f"{PACK}.StateOfCharge.Current"
WHEELS = {"tyre_fl": 234, "tyre_fr": 235, "tyre_rl": 221, "tyre_rr": 220}
ROAD = {"speed": 95, "rpm": 2400, "ignition": 2, "coolant": 90, OIL: 330, RUN: 900, LEVEL: 88, **WHEELS}
PARKED = {LOW: 3.69, MEDIAN: 3.7, MAX: 3.703, NUMBER: 41, HEAT: 24, INSULATION: 1_000, CHARGE: 60, "speed": 0}
BEFORE = 40 * 60  #: seconds of health at one sample a minute, so that the car's own normal is known


def fall(first, last, tau=1.5):
    return lambda s: last + (first - last) * 2.718 ** -(s / tau)


#: rule: model, what is usual, the signals that turn (by seconds since it began), the component, words that must be said
EVENTS = {
    "oil_pressure": ("petrol_hatch", ROAD, {OIL: fall(330, 6)}, "", "kPa at 2400 rpm"),
    "coolant_low": ("petrol_hatch", ROAD, {LEVEL: fall(88, 4, 2)}, "", "coolant level"),
    "tyre_leak": ("petrol_hatch", ROAD, {"tyre_rl": fall(221, 30, 2)}, "rear_left", "rear left tyre"),
    "ev_cell": ("electric_car", PARKED, {LOW: fall(3.69, 2.4, 1)}, "", "cell 41 has collapsed"),
    "ev_insulation": ("electric_car", PARKED, {INSULATION: fall(1_000, 30, 1)}, "", "collapsed"),
    "ev_heat": ("electric_car", PARKED, {HEAT: lambda s: 24 + s}, "", "more than within the two minutes before"),
}


def played(name, reading, every=1.0, seconds=60, only=None, **others):
    """Health, then the event; `only`: it shows in these samples alone."""
    model, usual, turning, *_ = EVENTS[name]
    rows = [reading(n, n + 1, **{**usual, **others}) for n in range(40)]
    for n in range(int(seconds / every)):
        values = {**usual, **others}
        if only is None or n in only:
            values |= {path: value(n * every) for path, value in turning.items()}
        rows.append(reading((BEFORE + n * every) / 60, 100 + n, **values))
    return model, rows


def urgent(steps, begin):
    return [
        (s.rule, s.component, s.ts - begin, s.because)
        for s in steps
        if s.severity.value == "now" and s.state.value == "active"
    ]


@pytest.mark.parametrize("name", EVENTS)
def test_it_is_told_within_ten_seconds_of_the_sample_that_shows_it_and_once(
    name, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    model, rows = played(name, reading)
    found = urgent(fold(rows, model), rows[40].ts)
    assert [(rule, component) for rule, component, *_ in found] == [(name, EVENTS[name][3])]
    shown = 8.0 if name == "ev_heat" else 4.0  # eight Kelvin, or the fall itself
    assert found[0][2] <= shown + 10.0 and EVENTS[name][4] in found[0][3]


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("every", [2, 3, 7])
def test_single_samples_are_no_danger(name, every, fold: Callable[..., list[Any]], reading: Callable[..., Reading]):
    model, rows = played(name, reading, seconds=300, only=range(20, 300, every))
    assert not urgent(fold(rows, model), rows[40].ts)


@pytest.mark.parametrize("name", ["oil_pressure", "ev_cell", "ev_insulation", "tyre_leak", "coolant_low"])
@pytest.mark.parametrize("end", ["zero", "full"])
def test_a_sensor_at_its_end_stop_is_the_sensor_s(
    name, end, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    model, usual, turning, *_ = EVENTS[name]
    (path,) = turning
    stop = 0.0 if end == "zero" else {LOW: 5.9, INSULATION: 10_000, LEVEL: 100, OIL: 1_400}.get(path, 1_300)
    rows = [reading(n, n + 1, **usual) for n in range(40)]
    rows += [reading(40 + n / 60, 100 + n, **{**usual, path: stop}) for n in range(900)]
    steps = fold(rows, model)
    assert not urgent(steps, 0)
    assert {s.rule for s in steps if s.state.value == "active"} <= {"sensor_implausible"}


def test_a_hot_sensor_s_end_stop_is_no_runaway(fold: Callable[..., list[Any]], reading: Callable[..., Reading]):
    for stop in (150, 87, -60):
        rows = [reading(n, n + 1, **PARKED) for n in range(40)]
        rows += [reading(40 + n / 60, 100 + n, **{**PARKED, HEAT: stop}) for n in range(300)]
        assert not urgent(fold(rows, "electric_car"), 0), stop


def test_an_open_sense_wire_is_no_weak_cell(fold: Callable[..., list[Any]], reading: Callable[..., Reading]):
    """Between two cells: what one reads too little, its neighbour reads too much."""
    rows = [reading(n, n + 1, **PARKED) for n in range(40)]
    rows += [reading(40 + n / 6, 100 + n, **{**PARKED, LOW: 2.9, MAX: 4.5}) for n in range(3_000)]
    assert not [s for s in fold(rows, "electric_car") if s.rule == "ev_cell"]


def test_a_feed_without_a_median_is_judged_by_its_highest_cell(
    fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    rows = [reading(n / 60, n + 1, **{LOW: 3.69 if n < 50 else 2.9, MAX: 3.71}) for n in range(80)]
    assert [(rule, seconds) for rule, _, seconds, _ in urgent(fold(rows, "electric_car"), rows[50].ts)] == [
        ("ev_cell", 1.0)
    ]


def test_an_engine_that_starts_builds_its_pressure_up_first(
    fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    rows = [reading(n / 60, n + 1, rpm=900, **{OIL: 12 if n < 7 else 250, RUN: n}) for n in range(60)]
    rows += [reading(2 + n / 60, 100 + n, rpm=900, **{OIL: 12 if n < 6 else 250}) for n in range(60)]
    assert not fold(rows)


def test_an_engine_that_stands_has_none(fold: Callable[..., list[Any]], reading: Callable[..., Reading]):
    rows = [
        reading(n / 60, n + 1, **{"rpm": 900 if n < 60 else 0, OIL: 250 if n < 60 else 0, RUN: 90}) for n in range(900)
    ]
    assert not fold(rows)


def test_a_tyre_that_is_let_down_at_rest_waits_for_its_hold(
    fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    rows = [reading(n / 60, n + 1, **{**WHEELS, "speed": 0, "tyre_rl": 221 if n < 60 else 140}) for n in range(600)]
    assert not urgent(fold(rows), 0)


def test_a_danger_raises_the_alert_that_stands_once_and_its_severity_does_not_flap(
    fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    weak = {**PARKED, LOW: 3.64}
    rows = [reading(20 * n, n + 1, **weak) for n in range(30)]  # soon: 60 mV
    for n in range(60):
        rows.append(reading(600 + n / 60, 100 + n, **{**weak, LOW: 2.9 if n % 10 > 4 else 3.64}))
    told = [(s.state.value, s.severity.value) for s in fold(rows, "electric_car") if s.rule == "ev_cell"]
    assert told == [("pending", "soon"), ("active", "soon"), ("active", "now")]


def test_a_weak_cell_is_said_by_its_number(fold: Callable[..., list[Any]], reading: Callable[..., Reading]):
    rows = [reading(20 * n, n + 1, **{**PARKED, LOW: 3.64}) for n in range(60)]
    (told,) = [s for s in fold(rows, "electric_car") if s.rule == "ev_cell" and s.state.value == "active"]
    assert told.because.startswith("cell 41: ")


@pytest.mark.parametrize("times", [0.5, 1, 3, 10])
def test_an_insulation_meter_of_another_scale_is_judged_alike(
    times, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    def told(scale):
        values = (
            [1_000 - 30 * (n % 3) for n in range(200)] + [480 if n % 4 == 0 else 990 for n in range(40)] + [120] * 5
        )
        rows = [reading(30 * n, n + 1, **{INSULATION: min(10_000, scale * v)}) for n, v in enumerate(values)]
        return [(s.state.value, s.severity.value, s.place) for s in fold(rows, "electric_car")]

    assert told(times) == told(1) and ("active", "soon") in {t[:2] for t in told(1)} and told(1)[-1][1] == "now"


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.12])
def test_a_noisy_meter_and_the_weather_are_no_fault(
    noise, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    from math import sin
    from random import Random

    rng = Random(7)
    values = [3_000 * (1 + 0.2 * sin(n / 90)) * max(0.3, rng.gauss(1, noise)) for n in range(6_000)]
    rows = [reading(20 * n, n + 1, **{INSULATION: v}) for n, v in enumerate(values)]
    assert not [s for s in fold(rows, "electric_car") if s.state.value == "active"]


def test_generated_code_sees_the_same_dangers(
    profiles: dict[str, Profile], reading: Callable[..., Reading], monkeypatch: pytest.MonkeyPatch
):
    """Streams at random over all that the quick looks ask for: with and without it the memory is the same."""
    from random import Random

    from rules.catalogue import RULES
    from rules.engine.judge import Judge

    monkeypatch.setattr("rules.engine.judge.WORTH_COMPILING", 1)
    eager, long = Judge(RULES, profiles), Judge(RULES, profiles, compile_plans=False)
    bands = {
        LOW: (2.4, 3.7),
        MEDIAN: (3.6, 3.75),
        MAX: (3.6, 4.2),
        HEAT: (15, 60),
        INSULATION: (20, 1_000),
        CHARGE: (5, 90),
    }
    bands |= {OIL: (0, 300), LEVEL: (0, 100), "rpm": (0, 3_000), RUN: (0, 60), "speed": (0, 100), "tyre_rl": (60, 230)}
    bands |= {"tyre_fl": (200, 240), "tyre_fr": (200, 240), "tyre_rr": (200, 240), "coolant": (80, 125)}
    for seed in range(60):
        rng = Random(seed)
        model = rng.choice(["electric_car", "petrol_hatch"])
        one, other, minute = eager.memory(model), long.memory(model), 0.0
        sets = [rng.sample(sorted(bands), rng.randint(1, len(bands))) for _ in range(3)]
        for n in range(60):
            minute += rng.choice([1 / 60, 2 / 60, 0.5, 20])
            values = {
                name: bands[name][0] if rng.random() < 0.3 else rng.uniform(*bands[name]) for name in rng.choice(sets)
            }
            row = reading(minute, n + 1, **values)
            assert eager.step(one, row) == long.step(other, row) and one == other, (seed, n)
    assert not eager.broken and not long.broken
