"""Who may speak: enrolling and revoking need no restart, and a car speaks for itself alone."""

from __future__ import annotations

import asyncio

from schemas.vehicle import topic
from store import vehicles
from tests.integration.gateway.world import TestCar, now, until


async def test_a_car_enrolled_while_we_run_is_let_in_and_a_wrong_secret_is_not(world):
    await world.start()
    car = await world.car()
    liar = TestCar(car.vin, "0" * 64, world.broker.port, car.id)
    world.cars.append(liar)
    liar.client.connect_async("127.0.0.1", world.broker.port)
    liar.client.loop_start()
    await asyncio.wait_for(liar.refused.wait(), 10)


async def test_a_revoked_car_is_cut_off_within_seconds_and_cannot_come_back(world):
    await world.start()
    car, other = await world.car(), await world.car()
    async with world.pool.acquire() as connection, connection.transaction():
        await vehicles.revoke(connection, car.vin, now())
    await asyncio.wait_for(car.gone.wait(), 5)
    await asyncio.wait_for(car.refused.wait(), 10)
    other.say()
    await until(lambda: other.acked)


async def test_a_car_can_neither_speak_for_another_nor_listen_to_it_and_we_count_the_attempts(world):
    await world.start()
    liar, victim = await world.car(), await world.car()
    for _ in range(3):
        liar.client.publish(topic(victim.vin, "up/telemetry"), victim.body(), qos=1)
    heard: list[str] = []
    liar.client.on_message = lambda c, d, m: heard.append(m.topic)
    liar.client.subscribe(topic(victim.vin, "down/acks"), 0)
    victim.seq = 0
    victim.say()
    await until(lambda: victim.acked)

    async def counted() -> bool:
        times = await world.pool.fetchval("SELECT times FROM tallies WHERE name = 'denied_publish' AND subject = $1", liar.vin)
        return times == 3

    await until(counted)
    assert await world.count(victim) == 1
    assert not [name for name in heard if victim.vin in name]
