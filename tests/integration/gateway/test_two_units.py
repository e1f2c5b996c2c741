"""Two units with one identity, on real brokers: they take each other's session over; it is counted, told, and stopped
where the dealer wants it so.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from proofs.bench.brokers import mosquitto
from store.jobs import Job
from store.pool import transaction
from tests.integration.gateway.conftest import ROOM
from tests.integration.gateway.world import TestCar, now, until
from workers import doubling


def a_clone_of(world: Any, car: TestCar) -> TestCar:
    """The same VIN and secret; its own counters, as a device that was cloned when it was new."""
    clone = TestCar(car.vin, car.secret, car.port, car.id)
    world.cars.append(clone)
    return clone


async def _speak_in_turn(world: Any, car: TestCar, clone: TestCar) -> str:
    """Both say something whenever they hold the session, until it is told that they are two."""
    for one in (car, clone):
        one.client.reconnect_delay_set(1, 1)
    moments = (now() - timedelta(minutes=20) + timedelta(seconds=3 * n) for n in itertools.count())
    for _ in range(30):
        car.say(car.body(ts=next(moments)))
    await until(lambda: car.acked and car.acked[-1]["upto"] == 30)
    await clone.connect()

    async def told() -> str | None:
        for one in (car, clone):
            if one.client.is_connected():
                one.say(one.body(ts=next(moments)))
        await asyncio.sleep(0.2)
        found: str | None = await world.pool.fetchval(
            "SELECT detail FROM tallies WHERE name = 'two_units' AND subject = $1 AND dealer_id = $2",
            car.vin,
            world.dealer,
        )
        return found

    return str(await until(told))


async def _job(world: Any) -> Job:
    row = await world.pool.fetchrow(
        "SELECT id, dealer_id, topic, subject_id, payload, due_at, attempts FROM wakeups WHERE topic = 'two_units'"
    )
    payload = row["payload"]
    return Job(**{**dict(row.items()), "payload": json.loads(payload) if isinstance(payload, str) else payload})


async def test_two_units_are_counted_told_once_and_both_stopped_until_one_is_enrolled_anew(world, pool_as):
    await world.start()
    car = await world.car()
    clone = a_clone_of(world, car)
    assert "two units speak as this car since" in await _speak_in_turn(world, car, clone)
    job = await _job(world)
    assert job.subject_id == car.id and await world.pool.fetchval("SELECT count(*) FROM wakeups") == 1
    beside = await world.pool.fetchval("SELECT frontier -> 'beside' FROM checkpoints WHERE vehicle_id = $1", car.id)
    assert beside
    await world.pool.execute("UPDATE dealers SET two_units = 'stop' WHERE id = $1", world.dealer)
    await world.pool.execute("UPDATE vehicles SET enrolled_at = $2 WHERE id = $1", car.id, now() - timedelta(days=1))
    context: Any = SimpleNamespace(clock=now)
    async with transaction(await pool_as("worker")) as connection:
        await doubling.found(context, connection, job)
    assert await world.pool.fetchval("SELECT revoked_at IS NOT NULL FROM vehicles WHERE id = $1", car.id)
    await until(lambda: not car.client.is_connected() and not clone.client.is_connected())
    await until(lambda: car.refused.is_set() and clone.refused.is_set())
    reasons = await world.pool.fetch("SELECT reason FROM history WHERE noun = 'vehicle' AND new = 'revoked'")
    assert len(reasons) == 1 and "until one is enrolled anew" in reasons[0]["reason"]


async def test_it_is_only_shown_where_the_dealer_did_not_ask_for_more(world, pool_as):
    await world.start()
    car = await world.car()
    await world.pool.execute(
        "INSERT INTO wakeups (dealer_id, topic, subject_id, payload, due_at) VALUES ($1, 'two_units', $2, $3, $4)",
        world.dealer,
        car.id,
        {"since": now().timestamp()},
        now(),
    )
    context: Any = SimpleNamespace(clock=now)
    async with transaction(await pool_as("worker")) as connection:
        await doubling.found(context, connection, await _job(world))
    assert await world.pool.fetchval("SELECT revoked_at IS NULL FROM vehicles WHERE id = $1", car.id)
    assert await world.pool.fetchval("SELECT new FROM history WHERE noun = 'vehicle'") == "two units"


async def test_who_takes_a_session_over_again_and_again_is_refused_and_whoever_holds_it_keeps_it(world):
    await world.start()
    car = await world.car()
    clone = a_clone_of(world, car)
    for one in (car, clone):
        one.client.reconnect_delay_set(0.05, 0.05)
    await clone.connect()
    await until(lambda: car.refused.is_set() or clone.refused.is_set())
    row = await until(
        lambda: world.pool.fetchrow(
            "SELECT name, detail FROM tallies WHERE name LIKE 'refused_connect:%' AND subject = $1", car.vin
        )
    )
    assert row["name"] == "refused_connect:taken_over" and "two units with one identity" in row["detail"]


@pytest.mark.skipif(mosquitto() is None, reason="mosquitto is not installed (Debian: apt install mosquitto)")
async def test_on_mosquitto_as_well(world, mosquittos, home: Path):
    (home / "acl").write_text(
        "user gateway\ntopic readwrite #\npattern write vehicles/+/%u/up/#\npattern read vehicles/+/%u/down/#\n"
    )
    port = await mosquittos("allow_anonymous true", f"acl_file {home}/acl", f"persistence_location {home}/", *ROOM)
    world.options["open_broker"] = True  # nobody's password is asked for
    url = f"mqtt://gateway:-@127.0.0.1:{port}"
    world.broker = SimpleNamespace(mqtt_url=url, auth_url="", auth_seed="", log=None, port=port)
    task = await world.start(mqtt_version=5)
    car = await world.car()
    assert "two units speak as this car since" in await _speak_in_turn(world, car, a_clone_of(world, car))
    assert (await _job(world)).subject_id == car.id
    await world.stop(task)
