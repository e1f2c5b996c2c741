"""What slow and noisy feeds show of a healthy car is no fault: one odd day, two readings of a bend, a loose wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from schemas.reading import Reading

ENGINE = "Vehicle.Powertrain.CombustionEngine"
FILTER = f"{ENGINE}.DieselParticulateFilter"
TRIM, SHARE = "Vehicle.OBD.LongTermFuelTrim1", f"{ENGINE}.MisfireShare"
LEVELS = {"brake_fluid": "Vehicle.Chassis.Brake.FluidLevel", "coolant_low": f"{ENGINE}.EngineCoolant.Level"}


def active(steps):
    return {(s.rule, s.severity.value) for s in steps if s.state.value == "active"}


def drives(reading, values, days=40, minutes=60, apart=10):
    """An hour a day, a reading every ten minutes; `values` of the day. No two pressures in a row are quite the same."""
    return [
        reading(
            day * 1_440 + n * apart,
            day * 1_000 + n + 1,
            **{name: value + n % 3 * name.endswith(".EOP") for name, value in values(day).items()},
        )
        for day in range(days)
        for n in range(minutes // apart)
    ]


OIL = f"{ENGINE}.EngineOil.Temperature"
#: rule, model, what is usual, what one odd day brings and what a fault brings slowly
HABITS = [
    ("oil_pressure", "petrol_hatch", f"{ENGINE}.EOP", 290, 215, 245, {"rpm": 2000, "speed": 60, OIL: 95}),
    ("vacuum_leak", "petrol_hatch", TRIM, -2.5, 7.0, 3.0, {"rpm": 2000, "speed": 60, SHARE: 0.2}),
    ("alternator", "electric_car", "volts", 14.3, 13.2, 13.6, {"ignition": 2, "speed": 60}),
]


@pytest.mark.parametrize("rule, model, path, usual, odd, slow, others", HABITS)
@pytest.mark.parametrize("odd_day", [12, 25, 38])
def test_one_odd_day_is_no_drift(
    rule,
    model,
    path,
    usual,
    odd,
    slow,
    others,
    odd_day,
    fold: Callable[..., list[Any]],
    reading: Callable[..., Reading],
):
    rows = drives(reading, lambda day: {path: odd if day == odd_day else usual, **others})
    assert not active(fold(rows, model))


@pytest.mark.parametrize("rule, model, path, usual, odd, slow, others", HABITS)
def test_what_goes_on_for_days_is_a_drift(
    rule, model, path, usual, odd, slow, others, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    rows = drives(reading, lambda day: {path: usual + (slow - usual) * max(0.0, min(1.4, (day - 12) / 8)), **others})
    assert active(fold(rows, model)) == {(rule, "soon")}


@pytest.mark.parametrize("warmth", [{OIL: 95}, {}])
def test_pressure_that_falls_as_oil_gets_warm_is_no_fault_where_nobody_says_how_warm(
    warmth, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    """A fortnight of longer drives: warmer oil. The same fall at one warmth is a fault, and a larger one always."""

    def told(to):
        fall = [(day, 350 + (to - 350) * max(0.0, min(1.0, (day - 25) / 4))) for day in range(40)]
        rows = drives(reading, lambda day: {f"{ENGINE}.EOP": fall[day][1], "rpm": 2000, "speed": 60, **warmth})
        return active(fold(rows))

    assert told(306) == ({("oil_pressure", "soon")} if warmth else set())
    assert told(240) == {("oil_pressure", "soon")}


@pytest.mark.parametrize("rule", LEVELS)
@pytest.mark.parametrize("apart_min", [10, 60, 600])
def test_two_readings_of_a_level_that_a_bend_throws_about_are_no_loss_and_three_are(
    rule, apart_min, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    def told(low):
        levels = [92] * 4 + [25] * low + [91] * 4
        return active(fold([reading(n * apart_min, n + 1, **{LEVELS[rule]: v}) for n, v in enumerate(levels)]))

    assert not told(1) and not told(2) and told(3) == {(rule, "soon" if rule == "coolant_low" else "now")}


@pytest.mark.parametrize(
    "trim, others, coded, told",
    [
        (8.0, {SHARE: 0.2}, False, True),
        (8.0, {}, False, False),  # a dongle: it may be an engine that misfires
        (11.0, {}, False, True),  # beyond what is usual of any engine
        (11.0, {}, True, False),  # and its code says that it is one
    ],
)
def test_a_trim_is_false_air_where_no_misfire_explains_it(
    trim, others, coded, told, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    rows = [reading(5 * n, n + 2, **{TRIM: trim, **others}) for n in range(30)]
    if coded:
        rows.insert(0, reading(-5, 1, codes=[("P0301", "confirmed")], mil=True))
    assert (("vacuum_leak", "soon") in active(fold(rows))) is told


@pytest.mark.parametrize("speed", [0, 12, 60])
def test_a_loose_sense_wire_of_an_electric_car_is_a_wire_at_any_speed(
    speed, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    rows = [reading(n, n + 1, volts=0 if n % 3 == 1 else 14.1, ignition=2, speed=speed) for n in range(300)]
    assert active(fold(rows, "electric_car")) == {("sensor_implausible", "advice")}


@pytest.mark.parametrize("floor, told", [(4, False), (60, True), (70, True)])
@pytest.mark.parametrize("counter", [False, True])
def test_a_filter_that_empties_less_and_less_is_seen_by_its_soot_alone(
    floor, told, counter, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    """800 km from empty to full; the filter burns itself clean within a quarter of an hour."""
    rows, soot, burning, since = [], 50.0, False, 400.0
    for n in range(3_000):  # a kilometre a minute
        burning = (burning or soot >= 100) and soot > floor
        soot = max(floor, soot - 8) if burning else soot + 1 / 8
        since = 0.0 if burning else since + 1
        values = {"odometer": 5e7 + 1_000 * n, f"{FILTER}.SootLoad": soot}
        if counter:
            values[f"{FILTER}.DistanceSinceRegeneration"] = since
        rows.append(reading(n, n + 1, **values))
    assert active(fold(rows, "diesel_van")) == ({("dpf_regeneration", "soon")} if told else set())


@pytest.mark.parametrize(
    "model, scale, drive",
    [
        ("petrol_hatch", 1, {"rpm": lambda n: 800 + 300 * (n % 6)}),
        ("truck", 2, {"rpm": lambda n: 700 + 200 * (n % 5)}),
        ("electric_car", 1, {"ignition": lambda n: 2, "speed": lambda n: 10 * (n % 9)}),
    ],
)
@pytest.mark.parametrize("apart_min", [0.2, 1, 10])
def test_a_voltage_that_stands_still_whatever_the_engine_does_is_no_alternator(
    model, scale, drive, apart_min, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    def told(low, **others):
        rows = [
            reading(
                n * apart_min,
                n + 1,
                volts=scale * (14.1 + n % 3 / 10 if n < 60 else low(n)),
                **{k: v(n) for k, v in drive.items()},
                **others,
            )
            for n in range(400)
        ]
        return {rule for rule, _ in active(fold(rows, model))}

    assert not told(lambda n: 11.8) and told(lambda n: 11.8 - n % 7 / 20) == {"alternator"}
    if model == "petrol_hatch":  # its control unit has what the sense wire does not see
        assert not told(lambda n: 12.1 - n % 7 / 20, **{"Vehicle.OBD.ControlModuleVoltage": 14.1})
        assert told(lambda n: 12.1 - n % 7 / 20, **{"Vehicle.OBD.ControlModuleVoltage": 12.2}) == {"alternator"}
