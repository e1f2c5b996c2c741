"""The whole of production on this machine, put together as an operator would: one environment for all services, public
commands alone.

    async with House(home, broker="mosquitto") as house:
        await house.furnish(); await house.open()

PostgreSQL (and a synchronous standby), a closed mosquitto by TLS or our own broker, two gateways, two workers, two
desks behind nginx, and a stand-in for the provider of texts. Everything is an ordinary user's process; nothing runs as
root.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import ssl
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from proofs.production import account
from proofs.production.authority import HOSTS, Authority
from proofs.production.mosquitto import Mosquitto
from proofs.production.nginx import Nginx
from proofs.production.postgres import DATABASE, OWNER, Server, newest
from proofs.production.service import Service
from proofs.production.sms import Sms
from telltale import clock
from telltale.data import ROOT
from telltale.embedded.credentials import signed_in
from telltale.embedded.process import free_port
from telltale.running import TRY_AGAIN

GATEWAYS = WORKERS = DESKS = 2
_TRIES = 3  #: of a command, while it says come again


def missing() -> list[str]:
    """Debian's packages that this machine lacks for the full house."""
    wanted = {"mosquitto": "mosquitto", "mosquitto_passwd": "mosquitto", "nginx": "nginx-light"}
    lacking = {package for name, package in wanted.items() if account.program(name) is None}
    return sorted(lacking if newest() else {*lacking, "postgresql"})


class House:
    """`database` is the primary; `standby` follows it when asked for. `services` by name, in the order of their
    start.
    """

    def __init__(
        self,
        home: Path,
        *,
        broker: str = "mosquitto",
        with_standby: bool = False,
        sabotage: str | None = None,
        provider: Sms | None = None,
        database_settings: Mapping[str, str] | None = None,
    ) -> None:
        self.home, self.kind, self.sabotage = home, broker, sabotage
        self.code = ROOT  #: whose version is started next
        self.logs, self.state = home / "logs", home / "state"
        self.secret = secrets.token_hex(32)
        self.authority = Authority(home / "tls")
        self.database = Server(home / "postgres", self.authority, settings=dict(database_settings or {}))
        self.standby = (
            Server(home / "standby", self.authority, settings=dict(database_settings or {}), like=self.database)
            if with_standby
            else None
        )
        self.mosquitto = Mosquitto(home / "mosquitto", self.authority)
        self.nginx = Nginx(home / "nginx", self.authority)
        self.provider = provider or Sms()
        self.services: dict[str, Service] = {}
        self.desks = [free_port() for _ in range(DESKS)]
        self.health = {f"gateway-{n}": free_port() for n in range(GATEWAYS)}
        self.broker_ports = (free_port(), free_port())  # of our own broker: MQTT, and who may sign in
        self.passwords = {
            name: secrets.token_hex(16) for name in ("workshop", "witness")
        }  # user of the broker -> password
        self._parts = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._begin()
        except BaseException:
            await self._parts.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._parts.aclose()

    async def _begin(self) -> None:
        """Database, broker and provider; migrated, but nobody works here yet."""
        for folder in (self.home, self.logs, self.state):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)
        self.authority.home.mkdir(exist_ok=True)
        (self.home / "mosquitto").mkdir(exist_ok=True)
        account.give(self.logs, self.state, self.authority.home, self.home / "mosquitto")
        self._parts.push_async_callback(self._stop_servers)
        await self._parts.enter_async_context(self.provider)
        await self.fronts()
        await self.command(
            "certificates",
            "make",
            "--out",
            str(self.authority.home),
            *(word for host in HOSTS for word in ("--host", host)),
        )
        self.authority.begin()
        await self.database.create()
        await self._follow()
        await self.command("migrate")
        await self._start_broker()

    async def _follow(self) -> None:
        if self.standby is not None:
            await self.standby.follow(self.database)
            await self.database.wait_for_standbys(self.standby.standby_name)

    async def fronts(self) -> None:
        """Called once all ports are known: who wants to stand in between puts its proxies there."""

    async def _start_broker(self) -> None:
        if self.kind == "mosquitto":
            await self.command("broker-config", "mosquitto", *self.mosquitto.options)
            self.mosquitto.furnish(self.passwords)
            await self.mosquitto.start()
            await self._service(
                "broker-config", "broker-config", "mosquitto", *self.mosquitto.options, "--follow"
            ).start()
            return
        port, auth = self.broker_ports
        await self._service("broker", "broker", "--port", str(port), "--auth-port", str(auth)).start()

    async def _stop_servers(self) -> None:
        for service in reversed(self.services.values()):
            await service.stop()
        await self.nginx.stop()
        await self.mosquitto.stop()
        for server in (self.standby, self.database):
            if server is not None:
                await server.stop()

    # -- addresses ----------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """How everybody reaches the desks."""
        return self.nginx.url

    @property
    def database_ports(self) -> list[int]:
        """Where services look for the database."""
        return [server.port for server in (self.database, self.standby) if server is not None]

    @property
    def database_url(self) -> str:
        """As an operator writes it: all servers, TLS with a name that is checked, whichever of them can be written
        to.
        """
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.database_ports)
        more = "&target_session_attrs=read-write" if self.standby is not None else ""
        return f"postgresql://{OWNER}:{self.database.owner_password}@{hosts}/{DATABASE}?sslmode=verify-full&sslrootcert={self.authority.trusted}{more}"

    @property
    def migration_url(self) -> str:
        """The primary alone."""
        return self.database.dsn(OWNER, DATABASE)

    @property
    def broker_port(self) -> int:
        """Where gateways reach the broker: at a door of their own."""
        return self.mosquitto.inner if self.kind == "mosquitto" else self.broker_ports[0]

    @property
    def car_port(self) -> int:
        """Where cars reach the broker."""
        return self.mosquitto.port if self.kind == "mosquitto" else self.broker_ports[0]

    def mqtt_url(self, user: str) -> str:
        """The broker as one of its users; for our own broker the passwords follow from the secret."""
        if self.kind == "mosquitto":
            return f"mqtts://{user}:{self.passwords[user]}@localhost:{self.mosquitto.aside}"
        bare = f"mqtt://127.0.0.1:{self.broker_port}"
        return signed_in(bare, user, self.secret) if user in ("gateway", "workshop") else bare

    def trust(self) -> ssl.SSLContext:
        """What a client of ours believes in."""
        return ssl.create_default_context(cafile=str(self.authority.trusted))

    def session(
        self, timeout_s: float = 10.0, cookies: aiohttp.abc.AbstractCookieJar | None = None
    ) -> aiohttp.ClientSession:
        """A browser or program outside that trusts our authority."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self.trust()),
            cookie_jar=cookies or aiohttp.CookieJar(),
            timeout=aiohttp.ClientTimeout(total=timeout_s),
        )

    # -- commands and services ----------------------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """The one environment file of this house."""
        broker = {
            "MQTT_URL": f"mqtts://localhost:{self.broker_port}",
            "TELLTALE_MQTT_VERSION": "5",
            "TELLTALE_MQTT_CA": str(self.authority.trusted),
        }
        if self.kind != "mosquitto":
            broker = {
                "MQTT_URL": f"mqtt://127.0.0.1:{self.broker_port}",
                "TELLTALE_AUTH_URL": f"nats://127.0.0.1:{self.broker_ports[1]}",
            }
        return {
            "DATABASE_URL": self.database_url,
            **broker,
            "TELLTALE_SECRET": self.secret,
            "TELLTALE_HOME": str(self.state),
            "TELLTALE_LOG_FORMAT": "json",
            "TELLTALE_PUBLIC_URL": self.url,
            "TELLTALE_TWILIO_ACCOUNT": self.provider.account,
            "TELLTALE_TWILIO_TOKEN": self.provider.token,
            "TELLTALE_TWILIO_FROM": self.provider.number,
            "TELLTALE_TWILIO_API": self.provider.url,
        }

    async def command(self, *words: str, **changes: str) -> dict[str, Any]:
        """One of our commands, as a shell runs it; its JSON answer where it has one. One that says *come again* is
        given again, as whoever typed it would.
        """
        given = {**self.environment, **changes}
        if words[0] == "migrate":
            given["DATABASE_URL"] = self.migration_url
        told = [*words] if words[0] in ("migrate",) else [*words, "--json"]
        for tries_left in reversed(range(_TRIES)):
            try:
                output = await asyncio.to_thread(
                    account.run,
                    [account.PYTHON, "-P", "-m", "telltale", *told],
                    environment={"PYTHONPATH": str(self.code), **given},
                    timeout_s=120,
                )
                break
            except account.Refused as refused:
                if refused.status != TRY_AGAIN or not tries_left:
                    raise
                await asyncio.sleep(1.0)
        found: dict[str, Any] = json.loads(output) if output.strip().startswith("{") else {}
        return found

    def _service(self, name: str, *arguments: str, **changes: str) -> Service:
        made = Service(
            name, arguments, {**self.environment, **changes}, logs=self.logs, sabotage=self.sabotage, code=self.code
        )
        self.services[name] = made
        return made

    async def open(self) -> None:
        """All services, each until it is ready, and nginx before the desks."""
        await asyncio.gather(*(service.start() for service in self.staff()), self.nginx.start(self.desks))

    def staff(self) -> list[Service]:
        """Every service of the house, made and not yet started."""
        return [
            *(
                self._service(
                    f"gateway-{n}",
                    "gateway",
                    "--share",
                    f"{n}/{GATEWAYS}",
                    TELLTALE_HEALTH_PORT=str(self.health[f"gateway-{n}"]),
                )
                for n in range(GATEWAYS)
            ),
            *(self._service(f"workers-{n}", "workers") for n in range(WORKERS)),
            *(self._service(f"dealer-api-{n}", "dealer-api", "--port", str(port)) for n, port in enumerate(self.desks)),
        ]

    def of(self, kind: str) -> list[Service]:
        """The services of one kind: gateway, workers, dealer-api."""
        return [service for name, service in self.services.items() if name.rpartition("-")[0] == kind]

    async def simulate(self, cars: list[dict[str, Any]]) -> Service:
        """The stand-in cars, as a service beside the others."""
        home = self.home / "simulator"
        home.mkdir(exist_ok=True)
        file = home / "cars.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(cars))
        account.give(home)
        door = f"mqtts://localhost:{self.car_port}" if self.kind == "mosquitto" else f"mqtt://127.0.0.1:{self.car_port}"
        simulator = self._service(
            "simulator",
            "simulator",
            TELLTALE_HOME=str(home),
            MQTT_URL=door,
            TELLTALE_WORKSHOP_URL=self.mqtt_url("workshop"),
        )
        await simulator.start()
        return simulator

    # -- time and witnesses -------------------------------------------------------------------------------------------

    async def lapse(self, zone: str, country: str, speed: float) -> None:
        """Business time runs fast in this house, from a working Monday on. Before any service starts."""
        await self.set_clock(clock.begun(zone, country, speed))

    async def set_clock(self, lapse: clock.TimeLapse) -> None:
        """The row that all services read when they start."""
        connection = await self.database.connect()
        try:
            await connection.execute("DELETE FROM clock")
            await connection.execute(
                "INSERT INTO clock (anchor, started, speed, seen) VALUES ($1, $2, $3, $1)",
                lapse.anchor,
                lapse.started,
                lapse.speed,
            )
        finally:
            await connection.close()

    async def now(self) -> datetime:
        """The business clock."""
        connection = await self.database.connect()
        try:
            return (await clock.read(connection))()
        finally:
            await connection.close()

    def users(self) -> set[int]:
        """As whom our services run."""
        return {
            Path(f"/proc/{service.pid}").stat().st_uid for service in self.services.values() if service.pid is not None
        }

    def log_texts(self) -> dict[str, str]:
        """All that our services have logged, by name."""
        return {file.stem: file.read_text(errors="replace") for file in sorted(self.logs.glob("*.log"))}
