"""The fault experiment's house: database, broker, proxies between all parts, a gateway that is started again when it dies, cars."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import asyncpg

from proofs.bench.payloads import vins
from proofs.bench.rig import prepare
from proofs.cars import ProofCar
from proofs.checking import Findings, check
from proofs.proxy import Proxy
from proofs.traffic import TRUTH, Driver
from telltale.embedded.broker import EmbeddedBroker
from telltale.embedded.postgres import EmbeddedPostgres

ILL_AFTER, KNOWN_AFTER = 50, 80  #: messages after which a faulty car falls ill, and after which its rule must have spoken


class Rig:
    """`async with Rig(...) as rig:`; `rig.drive(rate)` starts the traffic, `rig.settle()` ends it and waits."""

    def __init__(self, home: Path, *, cars: int, seed: int, spool: bool, sabotage: str | None) -> None:
        self.home, self.sabotage, self.seed = home, sabotage or "none", seed
        self.postgres = EmbeddedPostgres(home)
        self.broker = EmbeddedBroker(home / "broker")
        self.gateway_starts = 0
        self.vins = vins(cars, seed)
        kinds = list(TRUTH)
        start = datetime.now(UTC) - timedelta(days=6)
        self.drivers = {vin: Driver(kinds[n % len(kinds)], seed * 1000 + n, start) for n, vin in enumerate(self.vins)}
        self.secrets = {vin: hashlib.sha256(f"{seed} {vin}".encode()).hexdigest() for vin in self.vins}
        self._spool = spool
        self._tasks: list[asyncio.Task[None]] = []
        self._driving: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._ready = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.home.mkdir(parents=True, exist_ok=True)
        await asyncio.gather(self.postgres.start(), self.broker.start())
        hashes = {vin: hashlib.sha256(secret.encode()).digest() for vin, secret in self.secrets.items()}
        role = await prepare(self.postgres.url, self.vins, hashes)
        if self.sabotage == "no-dedupe":
            await self._drop_the_unique_key()
        where = urlsplit(role)
        self.database_proxy = await Proxy("127.0.0.1", where.port or 5432).start()
        self.gateway_proxy = await Proxy("127.0.0.1", self.broker.port).start()
        self.car_proxy = await Proxy("127.0.0.1", self.broker.port).start()
        self._database = role.replace(f":{where.port}", f":{self.database_proxy.port}")
        self._mqtt = self.broker.mqtt_url.replace(f":{self.broker.port}", f":{self.gateway_proxy.port}")
        self._tasks.append(asyncio.create_task(self._keep_gateway()))
        await asyncio.wait_for(self._ready.wait(), 60)
        self.cars = [
            ProofCar(vin, self.secrets[vin], lambda: ("127.0.0.1", self.car_proxy.port), self._spool, self.seed + n, repeat=0.1)
            for n, vin in enumerate(self.vins)
        ]
        self._tasks += [asyncio.create_task(car.run()) for car in self.cars]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in [*self._tasks, *([self._driving] if self._driving else [])]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.kill_gateway()
        for proxy in (self.database_proxy, self.gateway_proxy, self.car_proxy):
            await proxy.stop()
        await self.broker.stop()
        await self.postgres.stop()

    # -- traffic ------------------------------------------------------------------------------------------------------

    def drive(self, rate: float) -> None:
        """All cars speak, together `rate` messages a second, until `settle`."""
        self._driving = asyncio.create_task(self._drive(rate))

    async def _drive(self, rate: float) -> None:
        began, said = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - began) * rate)
            for n in range(said, due):
                self.speak(self.cars[n % len(self.cars)])
            said = due
            await asyncio.sleep(0.01)

    def speak(self, car: ProofCar) -> None:
        """One message of one car."""
        car.say(*self.drivers[car.vin].next())

    async def settle(self, within_s: float) -> bool:
        """No more faults, no more traffic: wait until every car has delivered everything and everything is judged."""
        if self._driving is not None:
            self._driving.cancel()
        for proxy in (self.database_proxy, self.gateway_proxy, self.car_proxy):
            proxy.delay_s = 0.0
            proxy.flow()
        deadline = time.monotonic() + within_s
        while not all(car.settled for car in self.cars):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.2)
        return await self.stored_within(deadline - time.monotonic())

    async def stored_within(self, seconds: float) -> bool:
        """Wait until everything is stored and judged; what a sabotaged gateway has lost never will be."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if await self._all_judged():
                return True
            await asyncio.sleep(0.2)
        return False

    async def _all_judged(self) -> bool:
        with contextlib.suppress(OSError, asyncpg.PostgresError):
            connection = await asyncpg.connect(self.postgres.url)
            try:
                stored, waiting = await connection.fetchrow(
                    "SELECT count(DISTINCT (vehicle_id, boot, seq)), count(*) FILTER (WHERE place IS NULL) FROM readings"
                )
                return int(stored) >= sum(len(car.history) for car in self.cars) and not waiting
            finally:
                await connection.close()
        return False

    async def check(self) -> Findings:
        """The checker's word."""
        truth = {vin: TRUTH[driver.kind] if driver.said > ILL_AFTER else None for vin, driver in self.drivers.items()}
        truth = {vin: rule for vin, rule in truth.items() if not ILL_AFTER < self.drivers[vin].said <= KNOWN_AFTER}
        return await check(self.postgres.url, self.cars, truth)

    # -- the gateway --------------------------------------------------------------------------------------------------

    def kill_gateway(self) -> None:
        """kill -9."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def gateway_is_ready(self) -> None:
        """Wait until the gateway listens (again)."""
        await asyncio.wait_for(self._ready.wait(), 60)

    async def _keep_gateway(self) -> None:
        log = (self.home / "gateway.log").open("ab")
        while True:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "proofs.gateway_under", self.sabotage, self._database, self._mqtt, self.broker.auth_url,
                self.broker.auth_seed, str(self.broker.log), stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
            self.gateway_starts += 1
            assert self._process.stdout is not None
            if b"ready" in await self._process.stdout.readline():
                self._ready.set()
            await self._process.wait()
            self._ready.clear()
            await asyncio.sleep(0.2)

    async def _drop_the_unique_key(self) -> None:
        connection = await asyncpg.connect(self.postgres.url)
        try:
            await connection.execute("ALTER TABLE readings DROP CONSTRAINT readings_pkey")
        finally:
            await connection.close()
