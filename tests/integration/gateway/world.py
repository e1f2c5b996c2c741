"""What the gateway tests share: a gateway in this process on the session's broker and a fresh database, and cars that
speak plain paho.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from gateway import running
from gateway.intake.loop import Intake
from schemas.credentials import secret_hash
from schemas.vehicle import topic
from telltale import data
from tests.patience import PATIENCE_S

_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


def now() -> datetime:
    return datetime.now(UTC)


async def until(check: Callable[[], Any], timeout: float = PATIENCE_S) -> Any:
    """Wait until `check()` (or what it awaits) is true; the answer."""
    deadline = time.monotonic() + timeout
    while True:
        found = check()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {timeout:.0f} s")
        await asyncio.sleep(0.03)


class TestCar:
    """A car as an integrator would write it: paho, QoS 1; the network runs in paho's thread."""

    __test__ = False

    def __init__(self, vin: str, secret: str, port: int, vehicle_id: int) -> None:
        self.vin, self.id, self.secret, self.port = vin, vehicle_id, secret, port
        self.boot, self.seq = 1, 0
        self.acked: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.alerts: list[dict[str, Any]] = []
        self.connected = asyncio.Event()
        self.refused = asyncio.Event()
        self.gone = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=vin)
        self.client.username_pw_set(vin, secret)
        self.client.on_connect = self._on_connect
        self.client.on_message = self._on_message
        self.client.on_disconnect = lambda *a: self._loop.call_soon_threadsafe(self.gone.set)

    async def connect(self) -> TestCar:
        self.client.connect_async("127.0.0.1", self.port)
        self.client.loop_start()
        await asyncio.wait_for(self.connected.wait(), PATIENCE_S)
        return self

    def _on_connect(self, _c: Any, _d: Any, _f: Any, reason: Any, _p: Any) -> None:
        if reason.is_failure:
            self._loop.call_soon_threadsafe(self.refused.set)
        else:
            self.client.subscribe(topic(self.vin, "down/#"), 0)
            self._loop.call_soon_threadsafe(self.connected.set)

    def _on_message(self, _c: Any, _d: Any, message: Any) -> None:
        where = message.topic.rpartition("/")[2]
        {"acks": self.acked, "asks": self.asked, "alerts": self.alerts}[where].append(json.loads(message.payload))

    def body(
        self, seq: int | None = None, *, signals: dict[str, Any] | None = None, ts: datetime | None = None, **more: Any
    ) -> bytes:
        if seq is None:
            self.seq += 1
            seq = self.seq
        result = {
            "boot": self.boot,
            "seq": seq,
            "oldest": 1,
            "ts": (ts or now()).isoformat(),
            "signals": signals or {"Vehicle.Speed": 50.0 + seq % 50},
        }
        return json.dumps({**result, **more}).encode()

    def say(
        self, payload: bytes | None = None, way: str = "up/telemetry", *, retain: bool = False, qos: int = 1
    ) -> Any:
        return self.client.publish(
            topic(self.vin, way), self.body() if payload is None else payload, qos=qos, retain=retain
        )

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@dataclass
class World:
    """Database, broker and whatever gateways and cars a test makes."""

    database: Any
    broker: Any
    pool: Any
    dealer: int
    judge: Any
    gateways: list[asyncio.Task[None]] = field(default_factory=list)
    cars: list[TestCar] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)  #: what every gateway of this test is told on top

    async def start(self, share: tuple[int, int] = (0, 1), **options: Any) -> asyncio.Task[None]:
        ready = asyncio.Event()
        facts: dict[str, Any] = {}

        def tell(**text: Any) -> None:
            facts.update(text)
            ready.set()

        arguments = {
            "database_url": self.database.role("gateway"),
            "mqtt_url": self.broker.mqtt_url,
            "clock": now,
            "profiles": data.profiles(),
            "share": share,
            "judge": self.judge,
            "auth_url": self.broker.auth_url,
            "auth_seed": self.broker.auth_seed,
            "broker_log": self.broker.log,
            "ready": tell,
        }
        task = asyncio.create_task(running.run(**{**arguments, **self.options, **options}))
        self.gateways.append(task)
        waiter = asyncio.ensure_future(ready.wait())
        await asyncio.wait({task, waiter}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
        if task.done():
            await task
        task.facts = facts  # type: ignore[attr-defined]
        return task

    async def stop(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # a start that failed has told the test already

    async def car(self, *, profile: str = "petrol_hatch", connect: bool = True, enrol: bool = True) -> TestCar:
        vin = "TST" + "".join(random.choice(_LETTERS) for _ in range(14))
        secret = secrets.token_hex(32)
        vehicle = await self.pool.fetchval(
            "INSERT INTO vehicles (vin, dealer_id, dealer_since, profile, title, secret_hash, enrolled_at) "
            "VALUES ($1, $2, $3, $4, 'a car', $5, $3) RETURNING id",
            vin,
            self.dealer,
            now(),
            profile,
            secret_hash(secret) if enrol else None,
        )
        await self.pool.execute("SELECT pg_notify('cars', $1)", json.dumps({"vehicle": vehicle, "what": "enrolled"}))
        made = TestCar(vin, secret, self.broker.port, vehicle)
        self.cars.append(made)
        return await made.connect() if connect else made

    async def count(self, car: TestCar) -> int:
        found: int = await self.pool.fetchval("SELECT count(*) FROM readings WHERE vehicle_id = $1", car.id)
        return found

    async def rejections(self, car: TestCar) -> list[str]:
        return [
            r["reason"]
            for r in await self.pool.fetch("SELECT reason FROM quarantine WHERE vehicle_id = $1 ORDER BY id", car.id)
        ]


class HeldIntake(Intake):
    """Commits, but does not acknowledge: the moment between the two."""

    def acknowledge(self, batch: Any) -> None:
        if batch.messages == 0:
            super().acknowledge(batch)
