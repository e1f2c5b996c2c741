"""Databases and brokers that die, buckets that move: nothing is lost, nothing counts twice, order is kept."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from gateway.intake.loop import Intake
from proofs.cars import ProofCar
from rules.engine.judge import Judge
from store.leases import all_of_them
from store.migrate import migrate, role_url
from telltale.embedded.broker import EmbeddedBroker
from telltale.embedded.postgres import EmbeddedPostgres
from tests.integration.gateway.world import World, now, until
from tests.patience import PATIENCE_S


@pytest.fixture
async def own(home: Path, judge: Judge) -> AsyncIterator[World]:
    """A world whose database and broker may be killed."""
    async with EmbeddedPostgres(home / "pg") as server, EmbeddedBroker(home / "broker", ack_wait="3s") as broker:
        await migrate(server.url, "secret")
        pool = await asyncpg.create_pool(server.url, min_size=0, max_size=2)
        dealer = await pool.fetchval(
            "INSERT INTO dealers (name, zone, country, phone, address, opening_hours, language, created_at) "
            "VALUES ('Test', 'Europe/Berlin', 'DE', '+49301234567', 'Street 1', 'Mo-Fr 08:00-18:00', 'en', $1) "
            "RETURNING id",
            now(),
        )
        await pool.expire_connections()
        database = SimpleNamespace(url=server.url, role=lambda name: role_url(server.url, "secret", f"telltale_{name}"))
        made = World(database, broker, pool, dealer, judge)
        made.server = server  # type: ignore[attr-defined]
        yield made
        for car in made.cars:
            car.close()
        for task in made.gateways:
            await made.stop(task)
        pool.terminate()


async def spool_cars(world: World, count: int) -> list[ProofCar]:
    made = []
    for n in range(count):
        car = await world.car(connect=False)
        made.append(ProofCar(car.vin, car.secret, lambda: ("127.0.0.1", world.broker.port), True, n, repeat=0.2))
        made[-1].vehicle = car.id  # type: ignore[attr-defined]
    return made


async def chat(cars: list[ProofCar], seconds: float) -> None:
    """Everybody talks for a while."""
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        for car in cars:
            car.say(now().isoformat(), {"Vehicle.Speed": random.uniform(0, 100)})
        await asyncio.sleep(0.02)


async def check(world: World, cars: list[ProofCar]) -> None:
    """Everything that was ever said stands there once, in its order."""
    for car in cars:
        rows = await world.pool.fetch(
            "SELECT boot, seq, place, mark FROM readings WHERE vehicle_id = $1 ORDER BY boot, seq", car.vehicle
        )
        assert [(r["boot"], r["seq"]) for r in rows] == sorted(car.history)
        in_order = [r["place"] for r in rows if not r["mark"] & 2]
        assert None not in in_order and in_order == sorted(in_order)
        assert sorted(r["place"] for r in rows) == list(range(1, len(rows) + 1))


async def test_a_database_killed_under_load_costs_nothing(own):
    await own.start()
    cars = await spool_cars(own, 5)
    running = [asyncio.create_task(car.run()) for car in cars]
    for _ in range(2):
        await chat(cars, 1.0)
        own.server.kill()
        await chat(cars, 0.5)
        await own.server.start()
    await chat(cars, 0.5)
    await until(lambda: all(car.settled for car in cars))
    for task in running:
        task.cancel()
    await check(own, cars)


async def test_a_gateway_that_is_told_to_end_ends_although_the_database_is_away(own):
    """What it holds was acknowledged to nobody, so it has nothing to wait for."""
    made: list[Intake] = []

    class Watched(Intake):
        def __init__(self, *parts: Any) -> None:
            super().__init__(*parts)
            made.append(self)

    gateway = await own.start(make_intake=Watched)
    cars = await spool_cars(own, 3)
    running = [asyncio.create_task(car.run()) for car in cars]
    await chat(cars, 0.5)
    await until(lambda: all(car.settled for car in cars) and made[0].oldest_pending is None)
    own.server.kill()
    cars[0].say(now().isoformat(), {"Vehicle.Speed": 50.0})
    await until(lambda: made[0].oldest_pending is not None)
    gateway.cancel()
    ended, _ = await asyncio.wait({gateway}, timeout=PATIENCE_S)
    assert ended
    await own.server.start()
    await own.start()
    await chat(cars, 0.5)
    await until(lambda: all(car.settled for car in cars))
    for task in running:
        task.cancel()
    await check(own, cars)


async def test_a_broker_killed_with_its_store_wiped_costs_nothing(own):
    await own.start()
    cars = await spool_cars(own, 5)
    running = [asyncio.create_task(car.run()) for car in cars]
    for _ in range(2):
        await chat(cars, 1.0)
        own.broker.kill()
        own.broker.wipe()
        await chat(cars, 0.3)
        await own.broker.start()
    await chat(cars, 1.0)
    await until(lambda: all(car.settled for car in cars))
    for task in running:
        task.cancel()
    await check(own, cars)


async def test_buckets_move_to_finer_shares_while_traffic_runs(own):
    shares = [await own.start((k, 2)) for k in range(2)]
    cars = await spool_cars(own, 16)
    running = [asyncio.create_task(car.run()) for car in cars]
    await chat(cars, 1.0)
    talk = asyncio.create_task(chat(cars, 6.0))
    shares += [await own.start((k, 4)) for k in (2, 3)]

    async def moved() -> bool:
        async with own.pool.acquire() as connection:
            return [lease.share for lease in await all_of_them(connection)] == ["0/2", "1/2", "2/4", "3/4"] * 4

    await until(moved)
    await own.stop(shares[0])
    shares[0] = await own.start((0, 2))
    await talk
    assert not [task for task in shares if task.done()]
    await until(lambda: all(car.settled for car in cars))
    for task in running:
        task.cancel()
    await check(own, cars)
