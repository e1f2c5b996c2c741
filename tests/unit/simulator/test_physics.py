"""The physics against the numbers of the literature (VEHICLES.md section 3): if one moves, a detection score means
nothing.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from simulator import chassis, engine, pack, supply
from simulator.condition import Condition, fresh, mended
from simulator.wear import DAY, KINDS, Fault, Wear, wear_of
from simulator.weather import Weather
from telltale.data import profiles

PETROL, VAN, EV = profiles()["petrol_hatch"], profiles()["diesel_van"], profiles()["electric_car"]
START = 1_795_419_000.0


def _car(model=PETROL, **levels) -> Condition:
    condition = fresh(model, Random(3), START, 20.0)
    condition.battery_age = 1.0
    for name, value in levels.items():
        setattr(condition, name, value)
    return condition


def test_a_tyre_follows_the_air_with_about_one_kpa_per_kelvin() -> None:
    car = _car()
    warm, cold = chassis.pressures(car, 20.0)[0], chassis.pressures(car, 5.0)[0]
    assert 15.5 < warm - cold < 18.5  # a cold snap of 15 K: 17 kPa


def test_driving_at_100_warms_a_tyre_by_25_kelvin() -> None:
    car = _car()
    for _ in range(120):
        chassis.roll(car, Wear(), PETROL, 100.0, 60.0)
    assert car.tyre_heat == pytest.approx(25.0, abs=0.2)


@pytest.mark.parametrize(("per_day", "days"), [(0.004, 48), (0.010, 19), (0.020, 10)])
def test_a_leak_reaches_three_quarters_of_the_placard_when_the_table_says(per_day: float, days: int) -> None:
    fault = Fault.of("tyre_leak", "front_left", START, {"per_day": per_day})
    assert (fault.truth().failure - START) / DAY == pytest.approx(days, abs=1.0)
    car = _car()
    car.air = [(234 + 101.3) * 1.0] * 4
    while chassis.pressures(car, 20.0)[0] > 0.75 * 234:
        chassis.stand(car, wear_of([fault], START), DAY)
        car.ts += DAY
    assert (car.ts - START) / DAY == pytest.approx(days, rel=0.2)  # it breathes a little besides


@pytest.mark.parametrize(
    ("day", "air", "volts"), [(0, 25, 10.7), (60, 25, 9.6), (120, 25, 7.9), (60, -15, 8.5), (120, -15, 6.1)]
)
def test_an_ageing_battery_cranks_as_the_table_says(day: int, air: float, volts: float) -> None:
    fault = Fault.of("battery_ageing", "", START, {"days": 120.0})
    wear = wear_of([fault], START + day * DAY)
    lows = [supply.cranking_volts(_car(charge=0.85, battery_k=air), wear, PETROL, Random(n), 1.0) for n in range(60)]
    assert sum(lows) / len(lows) == pytest.approx(volts, abs=0.45)


def _settled(wear: Wear, air: float, heat: float) -> float:
    car = _car(coolant_c=air, model_c=air)
    for _ in range(400):
        engine.warm(car, wear, air, heat, 30.0)
    return car.coolant_c


@pytest.mark.parametrize(
    ("wear", "air", "heat", "expected"),
    [
        (Wear(), 0.0, 13.0, 89.5),
        (Wear(), 20.0, 13.0, 90.0),
        (Wear(opening_min=0.25), 0.0, 13.0, 46.0),
        (Wear(opening_max=0.2), 0.0, 13.0, 89.0),
        (Wear(opening_max=0.2), 20.0, 22.0, 115.0),
        (Wear(opening_max=0.2), 38.0, 22.0, 133.0),
    ],
)
def test_coolant_settles_where_the_heat_balance_says(wear: Wear, air: float, heat: float, expected: float) -> None:
    assert _settled(wear, air, heat) == pytest.approx(expected, abs=2.5)


def test_the_coolant_step_is_stable_for_any_step_of_time() -> None:
    ends = []
    for seconds in (1.0, 10.0, 30.0, 60.0):
        car = _car(coolant_c=0.0, model_c=0.0)
        for _ in range(int(3_600 / seconds)):
            engine.warm(car, Wear(), 0.0, 13.0, seconds)
        ends.append(car.coolant_c)
    assert max(ends) - min(ends) < 1.0


def test_running_voltage_stays_in_the_measured_band() -> None:
    rng, car = Random(1), _car()
    volts = [supply.run(car, Wear(), PETROL, rng, 60.0, 30.0, 1.0) for _ in range(2_000)]
    assert min(volts) > 12.9 and max(volts) < 14.8


def test_a_smart_alternator_swings_on_purpose() -> None:
    rng, car = Random(1), _car(VAN)
    volts = [supply.run(car, Wear(), VAN, rng, 60.0, 30.0, 1.0) for _ in range(2_000)]
    assert min(volts) < 13.2 < 14.8 < max(volts)


def test_a_dead_alternator_empties_the_battery_in_about_an_hour_and_a_half() -> None:
    rng, car, wear = Random(1), _car(charge=1.0), replace_wear(alternator_dead=True)
    seconds = 0
    while car.charge > 0.0 and seconds < 20_000:
        supply.run(car, wear, PETROL, rng, 60.0, 30.0, 1.0)
        seconds += 30
    assert 4_000 < seconds < 6_500


def replace_wear(**levels: object) -> Wear:
    return replace(Wear(), **levels)


def test_pads_last_between_48_and_113_thousand_kilometres() -> None:
    for speed in (40.0, 100.0):
        car = _car(pads=[0.0] * 4)
        km = 0.0
        while car.pads[0] < 100.0:
            chassis.roll(car, Wear(), PETROL, speed, 3_600.0)
            km += speed
        assert 40_000 < km < 115_000


def test_a_healthy_filter_burns_itself_clean_and_a_clogged_one_more_and_more_often() -> None:
    def intervals(wear: Wear) -> list[float]:
        car, found, before = _car(VAN, coolant_c=90.0), [], 0.0
        for _ in range(9_000):
            engine.filter_soot(car, wear, VAN, 70.0, 60.0)
            if car.since_regeneration_km < before:
                found.append(before)
            before = car.since_regeneration_km
        return found[1:]

    healthy, clogged = intervals(Wear()), intervals(replace_wear(filter_ash=0.75))
    assert min(healthy) > 600
    assert max(clogged) < 300


def test_a_weak_cell_lies_below_the_median_by_its_gap() -> None:
    car = _car(EV, pack_charge=60.0)
    wear = replace_wear(weak_cell_mv=80.0)
    result = pack.report(car, wear, EV, Random(1), 0.0, 0.0)
    assert result[50] - result[47] == pytest.approx(0.080, abs=0.008)
    assert result[49] == 41.0
    healthy = pack.report(car, Wear(), EV, Random(1), 0.0, 0.0)
    assert healthy[50] - healthy[47] < 0.015


def test_health_falls_by_3_6_points_in_a_year() -> None:
    car = _car(EV, pack_health=94.0)
    pack.age(car, 365 * DAY)
    assert car.pack_health == pytest.approx(90.4, abs=0.01)


def test_the_same_seed_is_the_same_weather_and_winters_are_colder() -> None:
    one, other = Weather(5), Weather(5)
    assert [one.air(START + n * 3_600) for n in range(50)] == [other.air(START + n * 3_600) for n in range(50)]
    january = 1_800_000_000.0  # 15 January 2027
    winter = sum(one.air(january + n * DAY) for n in range(30))
    assert winter + 300 < sum(one.air(january + (n + 180) * DAY) for n in range(30))


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_gets_worse_and_its_repair_ends_it(kind: str) -> None:
    known = KINDS[kind]
    fault = Fault.of(kind, known.components[0], START, {})
    assert fault.severity(START - 1) == 0.0
    truth = fault.truth()
    assert truth.onset <= truth.detectable <= truth.failure
    assert fault.severity(truth.failure) == 1.0
    assert wear_of([fault], START - 1) == Wear()
    fault.healed_at = START
    assert wear_of([fault], truth.failure) == Wear()
    model = next(p for p in profiles().values() if p.drive in known.drives)
    mended(_car(model), model, fault.part, 15.0)
