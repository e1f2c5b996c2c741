"""The car's side of the contract on the real broker: spool, application acks, asks, reconnects, hints."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.ops.auth_callout import AuthCallout
from schemas.credentials import secret_hash
from schemas.vehicle import topic
from simulator.connection import Connection
from simulator.spool import Spool, SpoolFile
from simulator.telematics import Sender
from telltale.embedded.broker import EmbeddedBroker
from tests.patience import PATIENCE_S

VIN = "WTTPH0000NM000017"


async def until(check: Callable[[], Any], within_s: float = PATIENCE_S) -> None:
    async with asyncio.timeout(within_s):
        while not check():
            await asyncio.sleep(0.02)


@dataclass
class Ear:
    """The dealer's side, by hand: hears everything, acknowledges when told to."""

    connection: Connection
    telemetry: list[dict[str, Any]] = field(default_factory=list)
    status: list[dict[str, Any]] = field(default_factory=list)

    def heard(self, where: str, payload: bytes) -> None:
        (self.status if where.endswith("status") else self.telemetry).append(json.loads(payload))

    def acknowledge(self, boot: int, upto: int) -> None:
        self.connection.publish(topic(VIN, "down/acks"), json.dumps({"boot": boot, "upto": upto}).encode(), 0)

    def ask(self, boot: int, first: int, last: int) -> None:
        self.connection.publish(
            topic(VIN, "down/asks"), json.dumps({"boot": boot, "from": first, "to": last}).encode(), 0
        )

    @property
    def numbers(self) -> list[tuple[int, int]]:
        return [(m["boot"], m["seq"]) for m in self.telemetry]


@contextlib.asynccontextmanager
async def listening(broker: EmbeddedBroker, name: str) -> AsyncIterator[Ear]:
    where = urlsplit(broker.mqtt_url)
    heard: list[Ear] = []
    connection = Connection(
        "127.0.0.1",
        broker.port,
        client_id=name,
        user=where.username,
        password=where.password,
        subscribe=(topic(VIN, "up/+"),),
        on_message=lambda t, p: heard[0].heard(t, p),
    )
    ear = Ear(connection)
    heard.append(ear)
    task = asyncio.create_task(connection.run())
    await until(lambda: connection.up)
    await asyncio.sleep(0.1)  # the subscription
    yield ear
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def sending(broker: EmbeddedBroker, spool: Spool, **options: Any) -> AsyncIterator[Sender]:
    """A sender whose car may sign in."""
    keeper = AuthCallout(broker.auth_url, broker.auth_seed, {VIN: secret_hash("secret")})
    await keeper.start()
    sender = Sender(VIN, "secret", "127.0.0.1", broker.port, spool, **options)
    task = asyncio.create_task(sender.run())
    yield sender
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await keeper.stop()


@pytest.fixture
def file(tmp_path: Path):
    opened = SpoolFile(tmp_path / "spool.sqlite3")
    yield opened
    opened.close()


def _fill(spool: Spool, count: int) -> None:
    for _ in range(count):
        spool.put("up/telemetry", '{"ts":"2026-11-23T08:00:00Z","signals":{"Vehicle.Speed":50.0}}')
    spool.commit()


async def test_messages_arrive_in_order_and_leave_the_spool_only_when_acknowledged(
    broker: EmbeddedBroker, file: SpoolFile
) -> None:
    spool = Spool(file, VIN)
    _fill(spool, 100)
    async with listening(broker, "ear-1") as ear, sending(broker, spool, current=lambda: {"Vehicle.Speed": 50.0}):
        await until(lambda: len(ear.telemetry) == 100)
        assert ear.numbers == [(1, n) for n in range(1, 101)]
        assert ear.status == [{"state": "online", "signals": {"Vehicle.Speed": 50.0}}]
        assert len(spool) == 100  # the broker has them all; that alone lets the car forget nothing
        ear.acknowledge(1, 60)
        await until(lambda: len(spool) == 40)
        assert spool.oldest(1) == 61


async def test_what_was_not_acknowledged_comes_again_after_a_restart_before_the_new(
    broker: EmbeddedBroker, file: SpoolFile
) -> None:
    spool = Spool(file, VIN)
    _fill(spool, 10)
    spool.acknowledge(1, 4)
    again = Spool(file, VIN)
    _fill(again, 3)
    async with listening(broker, "ear-2") as ear, sending(broker, again):
        await until(lambda: len(ear.telemetry) == 9)
        assert ear.numbers == [(1, n) for n in range(5, 11)] + [(2, n) for n in range(1, 4)]
        assert {m["oldest"] for m in ear.telemetry if m["boot"] == 1} == {5}


async def test_an_ask_is_answered_at_once_from_the_spool(broker: EmbeddedBroker, file: SpoolFile) -> None:
    spool = Spool(file, VIN)
    _fill(spool, 20)
    async with listening(broker, "ear-3") as ear, sending(broker, spool):
        await until(lambda: len(ear.telemetry) == 20)
        ear.ask(1, 5, 7)
        await until(lambda: len(ear.telemetry) == 23)
        assert ear.numbers[20:] == [(1, 5), (1, 6), (1, 7)]


async def test_nonsense_from_above_is_ignored(broker: EmbeddedBroker, file: SpoolFile) -> None:
    spool = Spool(file, VIN)
    _fill(spool, 2)
    async with listening(broker, "ear-4") as ear, sending(broker, spool):
        await until(lambda: len(ear.telemetry) == 2)
        for payload in (b"not json", b'{"boot":1}', b'{"boot":-1,"upto":5}', b"[]"):
            ear.connection.publish(topic(VIN, "down/acks"), payload, 0)
        ear.acknowledge(1, 2)
        await until(lambda: len(spool) == 0)


@pytest.mark.slow
async def test_after_the_broker_lost_everything_the_car_says_it_all_again(home: Path, file: SpoolFile) -> None:
    spool = Spool(file, VIN)
    _fill(spool, 30)
    async with EmbeddedBroker(home / "broker") as broker:
        async with sending(broker, spool, current=lambda: {"Vehicle.Speed": 1.0}) as sender:
            await until(lambda: sender.sent >= 30 and sender.connection.in_flight == 0)
            broker.kill()
            broker.wipe()
            _fill(spool, 5)
            await broker.start()
            async with listening(broker, "ear-5") as ear:
                await until(lambda: len({*ear.numbers}) == 35)
                assert {*ear.numbers} == {(1, n) for n in range(1, 36)}
                ear.acknowledge(1, 35)
                await until(lambda: len(spool) == 0)
        assert sender.connection.connects >= 2


async def test_a_killed_car_leaves_its_will(broker: EmbeddedBroker, file: SpoolFile) -> None:
    spool = Spool(file, VIN)
    async with listening(broker, "ear-6") as ear:
        async with sending(broker, spool) as sender:
            await until(lambda: bool(ear.status))
            assert sender.connection._client is not None
            sender.connection._client._sock_close()  # the line is cut
            await until(lambda: {"state": "offline"} in ear.status)


async def test_many_cars_come_back_spread_over_time(home: Path) -> None:
    """After a broker's restart at most a tenth of a fleet may return in one second; here 40 cars over four seconds."""
    async with EmbeddedBroker(home / "broker") as broker:
        where = urlsplit(broker.mqtt_url)
        loop = asyncio.get_running_loop()
        came: list[float] = []
        cars = [
            Connection(
                "127.0.0.1",
                broker.port,
                client_id=f"car-{n}",
                user=where.username,
                password=where.password,
                spread_s=4.0,
                on_up=lambda: came.append(loop.time()),
            )
            for n in range(40)
        ]
        tasks = [asyncio.create_task(car.run()) for car in cars]
        await until(lambda: len(came) == 40)
        came.clear()
        broker.kill()
        await broker.start()
        await until(lambda: len(came) >= 40, 60.0)
        assert all(car.up for car in cars)
        assert max(came) - min(came) > 1.0
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
