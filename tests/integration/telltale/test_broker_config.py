"""A mosquitto of one's own, as our commands set it up: each car speaks for itself alone, and who is revoked is cut
off.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.mqtt import mosquitto as files
from gateway.mqtt.broker import client_id
from gateway.mqtt.mosquitto import Doors
from proofs.bench.brokers import mosquitto
from schemas.credentials import mosquitto_hash
from schemas.vehicle import bucket_of, topic
from store import vehicles
from telltale import broker_files, certificates
from telltale.broker_files import MosquittoFiles
from telltale.embedded.credentials import broker_secrets
from telltale.embedded.process import die_with_parent, free_port
from tests.conftest import Database
from tests.patience import PATIENCE_S
from tests.standing import PoolAs

ROOT = Path(__file__).resolve().parents[3]
CARS = ("WVWZZZ1KZAW000123", "WVWZZZ1KZAW000124")
NOW = datetime.now(UTC)

pytestmark = pytest.mark.skipif(
    mosquitto() is None, reason="mosquitto is not installed on this machine (Debian: apt-get install mosquitto)"
)


def _account() -> str:
    """Whom mosquitto runs as: started by root it becomes somebody else."""
    if os.geteuid() != 0:
        return ""
    try:
        return pwd.getpwnam("mosquitto").pw_name
    except KeyError:
        return "nobody"


async def until(check: Callable[[], Any], seconds: float = PATIENCE_S) -> None:
    async with asyncio.timeout(seconds):
        while not check():
            await asyncio.sleep(0.02)


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@dataclass
class Client:
    """Paho with MQTT 5, whose broker says why it refuses."""

    mqtt: Any
    loop: asyncio.AbstractEventLoop
    connected: asyncio.Future[str]
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    heard: list[str] = field(default_factory=list)
    answers: dict[int, str] = field(default_factory=dict)  #: by message id

    async def publish(self, where: str, payload: bytes = b"{}") -> bool:
        """Whether the broker took it. Mosquitto 2.0.11 ends the connection of who was denied."""
        told = self.mqtt.publish(where, payload, qos=1)
        await until(lambda: told.mid in self.answers or self.gone.is_set())
        return self.answers.get(told.mid) in ("Success", "No matching subscribers")

    async def subscribe(self, *filters: str) -> None:
        mid = self.mqtt.subscribe([(one, 1) for one in filters])[1]
        await until(lambda: mid in self.answers)

    def end(self) -> None:
        self.mqtt.disconnect()
        self.mqtt.loop_stop()


@dataclass
class Broker:
    """A mosquitto on the files that are kept for it."""

    folder: Path
    certificates: Path
    port: int
    gateway_port: int
    gateway_password: str
    cars: dict[str, str]
    pool: Any
    process: asyncio.subprocess.Process | None = None
    follower: asyncio.Task[None] | None = None
    clients: list[Client] = field(default_factory=list)

    async def connect(
        self,
        user: str | None,
        password: str | None,
        *,
        port: int = 0,
        name: str | None = None,
        trust: bool = True,
        certificate: str = "",
        version: int = 5,
        kept: bool = False,
    ) -> Client:
        """Connect; `connected` is "Success" or the reason. `kept`: the broker keeps the session while we are away."""
        loop = asyncio.get_running_loop()
        protocol = paho.MQTTv5 if version == 5 else paho.MQTTv311
        client = Client(
            paho.Client(CallbackAPIVersion.VERSION2, client_id=user if name is None else name, protocol=protocol),
            loop,
            loop.create_future(),
        )

        def say(what: str, *, gone: bool = False) -> None:
            if not client.connected.done():
                client.connected.set_result(what)
            if gone:
                client.gone.set()

        client.mqtt.on_connect = lambda _c, _d, _f, reason, _p: loop.call_soon_threadsafe(say, str(reason))
        client.mqtt.on_connect_fail = lambda *_: loop.call_soon_threadsafe(say, "no connection")
        client.mqtt.on_disconnect = lambda *_: loop.call_soon_threadsafe(lambda: say("cut off", gone=True))
        client.mqtt.on_publish = lambda _c, _d, mid, reason, _p: client.answers.__setitem__(mid, str(reason))
        client.mqtt.on_subscribe = lambda _c, _d, mid, _reasons, _p: client.answers.__setitem__(mid, "subscribed")
        client.mqtt.on_message = lambda _c, _d, message: client.heard.append(message.topic)
        if user is not None:
            client.mqtt.username_pw_set(user, password)
        if trust:
            pair = (
                {
                    "certfile": str(self.certificates / f"{certificate}.crt"),
                    "keyfile": str(self.certificates / f"{certificate}.key"),
                }
                if certificate
                else {}
            )
            client.mqtt.tls_set(str(self.certificates / "ca.crt"), **pair)
        client.mqtt.reconnect_delay_set(60, 60)
        if kept:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 3600
            client.mqtt.connect_async("127.0.0.1", port or self.port, clean_start=False, properties=properties)
        else:
            client.mqtt.connect_async("127.0.0.1", port or self.port)
        client.mqtt.loop_start()
        self.clients.append(client)
        await asyncio.wait_for(asyncio.shield(client.connected), PATIENCE_S)
        return client

    async def gateway(self) -> Client:
        return await self.connect("gateway", self.gateway_password, port=self.gateway_port, name="gateway-test")

    async def car(self, vin: str = CARS[0]) -> Client:
        return await self.connect(vin, self.cars[vin])

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            mosquitto() or "",
            "-c",
            str(self.folder / "mosquitto.conf"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            preexec_fn=die_with_parent(),
        )
        async with asyncio.timeout(PATIENCE_S):
            for port in (self.port, self.gateway_port):
                while not await listens(port):
                    await asyncio.sleep(0.02)

    async def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            await self.process.wait()
            self.process = None

    async def enrol(self, vin: str, secret: str) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            await vehicles.enrol(connection, vin, secret, NOW)
        self.cars[vin] = secret


@pytest.fixture
async def set_up(database: Database, pool_as: PoolAs, home: Path) -> Callable[..., Any]:
    """`async with set_up(options) as broker`: a dealer with two cars, certificates, files, mosquitto and the
    follower.
    """
    pool = await pool_as("admin")
    dealer = await pool.fetchval(
        "INSERT INTO dealers (name, zone, country, phone, address, opening_hours, language, created_at) "
        "VALUES ('Nord', 'Europe/Berlin', 'DE', '+494066969100', 'Hafenstraße 1', 'Mo-Fr 08:00-18:00', 'de', $1) "
        "RETURNING id",
        NOW,
    )
    for vin in CARS:
        await pool.execute(
            "INSERT INTO vehicles (vin, dealer_id, dealer_since, profile, title) "
            "VALUES ($1, $2, $3, 'petrol_hatch', 'a car')",
            vin,
            dealer,
            NOW,
        )

    @asynccontextmanager
    async def make(**options: Any) -> AsyncIterator[Broker]:
        ports = (free_port(), free_port())
        broker = Broker(
            home / "mosquitto", home / "certificates", *ports, broker_secrets(database.secret)["gateway"], {}, pool
        )
        for vin in CARS:
            await broker.enrol(vin, os.urandom(32).hex())
        broker.certificates.mkdir()
        certificates.authority(broker.certificates, NOW)
        certificates.server(broker.certificates, ["127.0.0.1"], NOW)
        certificates.client(broker.certificates, CARS[0], NOW)
        files = MosquittoFiles(
            broker.folder, broker.certificates, Doors(*ports, **options), broker.gateway_password, _account()
        )
        ready = asyncio.Event()
        follower = asyncio.create_task(
            broker_files.follow(database.role("gateway"), files, lambda **facts: ready.set())
        )
        await asyncio.wait_for(ready.wait(), PATIENCE_S)
        broker.follower = follower
        await broker.start()
        try:
            yield broker
        finally:
            for client in broker.clients:
                client.end()
            follower.cancel()
            await asyncio.gather(follower, return_exceptions=True)
            await broker.stop()

    return make


async def test_a_car_speaks_for_itself_alone(set_up: Any) -> None:
    async with set_up() as broker:
        gateway = await broker.gateway()
        await gateway.subscribe(*(f"vehicles/{bucket:02d}/+/up/+" for bucket in range(16)))
        mine, other = CARS
        taken = [
            where
            for where in (
                topic(mine, "up/telemetry"),
                topic(mine, "up/status"),
                topic(mine, "up/x"),
                topic(other, "up/telemetry"),
                topic(mine, "down/acks"),
                topic(other, "down/acks"),
                f"vehicles/{(bucket_of(mine) + 1) % 16:02d}/{mine}/up/telemetry",
                f"vehicles/{bucket_of(mine):02d}/gateway/up/pulse",
                f"vehicles/{mine}/up/telemetry",
                "workshop/x",
                "$SYS/broker/x",
            )
            if await (await broker.car()).publish(where)
        ]
        assert taken == [topic(mine, "up/telemetry"), topic(mine, "up/status")]
        await until(lambda: len(gateway.heard) == 2)
        assert gateway.heard == [topic(mine, "up/telemetry"), topic(mine, "up/status")]


async def test_a_car_reads_what_is_for_it_and_nothing_else(set_up: Any) -> None:
    async with set_up() as broker:
        gateway, car, other = await broker.gateway(), await broker.car(CARS[0]), await broker.car(CARS[1])
        await car.subscribe("#", "vehicles/#", "vehicles/+/+/down/+", topic(CARS[1], "down/acks"), "$SYS/#")
        await other.subscribe(topic(CARS[1], "down/acks"))
        assert await gateway.publish(topic(CARS[1], "down/acks"))
        assert await other.publish(topic(CARS[1], "up/telemetry"))
        assert await gateway.publish(topic(CARS[0], "down/acks"))
        await until(lambda: car.heard and other.heard)
        assert (set(car.heard), set(other.heard)) == ({topic(CARS[0], "down/acks")}, {topic(CARS[1], "down/acks")})


async def test_a_gateway_says_nothing_in_a_cars_name(set_up: Any) -> None:
    async with set_up() as broker:
        assert not await (await broker.gateway()).publish(topic(CARS[0], "up/telemetry"))
        assert not await (await broker.gateway()).publish("workshop/x")
        gateway = await broker.gateway()
        for where in (
            "vehicles/03/gateway/up/pulse",
            "vehicles/check/gateway-check-1/up/x",
            topic(CARS[0], "down/acks"),
        ):
            assert await gateway.publish(where)


@pytest.mark.parametrize("version", [4, 5])
async def test_who_has_no_password_of_that_door_is_refused(set_up: Any, version: int) -> None:
    async with set_up() as broker:
        mine, secret = CARS[0], broker.cars[CARS[0]]
        for user, password, port in (
            (None, None, broker.port),
            (None, None, broker.gateway_port),
            (mine, None, broker.port),
            (mine, "wrong", broker.port),
            (CARS[1], secret, broker.port),
            ("gateway", "", broker.gateway_port),
            ("gateway", broker.gateway_password, broker.port),
            (mine, secret, broker.gateway_port),
        ):
            refused = await broker.connect(user, password, port=port, name="x", version=version)
            assert await refused.connected in ("Not authorized", "Bad user name or password"), (user, port)
        plain = await broker.connect(mine, secret, trust=False, version=version)
        assert await plain.connected in ("no connection", "cut off")
        assert await (await broker.connect(mine, secret, version=version)).connected == "Success"


async def test_no_car_can_take_over_a_gateways_session(set_up: Any) -> None:
    async with set_up() as broker:
        gateway = await broker.connect("gateway", broker.gateway_password, port=broker.gateway_port, name=client_id(3))
        car = await broker.connect(CARS[0], broker.cars[CARS[0]], name=client_id(3))
        assert await car.connected == "Success"
        assert await gateway.publish("vehicles/03/gateway/up/pulse")
        assert not gateway.gone.is_set()


async def test_who_is_revoked_is_cut_off_within_seconds_and_does_not_come_back(set_up: Any) -> None:
    async with set_up() as broker:
        car, other = await broker.car(CARS[0]), await broker.car(CARS[1])
        async with broker.pool.acquire() as connection, connection.transaction():
            await vehicles.revoke(connection, CARS[0], NOW)
        await asyncio.wait_for(car.gone.wait(), PATIENCE_S)
        assert await (await broker.car(CARS[0])).connected in ("Not authorized", "Bad user name or password")
        assert await other.publish(topic(CARS[1], "up/telemetry"))
        assert not other.gone.is_set()


async def test_enrolling_again_ends_the_old_password_and_the_connection_that_used_it(set_up: Any) -> None:
    async with set_up() as broker:
        old = broker.cars[CARS[0]]
        car = await broker.car()
        await broker.enrol(CARS[0], os.urandom(32).hex())
        await asyncio.wait_for(car.gone.wait(), PATIENCE_S)
        assert await (await broker.connect(CARS[0], old)).connected in ("Not authorized", "Bad user name or password")
        again = await broker.car()
        assert await again.connected == "Success"
        assert await again.publish(topic(CARS[0], "up/telemetry"))


async def test_what_is_owed_to_a_gateway_outlives_a_restart_of_the_broker(set_up: Any) -> None:
    async with set_up() as broker:

        async def gateway() -> Client:
            made = await broker.connect(
                "gateway", broker.gateway_password, port=broker.gateway_port, name="gateway-kept", kept=True
            )
            await made.subscribe(topic(CARS[0], "up/+"))
            return made

        (await gateway()).end()
        car = await broker.car()
        for _ in range(1_500):
            car.mqtt.publish(topic(CARS[0], "up/telemetry"), b"{}", qos=1)
        assert await car.publish(topic(CARS[0], "up/telemetry"))
        await broker.stop()
        await broker.start()
        back = await gateway()
        await until(lambda: len(back.heard) == 1_501)


async def test_a_new_secret_ends_no_session_and_loses_nothing_of_what_is_owed(set_up: Any, database: Database) -> None:
    async with set_up() as broker:
        broker.follower.cancel()
        before = await broker.connect(
            "gateway", broker.gateway_password, port=broker.gateway_port, name="gateway-kept", kept=True
        )
        await before.subscribe(topic(CARS[0], "up/+"))
        before.end()
        files = MosquittoFiles(
            folder=broker.folder,
            certificates=broker.certificates,
            doors=Doors(broker.port, broker.gateway_port),
            gateway_password="another",
            account=_account(),
            gateway_account="gateway-new",
        )
        await broker_files.read(database.role("gateway"), files)
        assert files.write() and files.reload()
        car = await broker.car()
        for _ in range(50):
            assert await car.publish(topic(CARS[0], "up/telemetry"))
        assert not files.write(), "both accounts stay"
        after = await broker.connect("gateway-new", "another", port=broker.gateway_port, name="gateway-kept", kept=True)
        await until(lambda: len(after.heard) == 50)
        an_hour_ago = time.time() - broker_files.OVERLAP_S - 1
        os.utime(broker.folder / "gateways.passwords", (an_hour_ago, an_hour_ago))
        assert files.write() and "gateway:" not in (broker.folder / "gateways.passwords").read_text()
        assert "user gateway\n" not in (broker.folder / "gateways.access").read_text()


async def test_with_client_certificates_a_password_alone_is_not_enough(set_up: Any) -> None:
    async with set_up(client_certificates=True) as broker:
        without = await broker.connect(CARS[0], broker.cars[CARS[0]])
        assert await without.connected in ("no connection", "cut off")
        assert await (await broker.connect(CARS[0], broker.cars[CARS[0]], certificate=CARS[0])).connected == "Success"


async def test_files_and_folder_are_the_brokers_alone(set_up: Any) -> None:
    async with set_up() as broker:
        owner = pwd.getpwnam(_account()).pw_uid if _account() else os.geteuid()
        seen = {
            path.name: (path.stat().st_uid, path.stat().st_mode & 0o777)
            for path in [broker.folder, *broker.folder.glob("*.*")]
            if path.suffix != ".pid"
        }
        assert set(seen.values()) == {(owner, 0o700), (owner, 0o600)}
        for vin, secret in broker.cars.items():
            assert secret not in (broker.folder / "cars.passwords").read_text()
            assert mosquitto_hash(secret) in (broker.folder / "cars.passwords").read_text(), vin


def test_a_hash_is_what_mosquittos_own_program_makes(tmp_path: Path) -> None:
    """Its program makes 101 rounds with a salt of its own; ours of that salt and count is the same."""
    import base64
    import hashlib
    import shutil

    program = shutil.which("mosquitto_passwd")
    if program is None:
        pytest.skip("mosquitto_passwd is not installed on this machine (Debian: apt-get install mosquitto)")
    subprocess.run([program, "-b", "-c", str(tmp_path / "p"), "car", "secret"], check=True, capture_output=True)
    _, kind, rounds, salt, made = (tmp_path / "p").read_text().strip().partition(":")[2].split("$")
    assert kind == "7"
    assert (
        base64.b64encode(hashlib.pbkdf2_hmac("sha512", b"secret", base64.b64decode(salt), int(rounds))).decode() == made
    )
    mine = mosquitto_hash("secret").split("$")
    assert (mine[1], mine[2], len(base64.b64decode(mine[3])), len(base64.b64decode(mine[4]))) == ("7", "1", 12, 64)


def test_a_large_fleet_shares_one_pattern_and_a_small_one_is_bound_to_its_buckets() -> None:
    vins = [f"WVWZZZ1KZ{n:08d}" for n in range(files.LINES_FOR_EACH + 1)]
    assert files.access_of_cars(vins).splitlines() == [
        *(f"pattern write vehicles/+/%u/up/{way}" for way in ("telemetry", "diagnostics", "status")),
        "pattern read vehicles/+/%u/down/+",
    ]
    small = files.access_of_cars(vins[:2])
    assert small.count("user ") == 2
    assert f"topic write {topic(vins[0], 'up/telemetry')}\n" in small
    assert "%u" not in small


async def test_a_car_that_is_removed_is_cut_off(set_up: Any) -> None:
    async with set_up() as broker:
        car = await broker.car()
        await broker.pool.execute("DELETE FROM vehicles WHERE vin = $1", CARS[0])
        await asyncio.wait_for(car.gone.wait(), PATIENCE_S)
