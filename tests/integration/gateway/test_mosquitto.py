"""The same gateway on a real mosquitto, with MQTT 5: negative acknowledgements, sessions that expire, one
subscription.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from proofs.bench.brokers import mosquitto
from schemas.vehicle import topic
from store import vehicles
from telltale.embedded.process import free_port
from tests.integration.gateway.conftest import ROOM
from tests.integration.gateway.world import World, now, until

pytestmark = pytest.mark.skipif(
    mosquitto() is None, reason="mosquitto is not installed on this machine (Debian: apt install mosquitto)"
)


@pytest.fixture
async def on_mosquitto(world: World, mosquittos, home: Path):
    """The world with mosquitto as its broker, cars bound to their topics by an ACL."""
    (home / "acl").write_text(
        "user gateway\ntopic readwrite #\npattern write vehicles/+/%u/up/#\npattern read vehicles/+/%u/down/#\n"
    )
    port = await mosquittos("allow_anonymous true", f"acl_file {home}/acl", f"persistence_location {home}/", *ROOM)
    world.options["open_broker"] = True  # nobody's password is asked for
    world.broker = SimpleNamespace(
        mqtt_url=f"mqtt://gateway:-@127.0.0.1:{port}", auth_url="", auth_seed="", log=None, port=port
    )
    yield world
    for task in world.gateways:
        await world.stop(task)


async def test_stored_once_acknowledged_after_commit_and_denied_with_a_reason(on_mosquitto):
    world = on_mosquitto
    await world.start(mqtt_version=5)
    car, other = await world.car(), await world.car(connect=False)
    for _ in range(50):
        car.say()
    await until(lambda: car.acked and car.acked[-1]["upto"] == 50)
    assert await world.count(car) == 50

    reasons: list[Any] = []
    liar = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"{car.vin}-5", protocol=paho.MQTTv5)
    liar.username_pw_set(car.vin, car.secret)
    liar.on_publish = lambda _c, _d, _mid, reason, _p: reasons.append(str(reason))
    liar.connect("127.0.0.1", world.broker.port)
    liar.loop_start()
    liar.publish(topic(other.vin, "up/telemetry"), other.body(), qos=1)
    await until(lambda: reasons)
    liar.publish(topic(car.vin, "up/telemetry"), car.body(51), qos=1)
    await until(lambda: len(reasons) == 2)
    liar.disconnect()
    liar.loop_stop()
    assert reasons == ["Not authorized", "Success"]
    await until(lambda: car.acked[-1]["upto"] == 51)
    assert await world.count(other) == 0


async def test_a_session_goes_on_after_a_restart_of_the_gateway(on_mosquitto):
    world = on_mosquitto
    first = await world.start(mqtt_version=5)
    car = await world.car()
    car.say()
    await until(lambda: car.acked)
    await world.stop(first)
    for _ in range(30):
        car.say().wait_for_publish(5)
    await world.start(mqtt_version=5)
    await until(lambda: car.acked[-1]["upto"] == 31)
    assert await world.count(car) == 31


async def test_a_revoked_car_is_not_believed_though_the_broker_lets_it_in_and_is_again_when_it_is_enrolled_again(
    on_mosquitto,
):
    world = on_mosquitto
    await world.start(mqtt_version=5)
    car, other = await world.car(), await world.car()
    car.say()
    await until(lambda: car.acked and car.acked[-1]["upto"] == 1)
    async with world.pool.acquire() as connection, connection.transaction():
        await vehicles.revoke(connection, car.vin, now())

    async def refused() -> bool:
        car.say(car.body(2))
        return "revoked" in await world.rejections(car)

    await until(refused)
    before = await world.count(car)
    for _ in range(28):
        car.say(car.body())
    for n in (
        1,
        2,
    ):  # a car hears at most one ack a second: with the second one, one for the other car would have been said
        other.say()
        await until(lambda n=n: other.acked and other.acked[-1]["upto"] == n)
    assert await world.count(car) == before <= 2 and car.acked[-1]["upto"] <= 2
    async with world.pool.acquire() as connection, connection.transaction():
        await vehicles.enrol(connection, car.vin, car.secret, now())

    async def believed() -> bool:
        for seq in range(1, 31):  # it had no ack: it kept them all
            car.say(car.body(seq))
        return await world.count(car) == 30

    await until(believed)
    await until(lambda: car.acked[-1]["upto"] == 30)


async def test_a_car_that_was_removed_is_not_believed_any_more(on_mosquitto):
    world = on_mosquitto
    await world.start(mqtt_version=5)
    car = await world.car()
    car.say()
    await until(lambda: car.acked)
    await world.pool.execute("DELETE FROM latest WHERE vehicle_id = $1", car.id)
    await world.pool.execute("DELETE FROM vehicles WHERE id = $1", car.id)

    async def unknown() -> bool:
        car.say()
        return (
            await world.pool.fetchval(
                "SELECT count(*) FROM quarantine WHERE vin = $1 AND reason = 'unknown_vehicle'", car.vin
            )
            > 0
        )

    await until(unknown)


async def test_the_documented_limits_hold_and_the_gateway_lives_with_them(world: World, mosquittos, home: Path):
    """docs/reference/mqtt.md, *A broker of your own*: cars on a listener of theirs, one session each, no large
    messages, nothing retained.
    """
    cars = free_port()
    (home / "acl").write_text(
        "user gateway\ntopic read vehicles/+/+/up/+\n"
        + "".join(f"topic write vehicles/+/+/down/{way}\n" for way in ("acks", "asks", "alerts"))
        + "topic readwrite vehicles/+/gateway/up/pulse\ntopic readwrite vehicles/check/+/up/x\n"
        + "pattern write vehicles/+/%u/up/+\npattern read vehicles/+/%u/down/#\n"
    )
    port = await mosquittos(
        "allow_anonymous true",
        f"acl_file {home}/acl",
        f"persistence_location {home}/",
        *ROOM,
        "message_size_limit 131072",
        "retain_available false",
        f"listener {cars} 127.0.0.1",
        "use_username_as_clientid true",
        "max_connections 3",
    )
    world.options["open_broker"] = True
    world.broker = SimpleNamespace(
        mqtt_url=f"mqtt://gateway:-@127.0.0.1:{port}", auth_url="", auth_seed="", log=None, port=cars
    )
    await world.start(mqtt_version=5)
    car, other = await world.car(), await world.car()
    car.say()
    await until(lambda: car.acked and car.acked[-1]["upto"] == 1)
    car.say(car.body(2, padding="x" * 200_000)).wait_for_publish(5)
    car.say(car.body(3, padding="x" * 100_000))

    async def refused() -> bool:
        return await world.rejections(car) == ["too_large"]  # the larger one came to nobody

    await until(refused)
    again = paho.Client(CallbackAPIVersion.VERSION2, client_id="another")
    again.username_pw_set(other.vin, other.secret)
    again.connect("127.0.0.1", cars)
    again.loop_start()
    await until(other.gone.is_set)  # the same user is the same session
    again.disconnect()
    again.loop_stop()
