"""The broker: it lets the gateway do its work, keeps what it must, lets no stranger in, and a car is heard through all
of it.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.mqtt.address import BrokerAddress, Tls
from gateway.mqtt.trial_client import Refused, Trial
from gateway.ops.auth_callout import AuthCallout
from gateway.ops.self_check import check_broker
from schemas.errors import Misconfigured, Unavailable
from schemas.vehicle import topic
from simulator.connection import Connection as Car
from store import accounts, check, vehicles
from store.pool import Connection
from telltale import clock, data
from telltale.checking.database import office
from telltale.checking.finding import Wrong
from telltale.embedded.credentials import broker_secrets, signed_in, signed_in_at_own
from telltale.settings import Settings

LET_IN_S = 15.0  #: a broker that is told by files knows a new car after two seconds
HEARD_S = 20.0
QUIET_S = 2.0  #: after which the gateway has written whatever it still had of the car
_SIGNALS = {"Vehicle.LowVoltageBattery.CurrentVoltage": 12.6}


async def durable(settings: Settings) -> str:
    """The gateway's own self-check: may it do its work, and does the broker keep and hand out enough?"""
    address = gateways_address(settings)
    async with _auth_callout(settings) as keeper:
        # Whether strangers are let in is a line of its own.
        await check_broker(address, keeper, open_broker=True)
    return f"{address} {'by TLS' if address.tls else 'without TLS'} keeps and hands out what it must"


async def closed(settings: Settings) -> str:
    """Nobody without a password, and nobody with a made-up one."""
    address = cars_address(settings)
    made_up = check.PROBE + "".join(random.choices("ABCDEFGHJKLMNPRSTUVWXYZ", k=4))
    for who, user, password in (("nobody in particular", "", ""), ("a made-up car", made_up, secrets.token_hex(32))):
        if await asyncio.to_thread(_lets_in, address, user, password):
            raise Wrong(
                f"{address} lets {who} in",
                "give each car a password of its own: telltale broker-config mosquitto (docs/howto/own-broker.md)",
            )
    if address.tls is None and not all(_near(host) for host, _ in address.hosts):
        raise Wrong(
            f"{address} is closed, but passwords travel in the clear",
            "let cars come by TLS: telltale certificates make, and mqtts:// (docs/howto/own-broker.md)",
        )
    return f"{address} turns strangers away"


def _lets_in(address: BrokerAddress, user: str, password: str) -> bool:
    tls = address.tls.without_certificate() if address.tls else None
    with suppress(Refused, Unavailable):
        Trial(
            replace(address, tls=tls), user or f"{check.PROBE}-{secrets.token_hex(3)}", clean=True, who=(user, password)
        ).close()
        return True
    return False


async def car(settings: Settings) -> str:
    """A car is enrolled, let in, heard, stored and told so; then it is taken away."""
    async with office(settings) as connection:
        for vehicle, _ in await check.forgotten_probes(connection):
            await check.remove_probe(connection, vehicle)
        dealers = await accounts.dealers(connection)
        if not dealers:
            raise Wrong("there is no dealer yet whose car it could be", "telltale dealer create")
        now = (await clock.read(connection))()
        vin, secret = check.PROBE + f"{secrets.randbelow(10_000):04d}", secrets.token_hex(32)
        vehicle = await check.add_probe(
            connection, vin, dealers[0].id, profile=next(iter(data.profiles())), secret=secret, now=now
        )
        try:
            took = await _speaks(settings, vin, secret, now)
            if (why := await check.refused(connection, vehicle)) is not None:
                raise Wrong(f"it was heard, and what it said was refused ({why})", "look at the gateway's log")
            if not await check.stored(connection, vehicle, now):
                raise Wrong(
                    "it was told that its reading is stored, and it is not there",
                    "look at the gateway's log: this must never be",
                )
        finally:
            await _take_away(connection, vehicle, vin, now)
        left = await check.traces(connection, vehicle)
    if left:
        raise Wrong(
            f"it was heard, but {', '.join(left)} still know of it",
            "run telltale check again: it takes away what is left",
        )
    return f"it was let in, heard, stored and told so within {took:.1f} s, and is gone again"


async def _speaks(settings: Settings, vin: str, secret: str, now: datetime) -> float:
    """Seconds from the first word to our acknowledgement."""
    address = cars_address(settings)
    told = asyncio.Event()
    probe = _connection(address, vin, secret, told)
    running = asyncio.create_task(probe.run())
    try:
        try:
            async with asyncio.timeout(LET_IN_S):
                while not probe.up:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise Wrong(
                f"{address} does not let it in: {probe.refused or 'no answer'}",
                "the embedded broker asks the gateway: is it running? A broker of your own is told by `telltale "
                "broker-config … --follow`: is that running? "
                "Where cars come to another address than the gateway, set TELLTALE_CARS_URL",
            ) from None
        began = time.monotonic()
        probe.publish(
            topic(vin, "up/telemetry"),
            json.dumps({"boot": 1, "seq": 1, "oldest": 1, "ts": now.isoformat(), "signals": _SIGNALS}).encode(),
        )
        try:
            await asyncio.wait_for(told.wait(), HEARD_S)
        except TimeoutError:
            raise Wrong(
                "it was let in and said something, and nobody told it that this is stored",
                "is a gateway running for every share (--share K/N), and what does its log say?",
            ) from None
        return time.monotonic() - began
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _connection(address: BrokerAddress, vin: str, secret: str, told: asyncio.Event) -> Car:
    def hear(where: str, _payload: bytes) -> None:
        if where.endswith("/acks"):
            told.set()

    host, port = address.hosts[0]
    context = address.tls.context() if address.tls else None
    return Car(
        host,
        port,
        client_id=vin,
        user=vin,
        password=secret,
        subscribe=(topic(vin, "down/acks"),),
        on_message=hear,
        tls=context,
    )


async def _take_away(connection: Connection, vehicle: int, vin: str, now: datetime) -> None:
    """First it may no longer speak; what the gateway still had of it is waited for; then everything about it goes."""
    await vehicles.revoke(connection, vin, now)
    quiet = time.monotonic()
    while time.monotonic() - quiet < QUIET_S:
        if await check.clear_probe(connection, vehicle):
            quiet = time.monotonic()
        await asyncio.sleep(0.2)
    async with connection.transaction():
        await check.remove_probe(connection, vehicle)


def gateways_address(settings: Settings) -> BrokerAddress:
    """As the gateway comes: to a broker that asks us, or to one of its own that broker-config takes care of."""
    asks_us = bool(settings.auth_url.get_secret_value())
    url = (
        signed_in(settings.mqtt, "gateway", settings.key) if asks_us else signed_in_at_own(settings.mqtt, settings.key)
    )
    return BrokerAddress.from_url(url, settings.mqtt_version, _tls(settings))


def cars_address(settings: Settings) -> BrokerAddress:
    """As cars come, with our certificate where the broker asks for one."""
    return BrokerAddress.from_url(settings.cars_url or settings.mqtt, settings.mqtt_version, _tls(settings))


def _tls(settings: Settings) -> Tls:
    return Tls(settings.mqtt_ca, settings.mqtt_cert, settings.mqtt_key)


def _near(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


@asynccontextmanager
async def _auth_callout(settings: Settings) -> AsyncIterator[AuthCallout | None]:
    """To ask a broker about itself that asks us who may sign in. It answers nobody: the gateways do."""
    url = settings.auth_url.get_secret_value()
    if not url:
        yield None
        return
    nobody: dict[str, Any] = {}
    seed = settings.auth_seed.get_secret_value() or broker_secrets(settings.key)["issuer_seed"]
    keeper = AuthCallout(signed_in(url, "doorkeeper", settings.key), seed, nobody, _tls(settings))
    try:
        await asyncio.wait_for(keeper.connect(), 10)
    except TimeoutError:
        raise Misconfigured("TELLTALE_AUTH_URL", "nobody answers there") from None
    try:
        yield keeper
    finally:
        await keeper.stop()
