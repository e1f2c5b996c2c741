"""The whole gateway on mosquitto by TLS: a private authority, a certificate for each, and a broker that stalls in the
handshake.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.mqtt.address import Tls
from monitoring.page import Address
from proofs.bench.brokers import mosquitto
from telltale.embedded.process import free_port
from tests.authority import Authority
from tests.integration.gateway.conftest import ROOM
from tests.integration.gateway.test_dialling import listening
from tests.integration.gateway.test_watchdog import answer
from tests.integration.gateway.world import World, until

needs_mosquitto = pytest.mark.skipif(
    mosquitto() is None, reason="mosquitto is not installed on this machine (Debian: apt install mosquitto)"
)
ACCESS = """user gateway
topic read vehicles/+/+/up/+
topic write vehicles/+/+/down/acks
topic write vehicles/+/+/down/asks
topic write vehicles/+/+/down/alerts
topic write vehicles/+/gateway/up/pulse
topic readwrite vehicles/check/+/up/x
pattern write vehicles/+/%u/up/+
pattern read vehicles/+/%u/down/+
"""  # what docs/reference/mqtt.md says


@needs_mosquitto
@pytest.mark.parametrize("version", [4, 5])
async def test_with_a_private_authority_and_certificates_a_car_is_heard_on_a_closed_broker(
    world: World, mosquittos, home: Path, version: int
):
    authority = Authority(home / "tls")
    certificate, key = authority.issue("server", common_name="localhost")
    (home / "access").write_text(ACCESS)
    port = await mosquittos(
        f"cafile {authority.trusted}",
        f"certfile {certificate}",
        f"keyfile {key}",
        "require_certificate true",
        "use_identity_as_username true",
        "allow_anonymous false",
        f"acl_file {home}/access",
        f"persistence_location {home}/",
        *ROOM,
    )
    world.broker = SimpleNamespace(mqtt_url=f"mqtts://127.0.0.1:{port}", auth_url="", auth_seed="", log=None, port=port)
    await world.start(
        mqtt_version=version, mqtt_tls=Tls(authority.trusted, *authority.issue("gateway", common_name="gateway"))
    )
    car = await world.car(connect=False)
    car.client.tls_set_context(Tls(authority.trusted, *authority.issue("car", common_name=car.vin)).context())
    await car.connect()
    for _ in range(2_000):  # many records of TLS
        car.say()
    await until(lambda: car.acked and car.acked[-1]["upto"] == 2_000)
    assert await world.count(car) == 2_000


@pytest.mark.parametrize("tried_out", [True, False])
async def test_a_broker_that_stalls_in_the_handshake_does_not_stop_the_health_page(
    world: World, tmp_path: Path, tried_out: bool
):
    health = Address(port=free_port())
    async with listening() as (host, port):
        options = {
            "mqtt_url": f"mqtts://gateway:-@{host}:{port}",
            "mqtt_tls": Tls(Authority(tmp_path).trusted),
            "try_out_broker": tried_out,
        }
        starting = asyncio.create_task(world.start(health=health, auth_url="", auth_seed="", **options))

        async def there() -> bool:
            try:
                return (await answer(f"http://127.0.0.1:{health.port}/health/live"))[0] == 200
            except OSError:
                return False

        await until(there)
        for _ in range(30):
            status, result = await answer(f"http://127.0.0.1:{health.port}/health/ready")
            assert status == 503 and "starting" in result["faults"]
            await asyncio.sleep(0.1)
        for task in world.gateways:
            task.cancel()
        await asyncio.gather(starting, return_exceptions=True)


@pytest.mark.parametrize("dead", ["refuses", "stalls"])
async def test_of_several_hosts_a_dead_one_keeps_no_session_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch, dead: str
):
    monkeypatch.setattr("random.sample", lambda hosts, _: list(hosts))  # not by lot: the dead one comes first
    async with listening() as stalling:
        wrong = free_port() if dead == "refuses" else stalling[1]
        several = world.broker.mqtt_url.replace("@127.0.0.1:", f"@127.0.0.1:{wrong},127.0.0.1:")
        auth = world.broker.auth_url.replace("@127.0.0.1:", f"@127.0.0.1:{free_port()},127.0.0.1:")
        if dead == "stalls":  # it takes the connection, and then our CONNECT without a word
            monkeypatch.setattr("gateway.mqtt.watchdog.PULSE_EVERY_S", 0.2)
            monkeypatch.setattr("gateway.mqtt.watchdog.SILENCE_S", 0.5)
        task = await world.start(mqtt_url=several, auth_url=auth)
        assert (await answer(f"{task.facts['health']}/health/ready"))[0] == 200
        car = await world.car()
        car.say()
        await until(lambda: car.acked)
