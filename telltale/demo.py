"""The whole house on one home: embedded parts, services, simulated cars in time-lapse.

Demo and story both live in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import structlog

from schemas.errors import Misconfigured, TelltaleError
from store import clock as clock_row
from store.migrate import migrate, role_url
from store.pool import Pool, open_pool
from telltale import clock, demo_data, running_demo
from telltale.cli import say
from telltale.embedded.broker import EmbeddedBroker
from telltale.embedded.credentials import signed_in
from telltale.embedded.postgres import EmbeddedPostgres
from telltale.embedded.process import free_port
from telltale.lock import HomeLock
from telltale.mechanic import Mechanic
from telltale.running import Service, Supervisor
from telltale.settings import Settings

log = structlog.get_logger()
_WATCH_SECONDS = 0.2


@dataclass
class Demo:
    """`async with Demo(settings) as demo:` and everything runs; leaving it stops everything."""

    settings: Settings
    fresh: bool = False
    cast: demo_data.Cast = demo_data.CAST
    seed: int = 1
    tell: Callable[[str], None] = say

    url: str = ""  #: of the desk
    database_url: str = ""
    mqtt_url: str = ""
    workshop_url: str = ""
    clock: Callable[[], datetime] = clock.real
    cars: list[demo_data.Car] = field(default_factory=list)

    async def start(self) -> None:
        self._parts = contextlib.AsyncExitStack()
        try:
            await self._start()
        except BaseException:
            await self._parts.aclose()
            raise

    async def stop(self) -> None:
        await self._parts.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def kill(self, service: str) -> None:
        """kill -9 of one service; the supervisor brings it back."""
        self._supervisor.kill(service)

    async def failed(self) -> Exception:
        """Waits until a service says that it cannot run any more."""
        return await asyncio.shield(self._supervisor.failed)

    async def _start(self) -> None:
        settings = self.settings
        self._parts.enter_context(HomeLock(settings.home))
        if self.fresh:
            self._forget()
        gateway_settings = await self._engines()
        await migrate(self.database_url, settings.key, previous=settings.secret_previous.get_secret_value())
        pool = await open_pool(role_url(self.database_url, settings.key, "telltale_office"), name="demo", size=2)
        self._parts.push_async_callback(_close, pool)
        await self._set_clock(pool)
        self.cars = await demo_data.prepare(pool, self.cast, key=settings.key, clock=self.clock, seed=self.seed)
        cars_file = settings.home / "cars.json"
        cars_file.touch(mode=0o600)
        cars_file.write_text(json.dumps([car.__dict__ for car in self.cars]))

        self._supervisor = Supervisor(settings.home, self.tell)
        self._parts.push_async_callback(self._supervisor.stop)
        common = {
            "home": str(settings.home),
            "database_url": self.database_url,
            "secret": settings.key,
            "health_port": "0",
        }
        port = settings.desk_port or free_port(settings.desk_host)
        desk = Service(
            "dealer-api",
            ["dealer-api"],
            {**common, "desk_port": str(port), "desk_host": settings.desk_host, "demo_sign_ins": "true"},
        )
        base = settings.public_url or f"http://{settings.desk_host}:{port}"
        await _all(
            self._supervisor.start(desk),
            self._supervisor.start(
                Service("gateway", ["gateway"], {**common, **gateway_settings, "mqtt_url": self.mqtt_url})
            ),
            self._supervisor.start(Service("workers", ["workers"], {**common, "public_url": base})),
        )
        self.url = base
        simulator = Service(
            "simulator", ["simulator"], {**common, "mqtt_url": self.mqtt_url, "workshop_url": self.workshop_url}
        )
        await self._supervisor.start(simulator)
        running_demo.announce(
            settings.home,
            os.getpid(),
            url=self.url,
            database_url=self.database_url,
            mqtt_url=self.mqtt_url,
            auth_url=gateway_settings.get("auth_url", ""),
            auth_seed=gateway_settings.get("auth_seed", ""),
        )
        self._parts.callback(running_demo.leave, settings.home)
        self._in_background(
            Mechanic(role_url(self.database_url, settings.key, "telltale_worker"), self.workshop_url).run()
        )

    async def _engines(self) -> dict[str, str]:
        """PostgreSQL and the broker, ours or the given ones; what the gateway must know about the broker."""
        settings = self.settings
        engines: list[EmbeddedPostgres | EmbeddedBroker] = []
        if settings.database_url is None:
            engines.append(postgres := EmbeddedPostgres(settings.home))
        if settings.mqtt_url is None:
            engines.append(broker := EmbeddedBroker(settings.home / "broker"))
        for engine in engines:
            self._parts.push_async_callback(engine.stop)
        await _all(*(engine.start() for engine in engines))
        for engine in engines:
            self._in_background(self._keep(engine))
        self.database_url = settings.database if settings.database_url else postgres.url
        if settings.mqtt_url is not None:
            await _somebody_listens(settings.mqtt)
            mechanic = settings.workshop_url.get_secret_value() or settings.mqtt
            if settings.auth_url.get_secret_value():  # a broker of ours that runs elsewhere
                mechanic = signed_in(mechanic, "workshop", settings.key)
            self.mqtt_url, self.workshop_url = settings.mqtt, mechanic
            return {}
        self.mqtt_url, self.workshop_url = broker.mqtt_url, broker.workshop_url
        return {"auth_url": broker.auth_url, "auth_seed": broker.auth_seed, "broker_log": str(broker.log)}

    async def _keep(self, engine: EmbeddedPostgres | EmbeddedBroker) -> None:
        """An engine that dies is started again, on the same port and with the same data."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if engine.pid is None:
                self.tell(
                    f"{'the database' if isinstance(engine, EmbeddedPostgres) else 'the broker'} ended, starting it "
                    "again"
                )
                with contextlib.suppress(TelltaleError, OSError):
                    await engine.start()

    async def _set_clock(self, pool: Pool) -> None:
        """Go on where the home's clock was last seen, or begin on a working Monday; then beat every second."""
        speed = self.settings.lapse or 1.0
        async with pool.acquire() as connection:
            row = await clock_row.read(connection)
            lapse = clock.resumed(row[3], speed) if row else clock.begun(self.cast.zone, self.cast.country, speed)
            await clock_row.write(connection, lapse.anchor, lapse.started, lapse.speed)
        self.clock = lapse

        async def beat() -> None:
            while True:
                await asyncio.sleep(clock.BEAT_SECONDS)
                with contextlib.suppress(Exception):  # a database that is just being restarted
                    async with pool.acquire(timeout=2) as connection:
                        await clock_row.beat(connection, lapse())

        self._in_background(beat())

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)

        async def end() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._parts.push_async_callback(end)

    def _forget(self) -> None:
        if self.settings.database_url is not None:
            raise Misconfigured(
                "DATABASE_URL",
                "names a database of your own: --fresh only forgets what lies in the home, so empty that one yourself",
            )
        erase(self.settings.home)


def erase(home: Path) -> None:
    """Everything that a demo left in its home, also where the database had to be sheltered elsewhere."""
    EmbeddedPostgres(home).erase()
    for name in ("broker", "logs", "spools", "played", "cars.json", "secret"):
        path = home / name
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


async def main(settings: Settings, *, fresh: bool) -> None:
    """The demo on a terminal: start, say where everything is, stay until Ctrl-C."""
    async with Demo(settings, fresh=fresh) as demo:
        say(
            _WELCOME.format(
                url=demo.url,
                home=settings.home,
                speed=_speed(settings.lapse or 1.0),
                password=demo_data.PASSWORD,
                sign_ins="\n".join(f"    {person.role:<12}{person.email}" for person in demo.cast.people),
            )
        )
        raise await demo.failed()


_WELCOME = """
  Telltale is running, in time-lapse: {speed}.

  The desk      {url}/
{sign_ins}
                password for all of them: {password}
  Demo phone    {url}/phone      (every text that owners and staff get, and a box to answer)
  API           {url}/api/v1/openapi.json

  The first alert comes within half a minute. State and logs: {home}
  Ctrl-C stops everything; the next start goes on from here, `./run demo --fresh` starts anew.
"""


def _speed(lapse: float) -> str:
    return f"{lapse / 60:g} minutes pass each second" if lapse >= 60 else f"{lapse:g} seconds pass each second"


async def _all(*starts: Coroutine[Any, Any, Any]) -> None:
    """All at once; the first failure wins, after the others have ended too."""
    tasks = [asyncio.create_task(start) for start in starts]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def _somebody_listens(mqtt_url: str) -> None:
    """One clear line at once, where the gateway would go on asking."""
    where = urlsplit(mqtt_url)
    host, port = where.hostname or "127.0.0.1", where.port or 1883
    try:
        async with asyncio.timeout(10):
            _, writer = await asyncio.open_connection(host, port)
        writer.close()
    except (OSError, TimeoutError):
        raise Misconfigured("MQTT_URL", f"no broker answers at {host}:{port}") from None


async def _close(pool: Pool) -> None:
    with contextlib.suppress(Exception):
        await asyncio.wait_for(pool.close(), 2)
    pool.terminate()
