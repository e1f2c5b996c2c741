"""The simulator as a service: cars drive by the business clock, the workshop mends them, a restart goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.ops.auth_callout import AuthCallout
from schemas.credentials import secret_hash
from schemas.telemetry import Diagnostics, Telemetry
from schemas.vehicle import topic
from simulator import running
from simulator.connection import Connection
from simulator.fleet import Member
from simulator.scenario import scenario_of
from telltale.data import profiles, scenarios
from telltale.embedded.broker import EmbeddedBroker
from tests.patience import PATIENCE_S

SPEED = 1_200.0
FRONT_LEFT = "Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure"


async def until(check: Callable[[], Any], within_s: float = PATIENCE_S) -> None:
    async with asyncio.timeout(within_s):
        while not check():
            await asyncio.sleep(0.02)


def _clock(anchor: datetime) -> Callable[[], datetime]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    return lambda: anchor + timedelta(seconds=(loop.time() - began) * SPEED)


def _member(vin: str, scenario: str, secret: str, model: str = "petrol_hatch") -> Member:
    return Member(vin, secret, profiles()[model], scenario_of(scenario, scenarios()[scenario]), 11)


@dataclass
class Dealer:
    """Hears every car and acknowledges all it hears."""

    connection: Connection
    bodies: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def heard(self, where: str, payload: bytes) -> None:
        vin, way = where.split("/")[2], where.rpartition("/")[2]
        body = json.loads(payload)
        if way == "status":
            return
        (Telemetry if way == "telemetry" else Diagnostics).model_validate(body)
        self.bodies.setdefault(vin, []).append(body)
        self.connection.publish(
            topic(vin, "down/acks"), json.dumps({"boot": body["boot"], "upto": body["seq"]}).encode(), 0
        )

    def values(self, vin: str, path: str) -> list[float]:
        return [body["signals"][path] for body in self.bodies.get(vin, []) if path in body.get("signals", {})]


@contextlib.asynccontextmanager
async def dealer(broker: EmbeddedBroker, name: str) -> AsyncIterator[Dealer]:
    where = urlsplit(broker.mqtt_url)
    made: list[Dealer] = []
    connection = Connection(
        "127.0.0.1",
        broker.port,
        client_id=name,
        user=where.username,
        password=where.password,
        subscribe=("vehicles/+/+/up/+",),
        on_message=lambda t, p: made[0].heard(t, p),
    )
    made.append(Dealer(connection))
    task = asyncio.create_task(connection.run())
    await until(lambda: connection.up)
    yield made[0]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def simulating(
    broker: EmbeddedBroker, members: list[Member], spools: Path, anchor: datetime
) -> AsyncIterator[None]:
    workshop = urlsplit(broker.workshop_url)
    keeper = AuthCallout(
        broker.auth_url, broker.auth_seed, {member.vin: secret_hash(member.secret) for member in members}
    )
    await keeper.start()
    ready = asyncio.Event()
    task = asyncio.create_task(
        running.run(
            mqtt_host="127.0.0.1",
            mqtt_port=broker.port,
            cars=members,
            clock=_clock(anchor),
            speed=SPEED,
            spool_dir=spools,
            workshop=running.Workshop("127.0.0.1", broker.port, workshop.username or "", workshop.password or ""),
            ready=lambda **facts: ready.set(),
        )
    )
    await asyncio.wait_for(ready.wait(), PATIENCE_S)
    try:
        yield
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await keeper.stop()


async def test_cars_drive_are_mended_and_go_on_after_a_restart(broker: EmbeddedBroker, tmp_path: Path) -> None:
    secret = "secret"
    leaking, misfiring = "WTTPH0000NM000017", "WTTPH0000NM000074"
    members = [_member(leaking, "slow_tyre_leak", secret), _member(misfiring, "misfire", secret)]
    morning = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
    async with dealer(broker, "dealer-running") as ear:
        async with simulating(broker, members, tmp_path, morning):
            await until(lambda: len(ear.values(leaking, FRONT_LEFT)) >= 3)
            assert max(ear.values(leaking, FRONT_LEFT)) < 0.85 * 234
            await until(lambda: any(body.get("mil") for body in ear.bodies.get(misfiring, [])))
            codes = [body["codes"] for body in ear.bodies[misfiring] if "codes" in body]
            assert [[(c["code"], c["status"]) for c in listed] for listed in codes[:2]] == [
                [("P0301", "pending")],
                [("P0301", "confirmed")],
            ]
            where = urlsplit(broker.workshop_url)
            mechanic = Connection(
                "127.0.0.1", broker.port, client_id="mechanic-test", user=where.username, password=where.password
            )
            task = asyncio.create_task(mechanic.run())
            await until(lambda: mechanic.up)
            mechanic.publish(f"workshop/{leaking}", b'{"component": "front_left"}')
            mechanic.publish(f"workshop/{leaking}", b"not json")
            mechanic.publish("workshop/WTTXX0000NM000001", b'{"component": "all"}')
            await until(lambda: ear.values(leaking, FRONT_LEFT)[-1] > 0.9 * 234)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        boots = {body["boot"] for body in ear.bodies[leaking]}
        ear.bodies.clear()
        async with simulating(broker, members, tmp_path, morning + timedelta(hours=9)):
            await until(lambda: len(ear.values(leaking, FRONT_LEFT)) >= 2)
        again = [body for body in ear.bodies[leaking] if body["boot"] not in boots]
        assert {body["boot"] for body in again} == {max(boots) + 1}
        assert ear.values(leaking, FRONT_LEFT)[-1] > 0.9 * 234  # still healed
