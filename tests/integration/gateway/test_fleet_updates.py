"""Who the cars are: a gateway knows its own, hears of changes without a bell, and reads nobody twice for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.fleet.car import Car
from gateway.fleet.fleet import Fleet
from gateway.intake.writer import Writer
from gateway.ops import fleet_updates
from gateway.ops.fleet_updates import Meeting
from rules.engine.judge import Judge
from schemas.vehicle import bucket_of
from store import vehicles
from store.pool import connect
from tests.integration.gateway.world import TestCar, World, now, until
from tests.patience import PATIENCE_S


class House:
    """Some cars of each bucket, and a gateway that carries the even ones."""

    def __init__(self, world: World, judge: Any, writer: Writer) -> None:
        self.world, self.writer, self.fleet = world, writer, Fleet(judge)
        self.parted: list[Car] = []
        self.meeting = Meeting(self.fleet, writer, None, self.parted.append)
        self.cars: list[TestCar] = []

    async def fill(self, count: int) -> None:
        self.cars += [await self.world.car(connect=False) for _ in range(count)]

    def mine(self) -> set[int]:
        return {car.id for car in self.cars if bucket_of(car.vin) in self.writer.buckets}


@pytest.fixture
async def house(world: World, judge: Judge, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(fleet_updates, "PIECE", 7)
    writer = Writer(world.database.role("gateway"), "test", "0/2")
    await writer.take(list(range(0, 16, 2)))
    made = House(world, judge, writer)
    await made.fill(60)
    yield made
    await writer.close()


async def test_the_database_and_we_agree_on_a_cars_bucket(house):
    rows = await house.world.pool.fetch("SELECT vin, bucket_of(vin) AS bucket FROM vehicles")
    assert len(rows) == 60 and all(row["bucket"] == bucket_of(row["vin"]) for row in rows)


async def test_a_gateway_knows_the_cars_of_its_own_buckets_and_those_of_one_that_it_takes(house):
    await house.meeting.everybody()
    assert set(house.fleet.by_id) == house.mine() and 0 < len(house.mine()) < 60
    await house.writer.take([3])
    await house.meeting.of([3])
    assert set(house.fleet.by_id) == house.mine()


async def test_one_that_answers_sign_ins_knows_of_the_others_whether_they_may_come(
    house, monkeypatch: pytest.MonkeyPatch
):
    cut: list[tuple[str, int]] = []
    keeper = type("AuthCallout", (), {"cut_off": lambda self, vin, vehicle: cut.append((vin, vehicle))})()
    house.meeting = Meeting(house.fleet, house.writer, keeper, house.parted.append)
    await house.meeting.everybody()
    assert set(house.fleet.by_id) == house.mine() and set(house.fleet.known) == {car.vin for car in house.cars}
    theirs = next(car for car in house.cars if car.id not in house.mine())
    assert house.fleet.dealer_of(theirs.vin) == house.world.dealer and theirs.id not in house.fleet.by_id
    async with house.world.pool.acquire() as connection, connection.transaction():
        await vehicles.revoke(connection, theirs.vin, now())
    await house.meeting.changed()
    assert cut == [(theirs.vin, theirs.id)] and theirs.vin not in house.fleet.known
    gone = next(car for car in house.cars if car.id not in house.mine() and car is not theirs)
    await house.world.pool.execute("DELETE FROM vehicles WHERE id = $1", gone.id)
    await house.meeting.everybody()
    assert gone.vin not in house.fleet.known and (gone.vin, 0) in cut


async def test_a_change_is_heard_without_a_bell_and_only_what_changed_is_read(house, monkeypatch: pytest.MonkeyPatch):
    await house.meeting.everybody()
    read: list[int] = []
    real = house.fleet.meet
    monkeypatch.setattr(house.fleet, "meet", lambda who, mine: (read.extend(one.id for one in who), real(who, mine))[1])
    await house.meeting.changed()
    some = house.fleet.by_id[min(house.mine())]
    await house.world.pool.execute("UPDATE vehicles SET profile = 'electric_car' WHERE id = $1", some.id)
    await house.world.pool.execute(
        "UPDATE vehicles SET last_heard_at = $1, online = true, title = 'another'", now()
    )  # says nothing of who they are
    await house.meeting.changed()
    assert read == [some.id] and some.profile == "electric_car" and some in house.fleet.changed


async def test_what_was_being_committed_while_we_looked_is_seen_by_the_next_look(house):
    """Numbers are given in one order and committed in another."""
    await house.meeting.everybody()
    first, second = sorted(house.mine())[:2]
    slow = await connect(house.world.database.url, name="test")
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute("UPDATE vehicles SET profile = 'electric_car' WHERE id = $1", first)
    await house.world.pool.execute("UPDATE vehicles SET profile = 'electric_car' WHERE id = $1", second)
    await house.meeting.changed()
    assert [house.fleet.by_id[n].profile for n in (first, second)] == ["petrol_hatch", "electric_car"]
    await transaction.commit()
    await slow.close()
    await house.meeting.changed()
    assert house.fleet.by_id[first].profile == "electric_car"


async def test_a_car_that_is_no_longer_there_has_parted(house):
    await house.meeting.everybody()
    one, other = sorted(house.mine())[:2]
    await house.world.pool.execute("DELETE FROM vehicles WHERE id = ANY($1::bigint[])", [one, other])
    await house.meeting.one(one)
    assert [car.id for car in house.parted] == [one]
    await house.meeting.everybody()
    assert [car.id for car in house.parted] == [one, other] and set(house.fleet.by_id) == house.mine() - {one, other}


async def test_a_removal_rings_by_itself(world: World):
    await world.start()
    car = await world.car()
    car.say()
    await until(lambda: car.acked)
    await world.pool.execute("DELETE FROM latest WHERE vehicle_id = $1", car.id)
    await world.pool.execute("DELETE FROM vehicles WHERE id = $1", car.id)
    await asyncio.wait_for(car.gone.wait(), PATIENCE_S)
    await asyncio.wait_for(car.refused.wait(), PATIENCE_S)
