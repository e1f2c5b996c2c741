"""A gateway in this process on the session's broker and a fresh database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from proofs.bench.brokers import mosquitto
from rules.catalogue import RULES
from rules.engine.judge import Judge
from telltale import data
from telltale.embedded.process import die_with_parent, free_port
from tests.conftest import Database
from tests.integration.gateway.world import World, now
from tests.standing import PoolAs


@pytest.fixture(scope="session")
def judge() -> Judge:
    return Judge(RULES, data.profiles())


@pytest.fixture
async def world(database: Database, broker, pool_as: PoolAs, judge) -> AsyncIterator[World]:
    pool = await pool_as("admin")
    dealer = await pool.fetchval(
        "INSERT INTO dealers (name, zone, country, phone, address, opening_hours, language, created_at) "
        "VALUES ('Test', 'Europe/Berlin', 'DE', '+49301234567', 'Street 1', 'Mo-Fr 08:00-18:00', 'en', $1) "
        "RETURNING id",
        now(),
    )
    made = World(database, broker, pool, dealer, judge)
    yield made
    for car in made.cars:
        car.close()
    for task in made.gateways:
        await made.stop(task)


@pytest.fixture
async def mosquittos(home: Path) -> AsyncIterator[Callable[..., Awaitable[int]]]:
    """Start mosquitto with these lines of configuration; its port."""
    running: list[asyncio.subprocess.Process] = []

    async def start(*lines: str) -> int:
        port = free_port()
        config = home / f"mosquitto-{port}.conf"
        config.write_text("\n".join([f"listener {port} 127.0.0.1", "user root", *lines, ""]))
        running.append(
            await asyncio.create_subprocess_exec(
                mosquitto() or "",
                "-c",
                str(config),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                preexec_fn=die_with_parent(),
            )
        )
        for _ in range(200):
            try:
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
                return port
            except OSError:
                await asyncio.sleep(0.02)
        raise AssertionError("mosquitto did not start")

    yield start
    for process in running:
        process.terminate()
        await process.wait()


ROOM = (
    "persistence true",
    "max_inflight_messages 4000",
    "max_queued_messages 0",
    "max_queued_bytes 0",
)  # as gateway.mqtt.mosquitto.keeping


@pytest.fixture(params=["embedded", "mosquitto", "mosquitto by MQTT 5"])
async def any_broker(
    request: pytest.FixtureRequest, world: World, mosquittos: Callable[..., Awaitable[int]], home: Path
) -> AsyncIterator[World]:
    """The world on each of the two brokers in turn, on mosquitto with both versions of the protocol."""
    if request.param != "embedded":
        if mosquitto() is None:
            pytest.skip("mosquitto is not installed on this machine (Debian: apt install mosquitto)")
        port = await mosquittos("allow_anonymous true", f"persistence_location {home}/", *ROOM)
        world.broker = SimpleNamespace(
            mqtt_url=f"mqtt://gateway:-@127.0.0.1:{port}", auth_url="", auth_seed="", log=None, port=port
        )
        world.options |= {"open_broker": True, "mqtt_version": 5 if request.param.endswith("5") else 4}
    yield world
    for task in world.gateways:
        await world.stop(task)
