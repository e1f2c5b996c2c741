"""What `telltale check` says of a broker: durable, closed, and a car that speaks through all of it and leaves no
trace.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from proofs.bench.brokers import mosquitto
from store import check
from telltale.checking import broker
from telltale.checking.finding import Wrong
from telltale.settings import Settings
from tests.integration.gateway.world import HeldIntake, World
from tests.standing import PoolAs

TABLES = (
    "vehicles",
    "readings",
    "latest",
    "checkpoints",
    "gaps",
    "quarantine",
    "history",
    "alerts",
    "alert_steps",
    "wakeups",
)


def settings(world: Any, **more: Any) -> Settings:
    given = {
        "database_url": world.database.url,
        "secret": world.database.secret,
        "mqtt_url": world.broker.mqtt_url,
        "auth_url": world.broker.auth_url,
        "auth_seed": world.broker.auth_seed,
    }
    return Settings.read(**{**given, **more})


async def rows(world: Any) -> dict[str, int]:
    return {table: await world.pool.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES}


async def test_a_car_is_heard_and_stored_and_told_and_leaves_no_trace(world: World):
    await world.start()
    other = await world.car()
    other.say()
    while not other.acked:
        await asyncio.sleep(0.02)
    before = await rows(world)
    assert "stored and told so" in await broker.car(settings(world))
    assert await rows(world) | {"latest": 0, "checkpoints": 0} == before | {
        "latest": 0,
        "checkpoints": 0,
    }  # those two are the other car's
    assert await world.pool.fetchval("SELECT count(*) FROM vehicles WHERE vin LIKE 'TELLTALECHECK%'") == 0
    assert await world.pool.fetchval("SELECT count(*) FROM tallies WHERE subject LIKE 'TELLTALECHECK%'") == 0
    assert await world.count(other) == 1


async def test_where_no_gateway_runs_the_car_is_not_let_in_and_leaves_no_trace_either(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(broker, "LET_IN_S", 2.0)
    before = await rows(world)
    with pytest.raises(Wrong, match="does not let it in") as wrong:
        await broker.car(settings(world))
    assert "is it running" in wrong.value.todo
    assert await rows(world) == before


async def test_what_a_database_refuses_is_reported_with_its_reason(world: World):
    await world.start()
    await world.pool.execute("ALTER TABLE readings ADD CONSTRAINT nothing CHECK (false) NOT VALID")
    with pytest.raises(Wrong, match="was refused"):
        await broker.car(settings(world))


async def test_a_car_that_nobody_answers_is_reported(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(broker, "HEARD_S", 1.0)
    await world.start(make_intake=HeldIntake)
    with pytest.raises(Wrong, match="nobody told it"):
        await broker.car(settings(world))


async def test_what_a_broken_off_check_left_is_taken_away_by_the_next(world: World):
    await world.start()
    worker = await world.pool.acquire()
    await check.add_probe(
        worker,
        "TELLTALECHECK9999",
        world.dealer,
        profile="petrol_hatch",
        secret=os.urandom(32).hex(),
        now=await worker.fetchval("SELECT created_at FROM dealers"),
    )
    await world.pool.release(worker)
    await broker.car(settings(world))
    assert await world.pool.fetchval("SELECT count(*) FROM vehicles") == 0


async def test_the_commands_role_deletes_nothing_about_any_other_car(world: World, pool_as: PoolAs):
    await world.start()
    car = await world.car()
    car.say()
    while not car.acked:
        await asyncio.sleep(0.02)
    office = await pool_as("office")
    for table in ("readings", "latest", "checkpoints", "gaps", "quarantine"):
        assert (await office.execute(f"DELETE FROM {table}")).endswith(" 0")
    assert await office.execute("DELETE FROM vehicles") == "DELETE 0"


async def test_without_a_dealer_there_is_nothing_that_a_car_could_belong_to(world: World):
    await world.pool.execute("DELETE FROM dealers")
    with pytest.raises(Wrong, match="no dealer"):
        await broker.car(settings(world))


async def test_the_embedded_broker_is_asked_about_itself_and_its_cars_go_on_signing_in(world: World):
    await world.start()
    assert "keeps and hands out" in await broker.durable(settings(world))
    assert "turns strangers away" in await broker.closed(settings(world))
    for _ in range(5):  # were the question answered by whoever asked about the broker, every other sign-in would fail
        (await world.car()).close()


@pytest.mark.skipif(
    mosquitto() is None, reason="mosquitto is not installed on this machine (Debian: apt-get install mosquitto)"
)
async def test_an_open_broker_is_found_out(world: World, mosquittos):
    port = await mosquittos("allow_anonymous true", "max_inflight_messages 4000", "max_queued_messages 0")
    bare = settings(world, mqtt_url=f"mqtt://127.0.0.1:{port}", auth_url="", auth_seed="", mqtt_version="5")
    assert "keeps and hands out" in await broker.durable(bare)
    with pytest.raises(Wrong, match="lets nobody in particular in") as wrong:
        await broker.closed(bare)
    assert "broker-config" in wrong.value.todo
