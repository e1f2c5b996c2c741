"""A unit is proposed where one explains all that a car said; a sensor that is broken gets no unit."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import cache

import pytest

from proofs.score.living import START, believed, rows_of
from rules.detectors.unit_of import WHEEL_IDS, Proposal, Reason, asked_after, asked_by, unit_of
from schemas.correction import CORRECTABLE, UNITS
from schemas.signal import BY_ID
from simulator.population import population
from simulator.sensor_faults import SENSOR_FAULTS
from simulator.wear import DAY
from telltale.data import profiles

SPEED, ODOMETER, COOLANT, TO_SERVICE, SINCE_CLEAR, OIL, RPM = 1, 2, 11, 58, 36, 16, 10
UNIT = {"tyres_psi": "psi", "tyres_bar": "bar", "coolant_fahrenheit": "fahrenheit", "miles": "miles"}
UNIT |= {"oil_psi": "psi", "oil_bar": "bar"}
PROFILES = profiles()
GOLF = PROFILES["petrol_hatch"]


@cache
def cars(drive: str):
    """Three healthy cars of that drive, by which all faults are tried."""
    found = [
        car
        for car in population(PROFILES, 60, 8, seed=7, since=START, faulty=0.0, real=True)
        if car.profile.drive == drive
    ]
    return found[:3]


def histories(plan, feed: str = "full", days: float = 5.0):
    found = defaultdict(list)
    for row in believed(rows_of(plan.told(plan.car(START), START + days * DAY))):
        for i, value in zip(row.ids, row.values, strict=True):
            found[i].append((row.ts, value))
    return found


def proposed(said, profile):
    decisions = {i: unit_of(i, said, profile) for i in CORRECTABLE}
    return {i: one.unit.name for i, one in decisions.items() if isinstance(one, Proposal)}


SPOILED = [(fault, drive) for fault, one in SENSOR_FAULTS.items() for drive in one.drives]


@pytest.mark.parametrize("fault, drive", SPOILED)
def test_of_all_that_fails_only_units_get_one(fault: str, drive: str):
    one, expected = SENSOR_FAULTS[fault], UNIT.get(fault)
    of = {"coolant_fahrenheit": {COOLANT}, "miles": {ODOMETER}, "oil_psi": {OIL}, "oil_bar": {OIL}}.get(
        fault, set(WHEEL_IDS)
    )
    told = 0
    for n, plain in enumerate(cars(drive)):
        at = START if one.from_birth else START + (0.5 + n) * DAY
        plan = replace(plain, feed="full", real=True, sensor_fault=fault, sensor_fault_at=at)
        found = proposed(histories(plan), plan.profile)
        assert set(found.values()) <= {expected}, (n, found)
        assert found == {} or of == set(found) - {TO_SERVICE}
        told += found != {}
    assert told >= (2 if expected else 0), "one of them drives little, and too short to get warm"


@pytest.mark.parametrize("drive", ["petrol", "diesel", "electric", "truck"])
@pytest.mark.parametrize("feed", ["full", "dongle", "minute", "hour", "partial"])
def test_a_healthy_car_gets_no_unit_whatever_its_feed(drive: str, feed: str):
    for plain in cars(drive):
        plan = replace(plain, feed=feed, real=True, sensor_fault="")
        assert proposed(histories(plan), plan.profile) == {}


def wheels(*values: float, n: int = 40):
    return {i: [(60.0 * k, v + 0.3 * (k % 3)) for k in range(n)] for i, v in zip(WHEEL_IDS, values, strict=True)}


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0, 3.5, 10.0])
@pytest.mark.parametrize("unit", UNITS["kPa"], ids=lambda unit: unit.name)
def test_no_limit_is_fitted_to_one_car(unit, scale):
    limits = {name: value * scale if "placard" in name else value for name, value in GOLF.limits.items()}
    car = GOLF.model_copy(update={"limits": limits})
    said = {i: [(t, v * scale / unit.factor) for t, v in points] for i, points in wheels(230, 232, 221, 220).items()}
    found = unit_of(WHEEL_IDS[0], said, car)
    assert isinstance(found, Proposal) and found.unit is unit and found.signals == WHEEL_IDS


@pytest.mark.parametrize(
    "said, reason",
    [
        (wheels(33, 33, 32, 32, n=5), Reason.TOO_LITTLE),
        (wheels(233, 233, 220, 221), Reason.PLAUSIBLE),
        (wheels(33, 233, 220, 221), Reason.ALONE),
        ({i: [(60.0 * k, 2.0) for k in range(40)] for i in WHEEL_IDS}, Reason.STILL),
        ({i: [(60.0 * k, 0.0) for k in range(40)] for i in WHEEL_IDS}, Reason.STILL),
        (wheels(60, 61, 62, 60), Reason.NO_FACTOR),
        ({i: [(60.0 * k, 230.0 if k < 20 else 33.4) for k in range(40)] for i in WHEEL_IDS}, Reason.CHANGED),
    ],
)
def test_why_no_unit_is_proposed_for_tyres(said, reason):
    assert unit_of(WHEEL_IDS[0], said, GOLF) is reason


def warmed(top: float, start: float = 20.0, n: int = 60):
    return [(20.0 * k, min(top, start + k * (top - start) / 15) + 0.4 * (k % 3)) for k in range(n)]


@pytest.mark.parametrize(
    "points, reason",
    [
        (warmed(90), Reason.PLAUSIBLE),
        (warmed(128), Reason.PLAUSIBLE),  # too hot, and the engine's own fault
        (warmed(148), Reason.PLAUSIBLE),
        ([(20.0 * k, 215.0) for k in range(60)], Reason.STILL),
        ([(5.0 * k, (88.0, 190.0 + k % 5)[k % 4 > 0]) for k in range(60)], Reason.LEAPS),
        ([(20.0 * k, 88.0 if k < 30 else 190.0 + k % 5) for k in range(60)], Reason.CHANGED),
        (warmed(90, n=8), Reason.TOO_LITTLE),
        (warmed(280, 68), Reason.NO_FACTOR),
    ],
)
def test_why_no_unit_is_proposed_for_a_coolant(points, reason):
    assert unit_of(COOLANT, {COOLANT: points}, GOLF) is reason


def driven(speed: float = 1.0, metres: float = 1.0, hours: float = 2.0, counter: float | None = None):
    """An hour is 50 km in town and out of it; the factors are by what what is said is too little."""
    said = defaultdict(list)
    way = 80_000_000.0
    for n in range(int(hours * 360)):
        kmh = 20.0 + 60.0 * (n // 36 % 2) + 5.0 * (n % 3)
        way += kmh / 3.6 * 10
        said[SPEED].append((10.0 * n, kmh / speed))
        said[ODOMETER].append((10.0 * n, way / metres))
        said[TO_SERVICE].append((10.0 * n, 15_000.0 - (way - 80_000_000.0) / 1000.0))
        if counter is not None:
            said[SINCE_CLEAR].append((10.0 * n, (way - 80_000_000.0) / 1000.0 / counter))
    return said


@pytest.mark.parametrize(
    "said, of_speed, of_odometer",
    [
        (driven(), Reason.PLAUSIBLE, Reason.PLAUSIBLE),
        (driven(metres=1.609344), Reason.PLAUSIBLE, "miles"),
        (driven(metres=1_000.0), Reason.PLAUSIBLE, "kilometres"),
        (driven(speed=1.609344), "mph", Reason.PLAUSIBLE),
        (driven(speed=3.6), "metres_per_second", Reason.PLAUSIBLE),
        (driven(speed=1.609344, metres=1.609344), Reason.PLAUSIBLE, Reason.PLAUSIBLE),
        (driven(speed=1.609344, metres=1.609344, counter=1.0), "mph", "miles"),
        (driven(metres=2.4), Reason.NO_FACTOR, Reason.NO_FACTOR),
        (driven(hours=0.2), Reason.TOO_LITTLE, Reason.TOO_LITTLE),
        ({SPEED: [(0.0, 1.0)]}, Reason.NOTHING_ELSE, Reason.NOTHING_ELSE),
    ],
)
def test_speed_and_odometer_are_held_against_each_other(said, of_speed, of_odometer):
    for signal, expected in ((SPEED, of_speed), (ODOMETER, of_odometer)):
        found = unit_of(signal, said, GOLF)
        assert (found.unit.name if isinstance(found, Proposal) else found) == expected


def test_a_cluster_in_miles_counts_the_way_to_its_service_in_miles_too():
    said = driven(hours=4)
    assert asked_after({ODOMETER}) == (TO_SERVICE,) and asked_after({ODOMETER, TO_SERVICE}) == ()
    assert unit_of(TO_SERVICE, said, GOLF) is Reason.PLAUSIBLE
    said[TO_SERVICE] = [(t, v / 1.609344) for t, v in said[TO_SERVICE]]
    found = unit_of(TO_SERVICE, said, GOLF)
    assert isinstance(found, Proposal) and found.unit.name == "miles"
    assert unit_of(TO_SERVICE, driven(hours=0.5), GOLF) is Reason.TOO_LITTLE


def test_an_item_says_which_signals_to_ask_about():
    assert asked_by("sensor_implausible", "tyre_pressure_rear_left") == (72,)
    assert asked_by("distance_unit", "") == (ODOMETER, SPEED) and asked_by("tyre_low", "") == ()
    assert unit_of(5, {5: [(0.0, 6.0)]}, GOLF) is Reason.UNKNOWN and BY_ID[5].unit == "V"
