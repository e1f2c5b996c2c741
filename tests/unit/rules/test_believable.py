"""A sensor at its end stop is the sensor's fault: one item for the desk, and no rule judges the car by it.

A real fall is the car's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rules.engine.judge import Judge
from schemas.reading import Mark, Reading

CASES = Path(__file__).resolve().parents[2] / "cases" / "vehicle"
PACK = "Vehicle.Powertrain.TractionBattery"
LAMP = "Vehicle.Chassis.Axle.Row2.Wheel.Left.Tire.IsPressureLow"
DRIVE = {"speed": 95, "ignition": 2, "air": 5, "rpm": 2200}
WHEELS = {"tyre_fl": 240, "tyre_fr": 240, "tyre_rl": 239, "tyre_rr": 241}
ALL_FOUR = {f"tyre_pressure_{wheel}" for wheel in ("front_left", "front_right", "rear_left", "rear_right")}
REAR_LEFT = {"tyre_pressure_rear_left"}


def all_wheels(value):
    return dict.fromkeys(WHEELS, value)


#: name: vehicle model, values before the 8th message, from then on, what is doubted. The first eight are those of
#: q5_sensor_sentinels.toml
SENTINELS = {
    "winter_wheels_without_sensors": ("petrol_hatch", WHEELS, all_wheels(0), ALL_FOUR),
    "psi": ("petrol_hatch", all_wheels(34), all_wheels(34), ALL_FOUR),
    "sensor_lost": ("petrol_hatch", WHEELS, {**WHEELS, "tyre_rl": 0}, REAR_LEFT),
    "sensor_floor": ("petrol_hatch", WHEELS, {**WHEELS, "tyre_rl": 2}, REAR_LEFT),
    "sense_wire_off": ("petrol_hatch", {"volts": 14.1}, {"volts": 0}, {"battery_voltage"}),
    "half_of_24_v": ("truck", {"volts": 13.9}, {"volts": 13.9}, {"battery_voltage"}),
    "coolant_ff": ("petrol_hatch", {"coolant": 215}, {"coolant": 215}, {"coolant_temperature"}),
    "second_ecu": ("petrol_hatch", {}, {}, {"coolant_temperature"}),
    "bar": ("petrol_hatch", all_wheels(2.4), all_wheels(2.4), ALL_FOUR),
    "psi_of_a_truck": ("truck", all_wheels(118), all_wheels(118), ALL_FOUR),
    "full_scale": ("petrol_hatch", WHEELS, {**WHEELS, "tyre_rl": 1020}, REAR_LEFT),
    "fahrenheit": ("petrol_hatch", {"coolant": 194}, {"coolant": 194}, {"coolant_temperature"}),
    "values_of_a_24_v_system": ("petrol_hatch", {"volts": 28}, {"volts": 28}, {"battery_voltage"}),
    "halved_starts": ("truck", {"crank": 10.6}, {"crank": 10.6}, {"cranking_voltage"}),
    "halved_rests": ("truck", {"rest": 12.7}, {"rest": 12.7}, {"resting_voltage"}),
    "level_never_other_than_zero": ("petrol_hatch", {"fluid": 0}, {"fluid": 0}, {"brake_fluid_level"}),
    "hottest_tyre_air": (
        "petrol_hatch",
        {**WHEELS, "warm_rl": 150},
        {**WHEELS, "warm_rl": 150},
        {"tyre_temperature_rear_left"},
    ),
    "cell_wire_off": (
        "electric_car",
        {f"{PACK}.CellVoltage.Min": 3.69, f"{PACK}.CellVoltage.Median": 3.7},
        {f"{PACK}.CellVoltage.Min": 0, f"{PACK}.CellVoltage.Median": 3.7},
        {"lowest_cell"},
    ),
}


def driven(name, reading):
    model, before, after, _ = SENTINELS[name]
    drive = {k: v for k, v in DRIVE.items() if k != "rpm" or model != "electric_car"}
    for n in range(40):
        values = {**drive, **(before if n < 7 else after)}
        if name == "second_ecu":
            values |= {"coolant": (88, -40)[n % 2], "rpm": (2200, 0)[n % 2]}
        yield reading(5 * n, n + 1, **values)


def active(steps):
    return {(s.rule, s.component, s.severity.value) for s in steps if s.state.value == "active"}


@pytest.mark.parametrize("name", SENTINELS)
def test_an_end_stop_a_loose_wire_and_a_wrong_unit_are_one_item_each_for_the_desk(
    name, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    model, _, _, doubted = SENTINELS[name]
    steps = fold(driven(name, reading), model)
    assert active(steps) == {("sensor_implausible", component, "advice") for component in doubted}
    assert len([s for s in steps if s.state.value == "active"]) == len(doubted), "said once"


def test_every_scenario_of_the_file_is_played():
    assert set(tomllib.loads((CASES / "q5_sensor_sentinels.toml").read_text())) <= set(SENTINELS)


#: a burst, a nail found in the morning, and the car's own word; coolant that boils over; an alternator that gives out;
#: a cell that collapses
def lost(**others):
    return [(n / 6, {**WHEELS, "tyre_rl": v, **others}) for n, v in enumerate([239, 239, 171, 92, 31, *[0] * 600])]


DANGER = {
    "a burst at speed": ("petrol_hatch", lost(**DRIVE), "tyre_leak"),
    "a flat found at rest": (
        "petrol_hatch",
        [(0, {**WHEELS, **DRIVE}), *((600 + n, {**WHEELS, "tyre_rl": 0, "speed": 5}) for n in range(40))],
        "tyre_leak",
    ),
    "a flat that the car's lamp confirms": (
        "petrol_hatch",
        [(0, {**WHEELS, **DRIVE}), *((1 + n, {**WHEELS, "tyre_rl": 0, LAMP: 1, **DRIVE}) for n in range(100))],
        "tyre_leak",
    ),
    "coolant that boils over": (
        "petrol_hatch",
        [(n / 6, {"coolant": min(148, 92 + 1.5 * n), **DRIVE}) for n in range(90)],
        "coolant_hot",
    ),
    "an alternator that gives out": (
        "petrol_hatch",
        [(2 * n, {"volts": max(6.9, 14.0 - 0.3 * n), **DRIVE}) for n in range(60)],
        "alternator",
    ),
    "coolant that is gone": (
        "petrol_hatch",
        [(2 * n, {"Vehicle.Powertrain.CombustionEngine.EngineCoolant.Level": max(0, 90 - 30 * n)}) for n in range(20)],
        "coolant_low",
    ),
}


@pytest.mark.parametrize("name", DANGER)
def test_what_falls_or_is_confirmed_is_the_car_s_and_is_told_as_before(
    name, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    model, stream, rule = DANGER[name]
    found = active(fold([reading(minutes, n + 1, **values) for n, (minutes, values) in enumerate(stream)], model))
    assert any(r == rule and severity == "now" for r, _, severity in found), found
    assert not any(r == "sensor_implausible" for r, _, _ in found)


def test_a_lost_sample_is_no_item_and_heals_nothing(judge: Judge, reading: Callable[..., Reading]):
    memory = judge.memory("petrol_hatch")
    steps = [
        s
        for n in range(20)
        for s in judge.step(memory, reading(n, n + 1, coolant=-40 if n > 10 and n % 9 == 2 else 117))
    ]
    assert active(steps) == {("coolant_hot", "", "now")}
    steps = [s for n in range(20, 200) for s in judge.step(memory, reading(n, n + 1, coolant=-40))]
    assert (
        active(steps) == {("sensor_implausible", "coolant_temperature", "advice")}
        and len(judge.open_alerts(memory)) == 2
    )


def test_a_sensor_that_works_again_is_believed_and_its_item_resolves(judge: Judge, reading: Callable[..., Reading]):
    memory = judge.memory("petrol_hatch")
    steps = [s for n in range(10) for s in judge.step(memory, reading(n, n + 1, coolant=215))]
    steps += [s for n in range(10, 500) for s in judge.step(memory, reading(10 * n, n + 1, coolant=90))]
    assert [(s.rule, s.state.value) for s in steps] == [
        ("sensor_implausible", state) for state in ("pending", "active", "resolved")
    ]


def test_a_late_end_stop_is_no_history(judge: Judge, reading: Callable[..., Reading]):
    memory = judge.memory("petrol_hatch")
    for n in range(3):
        judge.step(memory, reading(60 * n, n + 1, crank=0.2, mark=Mark.LATE))
    assert judge.step(memory, reading(300, 9, crank=11.2)) == ()


ENGINE_ = "Vehicle.Powertrain.CombustionEngine"
GEARBOX, RUN = "Vehicle.Powertrain.Transmission.Temperature", "Vehicle.Powertrain.CombustionEngine.RunTime"


def days_of(reading, coolant, days=4, stood_h=8, **others):
    """Two drives of half an hour a day in winter; `coolant` says what its sensor says at that minute of a drive."""
    for day in range(days):
        for drive in range(2):
            for n in range(30):
                minute = (day * 24 + drive * stood_h) * 60 + n
                values = {k: v(n) if callable(v) else v for k, v in others.items()}
                yield reading(
                    minute,
                    minute + 1,
                    **{
                        "speed": 40 + 3 * (n % 12),
                        "rpm": 1900,
                        "air": 2,
                        RUN: 60.0 * n,
                        "coolant": coolant(n),
                        **values,
                    },
                )


@pytest.mark.parametrize("at", [35, 50, 71, 88, 103])
@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_a_coolant_that_does_not_cool_while_the_car_stands_is_a_stuck_sensor(
    at, scale, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    """Stuck with and without a little noise: the item, and no alert of the car's."""
    steps = fold(days_of(reading, lambda n: at + scale * (n % 3) / 4), "petrol_hatch")
    assert active(steps) == {("sensor_implausible", "coolant_temperature", "advice")}
    assert any("has cooled since" in s.because for s in steps if s.state.value == "active")


def test_a_coolant_that_gets_stuck_on_a_drive_makes_no_open_thermostat(
    fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    """It warms up, stops at 71 °C, and the car drives on for two hours: what drives it goes on to move."""
    rows = [
        reading(n, n + 1, speed=50 + 7 * (n % 9), rpm=2000, air=2, coolant=min(71.0, 10 + 6 * n), **{RUN: 60.0 * n})
        for n in range(120)
    ]
    assert not active(fold(rows, "petrol_hatch"))
    cold = [
        reading(
            n, n + 1, speed=50 + 7 * (n % 9), rpm=2000, air=2, coolant=min(58 + n % 5, 10 + 6 * n), **{RUN: 60.0 * n}
        )
        for n in range(120)
    ]
    assert active(fold(cold, "petrol_hatch")) == {("thermostat_open", "", "soon")}


@pytest.mark.parametrize("stood_h", [3, 8, 11])
def test_engines_that_cool_and_one_that_ran_unheard_are_believed(
    stood_h, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    warm = days_of(reading, lambda n: min(90, 12 + 5 * n), stood_h=stood_h)
    assert not active(fold(warm, "petrol_hatch"))
    unheard = [
        reading(
            240 * n + m, 240 * n + m + 1, speed=80, rpm=2000, air=2, coolant=90, **{RUN: 14_400.0 * n + 60 * m + 900}
        )
        for n in range(6)
        for m in range(20)
    ]
    assert not active(fold(unheard, "petrol_hatch"))


def test_a_stuck_gearbox_sensor_is_the_sensor_s_and_believed_once_it_moves(
    judge: Judge, reading: Callable[..., Reading]
):
    memory = judge.memory("petrol_hatch")
    stuck = list(days_of(reading, lambda n: min(90, 12 + 5 * n), **{GEARBOX: 119}))
    steps = [s for row in stuck for s in judge.step(memory, row)]
    assert ("sensor_implausible", "gearbox_temperature", "advice") in active(steps)
    ends = stuck[-1].ts
    rows = [
        reading(
            (ends - stuck[0].ts) / 60 + 10 * n,
            99_000 + n,
            speed=60,
            rpm=2000,
            air=2,
            **{GEARBOX: 20 + n / 10, RUN: 600.0 * n},
        )
        for n in range(1, 600)
    ]
    assert "resolved" in [
        s.state.value for row in rows for s in judge.step(memory, row) if s.rule == "sensor_implausible"
    ]


def test_an_odometer_that_speaks_now_and_then_is_not_driven_twice(
    fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    """A healthy engine in town traffic: the speed of each look and, every ten minutes, what was driven."""
    rows, metres, coolant = [], 5e7, 8.0
    for n in range(80):
        speed = 0 if n // 2 % 6 == 5 else 46
        metres += speed / 3.6 * 30
        coolant += (1.8 + 10 * speed / 100 - 0.06 * (coolant - 8)) * 30 / 105
        if n % 4 == 0:
            counter = {"odometer": metres} if n % 20 == 0 else {}
            at = round(coolant, 1)
            rows.append(reading(n / 2, n + 1, speed=speed, rpm=1700, air=8, coolant=at, **counter, **{RUN: 30.0 * n}))
    assert 70 < coolant < 80 and not active(fold(rows, "petrol_hatch"))


INTAKE = "Vehicle.Powertrain.CombustionEngine.IntakeAirTemperature"


@pytest.mark.parametrize(
    "path, drift, component",
    [
        (GEARBOX, 2.0, "gearbox_temperature"),
        (GEARBOX, -2.0, "gearbox_temperature"),
        ("coolant", -2.0, "coolant_temperature"),
        (GEARBOX, 0.05, None),
        ("coolant", -0.05, None),
    ],
)
def test_a_thermometer_that_drifts_is_found_when_the_car_has_stood_overnight(
    path, drift, component, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    """Two Kelvin a day more: before any rule takes it for the car's, it says another morning than the others."""
    rows = []
    for day in range(25):
        for n in range(30):
            warm = {"coolant": min(90.0, 3 + 5 * n), GEARBOX: min(62.0, 3 + 2 * n)}
            values = {"speed": 40 + 3 * (n % 12), "rpm": 1900, "air": 2, INTAKE: 4, RUN: 60.0 * n, **warm}
            values[path] += max(0.0, day - 5) * drift
            minute = day * 1_440 + n
            rows.append(reading(minute, minute + 1, **{f"{ENGINE_}.Load": 40}, **values))
    found = active(fold(rows, "petrol_hatch"))
    assert found == ({("sensor_implausible", component, "advice")} if component else set())


def test_an_engine_that_was_heated_for_the_start_is_believed(
    fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    heated = days_of(reading, lambda n: min(90, 55 + 3 * n), days=6, stood_h=11, **{INTAKE: 3, GEARBOX: 3})
    assert not active(fold(heated, "petrol_hatch"))


@pytest.mark.parametrize("wrong", [0, 2, 60])
def test_one_lost_sample_of_a_wheel_is_no_flat_tyre_though_nobody_says_another(
    wrong, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    """A feed by change: the car stands after the sample, and the other wheels go on to say something."""

    def told(again):
        rows = [reading(60 * n, n + 1, **{k: v + n % 2 for k, v in WHEELS.items()}) for n in range(10)]
        rows.append(reading(600, 11, tyre_rl=wrong))
        rows += [
            reading(600 + 60 * n, 11 + n, tyre_fl=240 + n % 3, **({"tyre_rl": wrong} if again else {}))
            for n in range(1, 9)
        ]
        return active(fold(rows))

    assert not told(False) and ("tyre_leak", "rear_left", "now") in told(True)


def test_a_sensor_that_comes_and_goes_with_the_heat_is_one_item(
    fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    """Cold it says what can be, hot it does not; and a weekend lies between."""
    rows, place = [], 0
    for day in (*range(5), *range(7, 12), *range(14, 19)):
        for n in range(24):
            place += 1
            values = {"coolant": 60.0 if n < 8 else 215.0, "rpm": 1_800 + 40 * (n % 5), "speed": 60, "run": 300 * n}
            rows.append(reading(day * 1_440 + n * 5, place, **values))
    steps = [s for s in fold(rows, "petrol_hatch") if s.rule == "sensor_implausible"]
    assert [s.state.value for s in steps if s.state.value != "pending"] == ["active"]
