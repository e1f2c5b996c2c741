"""Feeds that come by HTTPS: who may, what is answered when, and that nobody pays for somebody else's flood."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from gateway.feeds import door
from schemas.signal import BY_PATH
from schemas.vehicle import bucket_of
from store import feed_secrets, feeds
from tests.integration.gateway.world import TestCar, World, now, until

SPEED = "Vehicle.Speed"
VOLTAGE = "Vehicle.LowVoltageBattery.CurrentVoltage"
HOUSE = "a house's secret"


class Platform:
    """Whoever posts."""

    def __init__(self, world: World, session: aiohttp.ClientSession) -> None:
        self.world, self.session, self.url = world, session, ""

    async def start(self, **options: Any) -> None:
        gateway = await self.world.start(feeds_door=door.Door("127.0.0.1", 0, (HOUSE,)), **options)
        self.url = gateway.facts["feeds"]  # type: ignore[attr-defined]

    async def feed(self, kind: str, key: str = "", *, signing: bytes | None = None) -> feeds.Source:
        async with self.world.pool.acquire() as connection, connection.transaction():
            made = await feeds.add(
                connection,
                self.world.dealer,
                kind,
                root=None,
                key_hash=feed_secrets.digest(key),
                signing=feed_secrets.seal(signing, HOUSE) if signing else None,
                now=now(),
            )
            found = await feeds.by_https(connection, made)
        assert found is not None
        return found

    async def map(self, source: feeds.Source, identity: str, car: TestCar) -> None:
        async with self.world.pool.acquire() as connection, connection.transaction():
            assert await feeds.map_car(connection, source, identity, car.vin, units={}, now=now())

    async def post(
        self, feed: feeds.Source | int, body: bytes | io.BytesIO | dict[str, Any], key: str = "", **headers: str
    ) -> tuple[int, dict[str, Any]]:
        number = feed if isinstance(feed, int) else feed.id
        data = body if isinstance(body, bytes | io.BytesIO) else json.dumps(body).encode()
        told = {**({"Authorization": f"Bearer {key}"} if key else {}), **headers}
        async with self.session.post(f"{self.url}/feeds/{number}", data=data, headers=told) as answer:
            return answer.status, await answer.json() if answer.content_type == "application/json" else {}

    async def stored(self) -> int:
        """What is in the database of all that came."""
        found: int = await self.world.pool.fetchval(
            "SELECT (SELECT count(*) FROM feed_messages) + (SELECT count(*) FROM readings)"
        )
        return found


@pytest.fixture
async def platform(world: World) -> AsyncIterator[Platform]:
    async with aiohttp.ClientSession() as session:
        yield Platform(world, session)


async def values(world: World, car: TestCar, path: str) -> list[float]:
    rows = await world.pool.fetch(
        "SELECT val FROM reading_values WHERE vehicle_id = $1 AND signal_id = $2 ORDER BY ts",
        car.id,
        BY_PATH[path].id,
    )
    return [round(row["val"], 2) for row in rows]


def line(car: str, **signals: Any) -> bytes:
    named = {"speed": SPEED, "voltage": VOLTAGE}
    return json.dumps(
        {"car": car, "ts": now().isoformat(), "signals": {named[name]: one for name, one in signals.items()}}
    ).encode()


def signed(secret: bytes, body: bytes, at: float) -> dict[str, str]:
    stamp = str(int(at))
    made = hmac.new(secret, b"v1:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Signature": f"v1={made}", "X-Timestamp": stamp}


async def test_what_is_answered_with_200_is_in_the_database(world: World, platform: Platform):
    source, car = await platform.feed("jsonl", "key"), await world.car(connect=False)
    await platform.start()
    status, told = await platform.post(source, line(car.vin, speed=50), "key")
    assert (status, told["kept"], told["refused"]) == (200, 1, [])
    assert await platform.stored() >= 1
    await until(lambda: values(world, car, SPEED))
    assert await values(world, car, SPEED) == [50.0]


async def test_what_is_sent_again_counts_once(world: World, platform: Platform):
    source, car = await platform.feed("traccar", "key"), await world.car(connect=False)
    await platform.map(source, "356938035643809", car)
    await platform.start()
    at = now().isoformat()
    position = {"deviceTime": at, "fixTime": at, "speed": 27.0, "attributes": {"power": 11.7}}
    body = {"device": {"uniqueId": "356938035643809"}, "position": position}
    answers = [await platform.post(source, body, "key") for _ in range(3)]
    assert [status for status, _ in answers] == [200, 200, 200]
    await until(lambda: _settled(world))
    assert await values(world, car, VOLTAGE) == [11.7]


async def _settled(world: World) -> bool:
    return not await world.pool.fetchval("SELECT count(*) FROM feed_messages") and bool(
        await world.pool.fetchval("SELECT count(*) FROM readings")
    )


async def test_a_key_that_is_not_the_feeds_own_opens_nothing_and_tells_nothing(world: World, platform: Platform):
    source, other, car = (
        await platform.feed("jsonl", "key"),
        await platform.feed("jsonl", "o"),
        await world.car(connect=False),
    )
    async with world.pool.acquire() as connection, connection.transaction():
        await feeds.switch_off(connection, world.dealer, other.id, now())
    await platform.start()
    body = line(car.vin, speed=50)
    for feed, key in ((source, ""), (source, "o"), (other, "o"), (9_999_999, "key")):
        status, _ = await platform.post(feed, body, key)
        assert status == 401
    async with platform.session.post(f"{platform.url}/feeds/x'", data=body) as answer:
        assert answer.status == 401
    assert await platform.stored() == 0
    await until(lambda: world.pool.fetchval("SELECT times FROM tallies WHERE name = 'feed_forged'"))


async def test_a_signed_webhook_raises_and_a_forged_replayed_or_unsigned_one_is_refused(
    world: World, platform: Platform
):
    source, car = await platform.feed("samsara", signing=b"shared"), await world.car(connect=False)
    await platform.start()
    record = {"id": "281", "externalIds": {"vin": car.vin}}
    record["batteryMilliVolts"] = [{"time": now().isoformat(), "value": 11900}]  # type: ignore[assignment]
    body = json.dumps({"data": [record]}).encode()
    right = signed(b"shared", body, time.time())
    refused = [
        (body.replace(b"11900", b"99900"), right),
        (body, signed(b"guessed", body, time.time())),
        (body, signed(b"shared", body, time.time() - 3600)),
        (body, {**signed(b"shared", body, time.time() - 3600), "X-Timestamp": str(int(time.time()))}),
        (body, {}),
        (body, {"X-Signature": "v1=é".encode().decode("latin-1"), "X-Timestamp": "now"}),
    ]
    for said, headers in refused:
        status, told = await platform.post(source, said, **headers)
        assert (status, bool(told["error"])) == (401, True)
    assert await platform.stored() == 0
    for _ in range(2):
        status, told = await platform.post(source, body, **right)
        assert (status, told["kept"]) == (200, 1)
    await until(lambda: _settled(world))
    assert await values(world, car, VOLTAGE) == [11.9]


async def test_a_wrong_unit_is_refused_by_its_name_and_the_rest_is_kept(world: World, platform: Platform):
    source, car = await platform.feed("jsonl", "key"), await world.car(connect=False)
    await platform.start()
    body = line(car.vin, speed={"value": 31, "unit": "psi"}, voltage={"value": 11900, "unit": "mV"})
    status, told = await platform.post(source, body + b"\nnothing\n", "key")
    assert status == 200
    assert [one["reason"] for one in told["refused"]] == ["not_telemetry", "not_json"]
    assert "psi" in told["refused"][0]["detail"] and "Vehicle.Speed" in told["refused"][0]["detail"]
    await until(lambda: values(world, car, VOLTAGE))
    assert await values(world, car, VOLTAGE) == [11.9]
    assert await values(world, car, SPEED) == []


async def test_an_unmapped_car_is_told_and_stands_in_quarantine(world: World, platform: Platform):
    source = await platform.feed("jsonl", "key")
    await platform.start()
    _, told = await platform.post(source, line("A17", speed=50), "key")
    assert [one["reason"] for one in told["refused"]] == ["unmapped"]
    row = await world.pool.fetchrow("SELECT dealer_id, topic FROM quarantine WHERE reason = 'unmapped'")
    assert (row["dealer_id"], row["topic"]) == (world.dealer, f"/feeds/{source.id}")


async def test_a_name_that_no_database_takes_is_an_unmapped_car_as_any(world: World, platform: Platform):
    source = await platform.feed("jsonl", "key")
    await platform.start()
    body = b'{"car": "A\\u0000", "ts": 1795506130, "signals": {"Vehicle.Speed": 5}}'
    status, told = await platform.post(source, body, "key")
    assert (status, [one["reason"] for one in told["refused"]]) == (200, ["unmapped"])


async def test_a_feed_that_floods_is_told_to_wait_and_the_others_are_not(
    world: World, platform: Platform, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(door, "OF_FEED", (3, 3600.0))
    loud, quiet, car = (
        await platform.feed("jsonl", "l"),
        await platform.feed("jsonl", "q"),
        await world.car(connect=False),
    )
    await platform.start()
    answers = [await platform.post(loud, line(car.vin, speed=n), "l") for n in range(10)]
    assert [status for status, _ in answers] == [200] * 3 + [429] * 7
    assert (await platform.post(quiet, line(car.vin, voltage=12.5), "q"))[0] == 200
    await until(lambda: values(world, car, VOLTAGE))
    await until(lambda: world.pool.fetchval("SELECT times FROM tallies WHERE name = 'flood'"))


async def test_nothing_more_is_taken_of_a_feed_while_too_much_of_it_waits(
    world: World, platform: Platform, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(door, "MOST_WAITING", 1)
    monkeypatch.setattr(door, "LOOKED_S", 0.0)
    source = await platform.feed("jsonl", "key")
    while bucket_of((car := await world.car(connect=False)).vin) % 2 == 0:
        pass
    await platform.start(share=(0, 2))  # and nobody carries its bucket
    assert (await platform.post(source, line(car.vin, speed=50), "key"))[0] == 200
    status, _ = await platform.post(source, line(car.vin, speed=51), "key")
    assert status == 429
    assert await platform.stored() == 1
    await world.start(share=(1, 2))
    await until(lambda: _settled(world))
    assert (await platform.post(source, line(car.vin, speed=52), "key"))[0] == 200


async def test_what_could_not_be_saved_in_time_is_not_answered_as_saved(
    world: World, platform: Platform, monkeypatch: pytest.MonkeyPatch
):
    source, car = await platform.feed("jsonl", "key"), await world.car(connect=False)
    await platform.start()

    async def never(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as away:
        away.setattr(door, "SAVE_S", 0.05)
        away.setattr(door, "keep", never)
        assert (await platform.post(source, line(car.vin, speed=50), "key"))[0] == 503
    assert (await platform.post(source, line(car.vin, speed=50), "key"))[0] == 200


async def test_what_is_too_large_is_refused_as_such(world: World, platform: Platform):
    source = await platform.feed("jsonl", "key")
    await platform.start()
    assert (await platform.post(source, io.BytesIO(b" " * (door.MOST_BYTES + 1)), "key"))[0] == 413
