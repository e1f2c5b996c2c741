"""Each fault of the data shows in what the car sends, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from simulator.car import DAY
from simulator.fleet import Member, StandIn
from simulator.scenario import scenario_of
from simulator.spool import Kept, SpoolFile
from telltale.data import profiles, scenarios

START = datetime.fromisoformat("2026-11-23T07:30:00+00:00").timestamp()
KM = "Vehicle.OdometerKm"
METRES = "Vehicle.TraveledDistance"
COOLANT = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"


@pytest.fixture
def lived(tmp_path: Path) -> Iterator:
    open_cars: list[StandIn] = []
    file = SpoolFile(tmp_path / "spool.sqlite3")

    def live(name: str, model: str = "petrol_hatch", days: float = 4.0) -> tuple[StandIn, list[Kept]]:
        member = Member("WTTPH0000NM000017", "", profiles()[model], scenario_of(name, scenarios()[name]), 4)
        car = StandIn(member, "127.0.0.1", 1, file, START, "Europe/Berlin", period_s=60.0)
        open_cars.append(car)
        while car.due < START + days * DAY:
            car.step()
        return car, car.unit.spool.after(0, 0, 100_000)

    yield live
    for car in open_cars:
        car.close()
    file.close()


def _bodies(kept: list[Kept]) -> list[dict]:
    return [json.loads(one.payload(1)) for one in kept]


async def test_missing_trips_leave_gaps_in_the_numbers(lived) -> None:
    car, kept = lived("data_missing_trips")
    assert 0 < len(kept) < car.unit.spool.seq
    assert [k.seq for k in kept] == sorted({k.seq for k in kept})


async def test_duplicates_and_disorder_change_only_how_a_batch_leaves_the_car(lived) -> None:
    car, kept = lived("data_duplicates", days=1.5)
    twice = car.sender._order(kept)
    assert len(twice) > len(kept) and set(twice) == set(kept)
    car, kept = lived("data_out_of_order", days=1.5)
    mixed = car.sender._order(kept)
    assert mixed != kept and sorted(mixed, key=lambda k: (k.boot, k.seq)) == kept


async def test_a_jumping_clock_writes_years_that_cannot_be(lived) -> None:
    years = {body["ts"][:4] for body in _bodies(lived("data_clock_jump")[1])}
    assert "2026" in years and years & {"2007", "2031"}


async def test_an_old_feed_counts_kilometres_under_its_old_name(lived) -> None:
    bodies = _bodies(lived("data_kilometres_for_metres", days=1.5)[1])
    assert any(KM in body["signals"] for body in bodies)
    assert not any(METRES in body["signals"] for body in bodies)


async def test_not_available_is_no_value_and_never_215_degrees(lived) -> None:
    bodies = _bodies(lived("data_not_available", "truck", days=1.5)[1])
    assert max(body["signals"][COOLANT] for body in bodies if COOLANT in body["signals"]) < 120


async def test_a_stuck_sensor_says_the_same_for_ever(lived) -> None:
    coolant = [
        body["signals"][COOLANT] for body in _bodies(lived("data_stuck_sensor")[1]) if COOLANT in body["signals"]
    ]
    assert len(set(coolant[-40:])) == 1 and coolant[-1] >= 79


async def test_a_moved_unit_names_another_car(lived) -> None:
    named = {body.get("vin") for body in _bodies(lived("data_vin_swap")[1])}
    assert named == {None, "WTTXX0000NM000001"}


async def test_a_control_unit_that_lost_its_memory_counts_from_nought(lived) -> None:
    counted = [
        body["signals"]["Vehicle.OBD.DistanceSinceDTCClear"]
        for body in _bodies(lived("data_counters_reset")[1])
        if "Vehicle.OBD.DistanceSinceDTCClear" in body["signals"]
    ]
    assert any(later < earlier for earlier, later in zip(counted, counted[1:], strict=False))


async def test_codes_cleared_elsewhere_are_gone(lived) -> None:
    car, _ = lived("data_codes_cleared")
    assert car.car.codes.stored == {}
