"""The fault experiment's house: database, broker, proxies between all parts, gateways that are started again when they
die, cars.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg

from proofs.bench.payloads import vins
from proofs.bench.rig import prepare
from proofs.cars import ProofCar
from proofs.checking import Findings, check
from proofs.kept import KeptGateway
from proofs.proxy import Proxy
from proofs.traffic import TRUTH, Driver
from telltale.embedded.broker import EmbeddedBroker
from telltale.embedded.postgres import EmbeddedPostgres

ILL_AFTER, KNOWN_AFTER = (
    50,
    80,
)  #: messages after which a faulty car falls ill, and after which its rule must have spoken


class Rig:
    """`async with Rig(...) as rig:`; `rig.drive(rate)` starts the traffic, `rig.settle()` ends it and waits."""

    def __init__(
        self,
        home: Path,
        *,
        cars: int | Sequence[str],
        seed: int,
        spool: bool | None,
        sabotage: str | None,
        share: str = "0/1",
    ) -> None:
        """`cars`: how many, or which VINs; `spool`: all, none, or (None) every other one."""
        self.home, self.sabotage, self.seed = home, sabotage or "none", seed
        self.postgres = EmbeddedPostgres(home)
        self.broker = EmbeddedBroker(home / "broker")
        self.vins = vins(cars, seed) if isinstance(cars, int) else list(cars)
        kinds = list(TRUTH)
        start = datetime.now(UTC) - timedelta(days=6)
        self.drivers = {vin: Driver(kinds[n % len(kinds)], seed * 1000 + n, start) for n, vin in enumerate(self.vins)}
        self.secrets = {vin: hashlib.sha256(f"{seed} {vin}".encode()).hexdigest() for vin in self.vins}
        self._spool = spool
        self._tasks: list[asyncio.Task[None]] = []
        self._driving: asyncio.Task[None] | None = None
        self._share = share
        self.gateways: dict[str, KeptGateway] = {}
        self.left: list[KeptGateway] = []  #: gateways that are gone for good

    async def __aenter__(self) -> Self:
        self.home.mkdir(parents=True, exist_ok=True)
        await asyncio.gather(self.postgres.start(), self.broker.start())
        hashes = {vin: hashlib.sha256(secret.encode()).digest() for vin, secret in self.secrets.items()}
        self.role = await prepare(self.postgres.url, self.vins, hashes)
        if self.sabotage == "no-dedupe":
            await self._drop_the_unique_key()
        self.car_proxy = await Proxy("127.0.0.1", self.broker.port).start()
        await self.start_gateway(self._share)
        await self.gateway_is_ready()
        self.cars = [
            ProofCar(
                vin,
                self.secrets[vin],
                address=lambda: ("127.0.0.1", self.car_proxy.port),
                spool=self._keeps(n),
                seed=self.seed + n,
                repeat=0.1,
            )
            for n, vin in enumerate(self.vins)
        ]
        self._tasks += [asyncio.create_task(car.run()) for car in self.cars]
        return self

    def _keeps(self, n: int) -> bool:
        """Whether the n-th car has a spool. Both kinds in each bucket and among each kind of fault."""
        return self._spool if self._spool is not None else (n + n // 16) % 2 == 0

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in [*self._tasks, *([self._driving] if self._driving else [])]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for share in list(self.gateways):
            await self.end_gateway(share)
        await self.car_proxy.stop()
        await self.broker.stop()
        await self.postgres.stop()

    # -- traffic ------------------------------------------------------------------------------------------------------

    def drive(self, rate: float) -> None:
        """All cars speak, together `rate` messages a second, until `settle`."""
        self._driving = asyncio.create_task(self._drive(rate))

    async def _drive(self, rate: float) -> None:
        began, sent = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - began) * rate)
            for n in range(sent, due):
                self.speak(self.cars[n % len(self.cars)])
            sent = due
            await asyncio.sleep(0.01)

    def speak(self, car: ProofCar) -> None:
        """One message of one car."""
        car.say(*self.drivers[car.vin].next())

    async def settle(self, within_s: float) -> bool:
        """No more faults, no more traffic: wait until every car has delivered everything and everything is judged."""
        if self._driving is not None:
            self._driving.cancel()
        for proxy in (
            self.car_proxy,
            *(proxy for one in self.gateways.values() for proxy in (one.database_proxy, one.broker_proxy)),
        ):
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
                    "SELECT count(DISTINCT (vehicle_id, boot, seq)), count(*) FILTER (WHERE place IS NULL) "
                    "FROM readings"
                )
                return int(stored) >= sum(len(car.history) for car in self.cars) and not waiting
            finally:
                await connection.close()
        return False

    async def check(self) -> Findings:
        """The checker's word."""
        truth = {vin: TRUTH[driver.kind] if driver.sent > ILL_AFTER else None for vin, driver in self.drivers.items()}
        truth = {vin: rule for vin, rule in truth.items() if not ILL_AFTER < self.drivers[vin].sent <= KNOWN_AFTER}
        return await check(self.postgres.url, self.cars, truth)

    # -- the gateways -------------------------------------------------------------------------------------------------

    @property
    def _first(self) -> KeptGateway:
        return next(iter(self.gateways.values()))

    @property
    def database_proxy(self) -> Proxy:
        """Between the (first) gateway and the database."""
        return self._first.database_proxy

    @property
    def gateway_proxy(self) -> Proxy:
        """Between the (first) gateway and the broker."""
        return self._first.broker_proxy

    @property
    def gateway_starts(self) -> int:
        """How often any gateway was started."""
        return sum(one.starts for one in (*self.left, *self.gateways.values()))

    async def start_gateway(self, share: str) -> KeptGateway:
        """One more gateway; it may not be ready yet."""
        made = KeptGateway(self.home, share, sabotage=self.sabotage, database=self.role, broker=self.broker)
        self.gateways[share] = await made.start()
        return made

    async def end_gateway(self, share: str, how: signal.Signals = signal.SIGKILL) -> None:
        """This one leaves for good."""
        gone = self.gateways.pop(share)
        self.left.append(gone)
        await gone.leave(how)

    def kill_gateway(self) -> None:
        """kill -9 of the (first) gateway."""
        self._first.kill()

    async def gateway_is_ready(self) -> None:
        """Wait until the (first) gateway listens (again)."""
        await asyncio.wait_for(self._first.ready.wait(), 60)

    async def _drop_the_unique_key(self) -> None:
        connection = await asyncpg.connect(self.postgres.url)
        try:
            await connection.execute("ALTER TABLE readings DROP CONSTRAINT readings_pkey")
        finally:
            await connection.close()
