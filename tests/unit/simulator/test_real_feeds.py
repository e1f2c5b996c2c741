"""Sensors of their own, twenty-three ways in which one fails, five kinds of feed: each does what its name says."""

from __future__ import annotations

import pytest

from proofs.score.living import START
from simulator.direct import Told
from simulator.feeds import FEEDS, through
from simulator.population import population
from simulator.sensor_faults import SENSOR_FAULTS, Spoiled
from simulator.sensors import Sensors
from simulator.wear import DAY, KINDS
from telltale.data import profiles

VALUES = {
    1: 50.0,
    2: 5e7,
    5: 14.1,
    11: 90.0,
    12: 90.0,
    16: 320.0,
    47: 3.69,
    48: 3.71,
    50: 3.7,
    51: 25.0,
    52: 1_000.0,
    58: 9_000.0,
}
VALUES |= dict.fromkeys(range(70, 74), 230.0)


def test_meters_end_and_scatter_differently() -> None:
    cars = [Sensors(seed) for seed in range(60)]
    said = [[car.read(n * 3_600.0, VALUES)[52] for n in range(300)] for car in cars]
    assert min(map(max, said)) < 700 and max(map(max, said)) > 6_000
    spread = [(max(one) - min(one)) / max(one) for one in said]
    assert min(spread) < 0.02 and max(spread) > 0.1


@pytest.mark.parametrize("signal, apart", [(5, 0.05), (11, 1.5), (16, 20.0), (70, 3.0), (51, 1.0)])
def test_offsets_differ_from_car_to_car_and_stay(signal: int, apart: float) -> None:
    means = []
    for seed in range(40):
        sensors = Sensors(seed)
        means.append(sum(sensors.read(float(n), VALUES)[signal] for n in range(200)) / 200)
    assert max(means) - min(means) > apart


@pytest.mark.parametrize("name", SENSOR_FAULTS)
def test_a_fault_begins_on_its_day_and_changes_its_signals_alone(name: str) -> None:
    one = Spoiled(name, 100.0, seed=4)
    assert one.read(99.0, dict(VALUES)) == VALUES
    moving = [{**VALUES, 11: VALUES[11] - n % 5, 16: VALUES[16] - n % 7} for n in range(20)]
    looks = [one.read(100.0 + n, dict(values)) for n, values in enumerate(moving)]
    assert any(look != values for look, values in zip(looks, moving, strict=True))
    assert all(look.keys() == VALUES.keys() for look in looks) and set(SENSOR_FAULTS[name].clouds) <= set(KINDS)


def messages() -> list[Told]:
    return [
        Told(
            n * 60.0, (1, 2, 7, 9, 10, 32, 58, 70), (50.0, 5e7 + n, 10.5, 2.0, 2_000.0, 14.0, 9_000.0 - n // 30, 230.0)
        )
        for n in range(300)
    ]


def test_a_dongle_has_no_lowest_voltage_and_a_cloud_sends_by_change_and_seldom() -> None:
    dongle = list(through("dongle", iter(messages()), 1))
    assert len(dongle) >= 300 and not any(7 in told.ids for told in dongle)
    hour = list(through("hour", iter(messages()), 1))
    assert len(hour) == 5 and set(hour[0].ids) == {2, 58, 70} and set(hour[1].ids) == {2, 58}
    minute = list(through("minute", iter(messages()), 1))
    assert len(minute) == 300 and not any({1, 9, 10} & set(told.ids) for told in minute)
    assert list(through("full", iter(messages()), 1)) == messages()


def test_a_cloud_hands_on_the_state_at_the_hour_and_not_what_was_over_by_then() -> None:
    told = [Told(600.0, (57,), (1.0,)), Told(40_000.0, (57,), (0.0,)), Told(40_100.0, (57,), (1.0,))]
    told += [Told(40_200.0, (57,), (0.0,)), Told(90_000.0, (4,), (5.0,))]
    hours = [(one.ts, one.values) for one in through("hour", iter(told), 1) if 57 in one.ids]
    assert hours == [(3_600.0, (1.0,)), (43_200.0, (0.0,))]


def test_a_fleet_is_the_same_twice_has_all_feeds_and_no_fault_hides_another() -> None:
    one, other = [list(population(profiles(), 1_500, 60.0, 5, START, real=True)) for _ in range(2)]
    assert one == other and {car.feed for car in one} == {name for name, _ in FEEDS}
    assert {car.sensor_fault for car in one} == {"", *SENSOR_FAULTS}
    for car in one:
        if car.sensor_fault:
            assert {fault.kind for fault in car.life.faults}.isdisjoint(SENSOR_FAULTS[car.sensor_fault].clouds)
            assert START <= car.sensor_fault_at < START + 60 * DAY
    plain = list(population(profiles(), 1_500, 60.0, 5, START))
    assert [car.life for car in plain] == [car.life for car in one] and not any(car.real for car in plain)
