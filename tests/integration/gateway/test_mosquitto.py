"""The same gateway on a real mosquitto, with MQTT 5: negative acknowledgements, sessions that expire, one subscription."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from proofs.bench.brokers import mosquitto
from schemas.vehicle import topic
from telltale.embedded.process import die_with_parent, free_port
from tests.integration.gateway.world import until

pytestmark = pytest.mark.skipif(mosquitto() is None, reason="mosquitto is not installed on this machine (Debian: apt install mosquitto)")


@pytest.fixture
async def on_mosquitto(world, home: Path):
    """The world with mosquitto as its broker, cars bound to their topics by an ACL."""
    port = free_port()
    (home / "acl").write_text("user gateway\ntopic readwrite #\npattern write vehicles/+/%u/up/#\npattern read vehicles/+/%u/down/#\n")
    (home / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nuser root\nallow_anonymous true\nacl_file {home}/acl\nmax_inflight_messages 4000\n"
        f"max_queued_messages 0\nmax_queued_bytes 0\npersistence true\npersistence_location {home}/\n"
    )
    process = await asyncio.create_subprocess_exec(
        mosquitto() or "", "-c", str(home / "mosquitto.conf"), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        preexec_fn=die_with_parent(),
    )  # fmt: skip
    world.broker = SimpleNamespace(mqtt_url=f"mqtt://gateway:-@127.0.0.1:{port}", auth_url="", auth_seed="", log=None, port=port)
    yield world
    for task in world.gateways:
        await world.stop(task)
    process.terminate()
    await process.wait()


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
