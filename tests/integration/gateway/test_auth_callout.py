"""Who may speak: enrolling and revoking need no restart, a car speaks for itself alone, and what one car may cost is
bounded.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gateway.ops.sign_ins import SESSIONS, WRONG_BURST
from proofs import wire
from schemas.vehicle import topic
from store import vehicles
from tests.integration.gateway.world import TestCar, World, now, until
from tests.patience import PATIENCE_S


async def knock(port: int, client_id: str, user: str, secret: str) -> int | None:
    """One sign-in on a connection of its own: the broker's answer, or None when it gave none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(wire.connect(client_id, user, secret))
        return (await reader.readexactly(4))[3]
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return None
    finally:
        writer.close()


async def known(world: Any, car: TestCar) -> None:
    """Until the gateway has heard of it."""
    while await knock(world.broker.port, car.vin, car.vin, car.secret) != 0:
        await asyncio.sleep(0.05)


async def counted(world: Any, name: str, subject: str) -> int:
    return await world.pool.fetchval(
        "SELECT coalesce(sum(times), 0)::int FROM tallies WHERE name LIKE $1 AND subject = $2", name, subject
    )


async def test_a_car_enrolled_while_we_run_is_let_in_and_a_wrong_secret_is_not(world: World):
    await world.start()
    car = await world.car()
    liar = TestCar(car.vin, "0" * 64, world.broker.port, car.id)
    world.cars.append(liar)
    liar.client.connect_async("127.0.0.1", world.broker.port)
    liar.client.loop_start()
    await asyncio.wait_for(liar.refused.wait(), PATIENCE_S)


async def test_a_revoked_car_is_cut_off_within_seconds_and_cannot_come_back(world: World):
    await world.start()
    car, other = await world.car(), await world.car()
    async with world.pool.acquire() as connection, connection.transaction():
        await vehicles.revoke(connection, car.vin, now())
    await asyncio.wait_for(car.gone.wait(), PATIENCE_S)
    await asyncio.wait_for(car.refused.wait(), PATIENCE_S)
    other.say()
    await until(lambda: other.acked)


async def test_a_car_can_neither_speak_for_another_nor_listen_to_it_and_we_count_the_attempts(world: World):
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
        times = await world.pool.fetchval(
            "SELECT times FROM tallies WHERE name = 'denied_publish' AND subject = $1", liar.vin
        )
        return times == 3

    await until(counted)
    assert await world.count(victim) == 1
    assert not [name for name in heard if victim.vin in name]


async def test_the_gateways_own_account_commands_no_car(world: World):
    await world.start()
    car = await world.car()
    heard: list[str] = []
    car.client.on_message = lambda c, d, m: heard.append(m.topic.rpartition("/")[2])
    where = urlsplit(world.broker.mqtt_url)
    thief = paho.Client(CallbackAPIVersion.VERSION2, client_id="thief")
    thief.username_pw_set(where.username, where.password)
    thief.connect("127.0.0.1", world.broker.port)
    thief.loop_start()
    for way in ("down/command", "up/telemetry", "down/acks"):  # the last one may pass: then the others would have come
        thief.publish(topic(car.vin, way), b'{"boot": 1, "upto": 0, "unlock": true}', qos=1).wait_for_publish(5)
    await until(lambda: heard)
    thief.disconnect()
    thief.loop_stop()
    assert heard == ["acks"]
    assert await world.count(car) == 0


@pytest.mark.parametrize("way", ["up/other", "up/telemetry/deeper", "up"])
async def test_a_car_may_publish_what_the_contract_names_and_nothing_that_the_broker_would_keep(world: World, way):
    await world.start()
    car = await world.car()
    car.say(b"x", way=way, retain=True)
    await until(lambda: counted(world, "denied_publish", car.vin))
    car.say()
    await until(lambda: car.acked)


async def test_a_will_on_another_cars_topic_is_not_delivered_and_counted(world: World):
    await world.start()
    liar, victim = await world.car(connect=False), await world.car()
    liar.client.will_set(topic(victim.vin, "up/telemetry"), victim.body(7), qos=1)
    await liar.connect()
    liar.client.socket().close()  # gone without good-bye
    await until(lambda: counted(world, "denied_publish", liar.vin))
    victim.say(victim.body(1))
    await until(lambda: victim.acked)
    assert await world.count(victim) == 1


async def test_a_message_larger_than_the_broker_takes_ends_its_connection_and_is_counted(world: World):
    await world.start()
    car, other = await world.car(), await world.car()
    car.say(car.body(1, padding="x" * 100_000))  # over the contract's limit: the gateway says why

    async def refused() -> bool:
        return await world.rejections(car) == ["too_large"]

    await until(refused)
    car.say(car.body(2, padding="x" * 200_000), qos=0)
    await until(lambda: car.gone.is_set())
    await until(lambda: counted(world, "denied_size", car.vin))
    other.say()
    await until(lambda: other.acked)


async def test_a_car_has_ten_sessions_and_no_more_and_what_is_refused_is_counted(world: World):
    await world.start()
    car = await world.car(connect=False)
    port = world.broker.port
    await known(world, car)
    ids = [car.vin, *(f"{car.vin}-{n}" for n in range(30)), f"{car.vin}x", "car", "gateway-03", "#"]
    answers = [await knock(port, client_id, car.vin, car.secret) for client_id in ids]
    assert [client_id for client_id, answer in zip(ids, answers, strict=True) if answer == 0] == [
        car.vin,
        *(f"{car.vin}-{n}" for n in range(1, 10)),
    ]

    async def all_of_them() -> bool:
        return await counted(world, "refused_connect:client_id", car.vin) == len(ids) - SESSIONS

    await until(all_of_them)


async def test_a_storm_of_wrong_sign_ins_is_counted_and_holds_up_no_car_of_the_same_address(world: World):
    await world.start()
    car = await world.car(connect=False)
    await known(world, car)
    port = world.broker.port
    wrong = [asyncio.create_task(knock(port, car.vin, car.vin, "0" * 64)) for _ in range(150)]
    unknown = [asyncio.create_task(knock(port, f"TST{n:014d}", f"TST{n:014d}", "0" * 64)) for n in range(50)]
    await car.connect()  # in the middle of it
    car.say()
    await until(lambda: car.acked)
    answers = await asyncio.gather(*wrong, *unknown)
    assert 0 not in answers

    async def all_of_them() -> bool:
        return (
            await counted(world, "refused_connect:%", car.vin) == 150
            and await counted(world, "refused_connect:%", "unknown cars") >= 50
        )

    await until(all_of_them)
    waited = await world.pool.fetchval("SELECT sum(times)::int FROM tallies WHERE name = 'refused_connect:unanswered'")
    assert waited >= 200 - 2 * WRONG_BURST  # the broker gave up on these by itself


async def test_a_car_that_signs_in_again_and_again_is_slowed_down(world: World):
    await world.start()
    car = await world.car(connect=False)
    await known(world, car)
    answers = [await knock(world.broker.port, f"{car.vin}-{n % 9 + 1}", car.vin, car.secret) for n in range(60)]
    assert answers[:20] == [0] * 20 and 5 in answers
    await until(lambda: counted(world, "refused_connect:too_often", car.vin))
