"""One story: an OVMS car, a TeslaMate car, a dongle and a fleet platform's webhook, each raises its alert.

The broker of the feeds, PostgreSQL, the gateway and its rules are the real ones; only the hours between two words are
not waited for.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from gateway.feeds.door import Door
from proofs.bench.brokers import mosquitto
from rules.catalogue.ev_health import HEALTH
from rules.engine.thresholds import wheel_paths
from store import clock, feed_secrets, feeds
from tests.integration.gateway.conftest import ROOM
from tests.integration.gateway.test_feeds import Foreign
from tests.integration.gateway.world import TestCar, World, now, until

SECRET, HOUSE = b"shared", "a house's secret"
OVMS, TESLA, DONGLE = "ovms/hansen/blueleaf/metric", "teslamate/cars/1", "wican/a1b2c3/auto"
ROUNDS, EVERY = 14, timedelta(minutes=5)


async def alerts_of(world: World, car: TestCar) -> set[str]:
    rows = await world.pool.fetch("SELECT rule FROM alerts WHERE vehicle_id = $1 AND state = 'active'", car.id)
    return {row["rule"] for row in rows}


async def test_cars_that_speak_otherwise_each_raise_their_alert(
    world: World, mosquittos: Callable[..., Awaitable[int]], home: Any
):
    if mosquitto() is None:
        pytest.skip("mosquitto is not installed on this machine (Debian: apt install mosquitto)")
    elapsed = timedelta()
    async with world.pool.acquire() as connection:
        await clock.write(connection, now(), now(), 1.0)  # a time-lapse: nobody compares clocks
    foreign = Foreign(world, await mosquittos("allow_anonymous true", f"persistence_location {home}/", *ROOM))
    leaf = await world.car(profile="electric_car", connect=False, enrol=False)
    tesla = await world.car(profile="electric_car", connect=False, enrol=False)
    golf = await world.car(profile="petrol_hatch", connect=False, enrol=False)
    van = await world.car(profile="diesel_van", connect=False, enrol=False)
    ovms, teslamate, wican = [await foreign.feed(kind, kind) for kind in ("ovms", "teslamate", "wican")]
    await foreign.map(ovms, "hansen/blueleaf", leaf)
    await foreign.map(teslamate, "1", tesla)
    await foreign.map(wican, "a1b2c3", golf)
    async with world.pool.acquire() as connection, connection.transaction():
        sealed, key = feed_secrets.seal(SECRET, HOUSE), feed_secrets.digest("unused")
        platform = await feeds.add(
            connection, world.dealer, "samsara", root=None, key_hash=key, signing=sealed, now=now()
        )
    gateway = await world.start(
        feeds_url=foreign.url, feeds_door=Door("127.0.0.1", 0, (HOUSE,)), clock=lambda: now() + elapsed
    )

    def speak() -> None:
        foreign.say(f"{OVMS}/v/b/soh", "58")
        foreign.say(f"{OVMS}/v/p/speed", "0")
        for wheel, bar in (("fl", "2.9"), ("fr", "2.9"), ("rl", "2.0"), ("rr", "2.9")):
            foreign.say(f"{TESLA}/tpms_pressure_{wheel}", bar)
        foreign.say(DONGLE, '{"OIL_LIFE": 3, "COOLANT_TMP": 88, "ENGINE_RPM": 812}', retain=False)

    async def round_done(before: dict[int, int]) -> bool:
        return all([await world.count(car) > before[car.id] for car in (leaf, tesla, golf)])

    await foreign.says(DONGLE, '{"OIL_LIFE": 3}', lambda: world.count(golf))
    for _ in range(ROUNDS):
        before = {car.id: await world.count(car) for car in (leaf, tesla, golf)}
        speak()
        await until(lambda: round_done(before))  # noqa: B023
        elapsed += EVERY

    event = {
        "eventId": "7f1c",
        "vehicle": {"id": "281", "externalIds": {"vin": van.vin}},
        "faultCodes": {"passenger": [{"code": "P0217", "status": "confirmed"}]},
    }
    body, stamp = json.dumps(event).encode(), str(int(time.time()))
    signature = hmac.new(SECRET, b"v1:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {"X-Signature": f"v1={signature}", "X-Timestamp": stamp}
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{gateway.facts['feeds']}/feeds/{platform}",  # type: ignore[attr-defined]
            data=body,
            headers=headers,
        ) as answer,
    ):
        assert answer.status == 200

    async def all_alerted() -> bool:
        return (
            "ev_health" in await alerts_of(world, leaf)
            and bool({"tyre_low", "tyre_leak"} & await alerts_of(world, tesla))
            and "oil_life" in await alerts_of(world, golf)
            and "trouble_code" in await alerts_of(world, van)
        )

    async def shown(car: TestCar) -> set[str]:
        """What stands at the car's page: also what came in messages of their own."""
        found = await world.pool.fetchval("SELECT values FROM latest WHERE vehicle_id = $1", car.id)
        return set(json.loads(found) if isinstance(found, str) else found or {})

    try:
        await until(all_alerted)
        assert {HEALTH, "Vehicle.Speed"} <= await shown(leaf)
        assert set(wheel_paths("Tire.Pressure")) <= await shown(tesla)
    finally:
        foreign.client.disconnect()
        foreign.client.loop_stop()
