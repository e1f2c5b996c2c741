"""The embedded broker by TLS: what is said to it can be read by nobody on the way, and without TLS it stays on this
machine.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.mqtt.address import BrokerAddress, Tls
from gateway.ops import self_check
from gateway.ops.auth_callout import AuthCallout
from schemas.credentials import secret_hash
from schemas.errors import Misconfigured
from simulator.connection import Connection
from telltale import certificates
from telltale.embedded.broker import EmbeddedBroker
from telltale.embedded.broker_health import BrokerHealth
from telltale.embedded.broker_tls import BrokerTls
from telltale.embedded.process import die_with_parent, free_port
from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[3]
VIN, SECRET = "WVWZZZ1KZAW000123", "s" * 64


@pytest.fixture
def tls(tmp_path: Path) -> Path:
    now = datetime.now(UTC)
    certificates.authority(tmp_path, now)
    certificates.server(tmp_path, ["127.0.0.1"], now)
    certificates.client(tmp_path, VIN, now)
    return tmp_path


async def accepted(broker: EmbeddedBroker, context: ssl.SSLContext | None) -> str:
    """ "" when the car is let in, else why not."""
    car = Connection("127.0.0.1", broker.port, client_id=VIN, user=VIN, password=SECRET, tls=context)
    running = asyncio.create_task(car.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not car.up and not car.refused:
                await asyncio.sleep(0.02)
        return car.refused
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("asked", [False, True])
async def test_cars_gateways_and_their_doorkeeper_come_by_tls_alone(home: Path, tls: Path, asked: bool) -> None:
    secured = BrokerTls(tls / "server.crt", tls / "server.key", tls / "ca.crt" if asked else None)
    ours = Tls(tls / "ca.crt", tls / f"{VIN}.crt" if asked else None, tls / f"{VIN}.key" if asked else None)
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(EmbeddedBroker(home / "broker", tls=secured))
        assert broker.mqtt_url.startswith("mqtts://") and broker.auth_url.startswith("tls://")
        keeper = AuthCallout(broker.auth_url, broker.auth_seed, {VIN: secret_hash(SECRET)}, ours)
        await keeper.start()
        stack.push_async_callback(keeper.stop)
        await self_check.check_broker(BrokerAddress.from_url(broker.mqtt_url, tls=ours), keeper)
        assert await accepted(broker, ours.context()) == ""
        assert await accepted(broker, None)
        assert await accepted(broker, ssl.create_default_context())
        assert bool(await accepted(broker, ours.without_certificate().context())) is asked
        health = BrokerHealth(broker)
        assert (await health.state()).faults == []
        await health.close()


@pytest.mark.parametrize("broken", ["missing", "not of this key", "no certificate"])
async def test_files_that_are_no_certificate_are_named_at_the_start(home: Path, tls: Path, broken: str) -> None:
    if broken == "missing":
        (tls / "server.key").unlink()
    elif broken == "not of this key":
        (tls / "server.key").write_bytes((tls / "ca.key").read_bytes())
    else:
        (tls / "server.crt").write_text("nonsense")
    with pytest.raises(Misconfigured, match=r"server\.crt"):
        await EmbeddedBroker(home / "broker", tls=BrokerTls(tls / "server.crt", tls / "server.key")).start()


def environment(home: Path, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "TELLTALE_HOME": str(home),
        "TELLTALE_SECRET": "s",
        "TELLTALE_HEALTH_PORT": "0",
        "PYTHONPATH": str(ROOT),
        **more,
    }


@pytest.mark.parametrize(
    "more, named",
    [
        ({}, "--without-tls"),
        ({"TELLTALE_BROKER_CERT": "/x"}, "TELLTALE_BROKER_KEY"),
        ({"TELLTALE_BROKER_CERT": "/x", "TELLTALE_BROKER_KEY": "/y"}, "/x"),
    ],
)
def test_beyond_this_machine_it_listens_by_tls_or_not_at_all(home: Path, more: dict[str, str], named: str) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-m",
            "telltale",
            "broker",
            "--host",
            "0.0.0.0",
            "--port",
            str(free_port()),
            "--auth-port",
            str(free_port()),
        ],
        env=environment(home, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert named in done.stderr and len(done.stderr.strip().splitlines()) == 1


async def serial(port: int, trusted: Path) -> Any:
    """Of the certificate that is shown there; None while nobody listens."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=ssl.create_default_context(cafile=trusted))
    except OSError:
        return None
    try:
        return writer.get_extra_info("peercert")["serialNumber"]
    finally:
        writer.transport.abort()


async def test_a_renewed_certificate_is_shown_without_a_hand(home: Path, tls: Path) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "telltale",
        "broker",
        "--port",
        str(port),
        "--auth-port",
        str(free_port()),
        preexec_fn=die_with_parent(),
        env=environment(
            home, TELLTALE_BROKER_CERT=str(tls / "server.crt"), TELLTALE_BROKER_KEY=str(tls / "server.key")
        ),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            while (first := await serial(port, tls / "ca.crt")) is None:
                await asyncio.sleep(0.05)
            certificates.server(tls, ["localhost", "127.0.0.1"], datetime.now(UTC))
            while await serial(port, tls / "ca.crt") in (first, None):
                await asyncio.sleep(0.05)
    finally:
        process.terminate()
        await process.wait()
