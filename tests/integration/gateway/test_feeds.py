"""Cars that speak otherwise, over MQTT: from a foreign topic at a foreign broker to a reading of the right car."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gateway.feeds import reader
from proofs.bench.brokers import mosquitto
from schemas.errors import BadInput
from schemas.signal import BY_PATH
from schemas.vehicle import bucket_of
from store import feeds, quarantine
from tests.integration.gateway.conftest import ROOM
from tests.integration.gateway.world import TestCar, World, now, until
from tests.patience import PATIENCE_S

ODOMETER = "Vehicle.TraveledDistance"
SPEED = "Vehicle.Speed"


class Foreign:
    """A broker with foreign topics, and whoever publishes there."""

    def __init__(self, world: World, port: int) -> None:
        self.world, self.url = world, f"mqtt://gateway:-@127.0.0.1:{port}"
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id="somebody")
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def say(self, topic: str, payload: str, *, retain: bool = True, qos: int = 1) -> None:
        self.client.publish(topic, payload, qos=qos, retain=retain).wait_for_publish(20)

    async def feed(self, kind: str, root: str) -> feeds.Source:
        """Switched on, as the command does it."""
        async with self.world.pool.acquire() as connection, connection.transaction():
            made = await feeds.add(connection, self.world.dealer, kind, root=root, key_hash=None, now=now())
            return next(one for one in await feeds.switched_on(connection) if one.id == made)

    async def map(self, source: feeds.Source, identity: str, car: TestCar, **units: str) -> None:
        async with self.world.pool.acquire() as connection, connection.transaction():
            await feeds.map_car(connection, source, identity, car.vin, units=units, now=now())

    async def says(self, topic: str, payload: str, check: Callable[[], Awaitable[Any]]) -> None:
        """Again and again, for what comes before the gateway listens is not heard, or heard as something old."""

        async def once_more() -> Any:
            self.say(topic, payload, retain=False)
            await asyncio.sleep(0.1)
            return await check()

        await until(once_more)


@pytest.fixture
async def foreign(world: World, mosquittos: Callable[..., Awaitable[int]], home: Any) -> AsyncIterator[Foreign]:
    if mosquitto() is None:
        pytest.skip("mosquitto is not installed on this machine (Debian: apt install mosquitto)")
    made = Foreign(world, await mosquittos("allow_anonymous true", f"persistence_location {home}/", *ROOM))
    world.options["feeds_url"] = made.url
    yield made
    made.client.disconnect()
    made.client.loop_stop()


async def values(world: World, car: TestCar, path: str) -> list[float]:
    """All that was believed, once each."""
    rows = await world.pool.fetch(
        "SELECT val FROM reading_values WHERE vehicle_id = $1 AND signal_id = $2 ORDER BY ts", car.id, BY_PATH[path].id
    )
    return list(dict.fromkeys(round(row["val"], 3) for row in rows))


async def waiting(world: World) -> int:
    found: int = await world.pool.fetchval("SELECT count(*) FROM feed_messages")
    return found


async def test_a_metric_of_a_mapped_car_becomes_a_reading_and_leaves_the_inbox(world: World, foreign: Foreign):
    source = await foreign.feed("ovms", "ovms")
    car = await world.car(connect=False)
    await foreign.map(source, "hansen/blueleaf", car)
    await world.start()
    await foreign.says("ovms/hansen/blueleaf/metric/v/p/speed", "50", lambda: values(world, car, SPEED))
    assert await values(world, car, SPEED) == [50.0]
    await until(lambda: _none(waiting(world)))


def event(speed: str) -> str:
    return json.dumps({"data": {"path": SPEED, "dp": {"value": speed, "ts": now().isoformat()}}})


async def _none(count: Awaitable[int]) -> bool:
    return await count == 0


async def test_an_unmapped_car_waits_in_its_dealers_quarantine_with_its_name(world: World, foreign: Foreign):
    await foreign.feed("teslamate", "teslamate")
    await world.start()
    unmapped = "SELECT * FROM quarantine WHERE reason = 'unmapped'"
    await foreign.says("teslamate/cars/7/odometer", "61044.27", lambda: world.pool.fetchrow(unmapped))
    row = await world.pool.fetchrow(unmapped)
    assert (row["dealer_id"], row["topic"], row["payload"]) == (
        world.dealer,
        "teslamate/cars/7/odometer",
        b"61044.27",
    )
    assert "'7' of TeslaMate" in row["detail"]


async def test_what_the_broker_had_kept_is_counted_and_never_read_as_now(world: World, foreign: Foreign):
    foreign.say("teslamate/cars/7/speed", "130")
    source = await foreign.feed("teslamate", "teslamate")
    car = await world.car(connect=False)
    await foreign.map(source, "7", car)
    await world.start()
    await foreign.says("teslamate/cars/7/speed", "20", lambda: values(world, car, SPEED))
    assert await values(world, car, SPEED) == [20.0]
    assert await world.pool.fetchval("SELECT times FROM tallies WHERE name = 'feed_old'")


async def test_what_waited_while_no_gateway_was_there_has_no_time_either(world: World, foreign: Foreign):
    source = await foreign.feed("teslamate", "teslamate")
    car = await world.car(connect=False)
    await foreign.map(source, "7", car)
    gateway = await world.start()
    await foreign.says("teslamate/cars/7/speed", "10", lambda: values(world, car, SPEED))
    await world.stop(gateway)
    await world.pool.execute("DELETE FROM tallies")
    foreign.say("teslamate/cars/7/speed", "130", retain=False)
    await world.start()
    await until(lambda: world.pool.fetchval("SELECT times FROM tallies WHERE name = 'feed_old'"))
    await foreign.says("teslamate/cars/7/speed", "20", lambda: _some(values(world, car, SPEED), 2))
    assert await values(world, car, SPEED) == [10.0, 20.0]


async def test_a_feed_whose_values_have_their_own_time_loses_nothing_of_what_waited(world: World, foreign: Foreign):
    source = await foreign.feed("viss", "viss")
    car = await world.car(connect=False)
    await foreign.map(source, "kuksa-1", car)
    gateway = await world.start()
    await foreign.says("viss/kuksa-1/events", event("50"), lambda: values(world, car, SPEED))
    await world.stop(gateway)
    foreign.say("viss/kuksa-1/events", event("61.5"), retain=False)
    await world.start()
    await until(lambda: _some(values(world, car, SPEED), 2))
    assert await values(world, car, SPEED) == [50.0, 61.5]


async def test_a_vin_that_a_module_says_of_itself_is_shown_and_not_believed(world: World, foreign: Foreign):
    """Whoever may publish below a root could name any car of the dealer's."""
    await foreign.feed("ovms", "ovms")
    car = await world.car(connect=False)
    foreign.say("ovms/hansen/blueleaf/metric/v/vin", car.vin)
    await world.start()
    says = "SELECT detail FROM quarantine WHERE reason = 'unmapped' AND detail LIKE '%its VIN is%'"
    await foreign.says("ovms/hansen/blueleaf/metric/v/p/odometer", "48211.6", lambda: world.pool.fetchval(says))
    assert car.vin in await world.pool.fetchval(says)
    assert await values(world, car, ODOMETER) == []


async def test_a_feed_cannot_speak_for_another_dealers_car(world: World, foreign: Foreign):
    source = await foreign.feed("ovms", "ovms")
    car = await world.car(connect=False)
    await foreign.map(source, "a/b", car)
    other = await world.pool.fetchval(
        "INSERT INTO dealers (name, zone, country, phone, address, opening_hours, language, created_at) "
        "VALUES ('Other', 'Europe/Berlin', 'DE', '+49301234568', 'Street 2', 'Mo-Fr 08:00-18:00', 'en', $1) "
        "RETURNING id",
        now(),
    )
    await world.pool.execute("UPDATE vehicles SET dealer_id = $2 WHERE id = $1", car.id, other)
    await world.start()
    foreign.say("ovms/a/b/metric/v/vin", car.vin)
    await foreign.says(
        "ovms/a/b/metric/v/p/speed",
        "50",
        lambda: world.pool.fetchrow("SELECT 1 FROM quarantine WHERE reason = 'unmapped'"),
    )
    assert await values(world, car, SPEED) == []


async def test_a_value_out_of_range_is_refused_for_the_car_and_the_others_are_kept(world: World, foreign: Foreign):
    source = await foreign.feed("wican", "wican")
    car = await world.car(connect=False)
    await foreign.map(source, "a1", car)
    await world.start()
    await foreign.says("wican/a1/auto", '{"SPEED": 65535, "LV_V": 12.2, "SOC": "fast"}', lambda: _kinds(world, car))
    assert sorted(set(await world.rejections(car))) == ["not_telemetry", "out_of_range"]
    assert await values(world, car, "Vehicle.LowVoltageBattery.CurrentVoltage") == [12.2]


async def _kinds(world: World, car: TestCar) -> bool:
    return len(set(await world.rejections(car))) > 1


async def _some(found: Awaitable[list[Any]], many: int) -> bool:
    return len(await found) >= many


async def test_a_feed_that_is_switched_on_and_off_needs_no_restart(world: World, foreign: Foreign):
    await world.start()
    source = await foreign.feed("ovms", "ovms")
    car = await world.car(connect=False)
    await foreign.map(source, "a/b", car)
    await foreign.says("ovms/a/b/metric/v/p/speed", "50", lambda: values(world, car, SPEED))
    async with world.pool.acquire() as connection, connection.transaction():
        await feeds.switch_off(connection, world.dealer, source.id, now())
    other = await foreign.feed("ovms", "elsewhere")
    await foreign.map(other, "a/b", car)
    foreign.say("ovms/a/b/metric/v/p/speed", "60")
    await foreign.says("elsewhere/a/b/metric/v/p/speed", "70", lambda: _some(values(world, car, SPEED), 2))
    assert await values(world, car, SPEED) == [50.0, 70.0]


async def test_a_message_that_is_kept_twice_is_judged_once(world: World, foreign: Foreign):
    """As when nobody knows how its commit ended, or the gateway dies before it has taken the row out."""
    source = await foreign.feed("viss", "viss")
    car = await world.car(connect=False)
    body = json.dumps({"ts": now().isoformat(), "signals": {SPEED: 50.0}}).encode()
    kept = feeds.Kept(source, feeds.FeedCar(car.id, car.vin), "telemetry", body)
    async with world.pool.acquire() as connection, connection.transaction():
        await feeds.keep(connection, [kept, kept], now())
    await world.start(share=(0, 2))
    await world.start(share=(1, 2))
    await until(lambda: _none(waiting(world)))
    assert await world.count(car) == 1


async def test_nothing_is_acknowledged_before_it_is_committed(
    world: World, foreign: Foreign, monkeypatch: pytest.MonkeyPatch
):
    source = await foreign.feed("viss", "viss")
    car = await world.car(connect=False)
    await foreign.map(source, "kuksa-1", car)
    gateway = await world.start()
    await foreign.says("viss/kuksa-1/events", event("50"), lambda: values(world, car, SPEED))
    taken = asyncio.Event()

    async def never(*_: Any, **__: Any) -> None:
        taken.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as away:
        away.setattr(reader, "keep", never)
        foreign.say("viss/kuksa-1/events", event("61.5"), retain=False)
        await asyncio.wait_for(taken.wait(), PATIENCE_S)
        await world.stop(gateway)  # with the message in hand
    await world.start()
    await until(lambda: _some(values(world, car, SPEED), 2))
    assert await values(world, car, SPEED) == [50.0, 61.5]


async def test_while_too_much_waits_to_be_judged_the_broker_keeps_the_rest(
    world: World, foreign: Foreign, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reader, "MOST_WAITING", 1)
    monkeypatch.setattr(reader, "CROWDED_S", 0.05)
    source = await foreign.feed("viss", "viss")
    while bucket_of((car := await world.car(connect=False)).vin) % 2 == 0:
        pass
    await foreign.map(source, "kuksa-1", car)
    await world.start(share=(0, 2))  # and nobody carries its bucket
    await foreign.says("viss/kuksa-1/events", event("50"), lambda: waiting(world))
    foreign.say("viss/kuksa-1/events", event("61.5"), retain=False)
    assert await values(world, car, SPEED) == []
    await world.start(share=(1, 2))
    await until(lambda: _some(values(world, car, SPEED), 2))
    assert await values(world, car, SPEED) == [50.0, 61.5]


async def test_a_message_that_cannot_be_kept_holds_up_no_other(
    world: World, foreign: Foreign, monkeypatch: pytest.MonkeyPatch
):
    source = await foreign.feed("ovms", "ovms")
    car = await world.car(connect=False)
    await foreign.map(source, "a/b", car)
    whole = reader.keep

    async def picky(writer: Any, settling: Any, found: Any, **more: Any) -> Any:
        if any(one.message.payload == b"66" for one in found):
            raise RuntimeError("as a bug of ours")
        return await whole(writer, settling, found, **more)

    monkeypatch.setattr(reader, "keep", picky)
    await world.start()
    await foreign.says("ovms/a/b/metric/v/p/speed", "50", lambda: values(world, car, SPEED))
    foreign.say("ovms/a/b/metric/v/p/speed", "66")
    await foreign.says("ovms/a/b/metric/v/p/speed", "70", lambda: _some(values(world, car, SPEED), 2))
    assert await values(world, car, SPEED) == [50.0, 70.0]


async def test_what_came_before_a_car_was_mapped_is_read_once_it_is(world: World, foreign: Foreign):
    source = await foreign.feed("teslamate", "teslamate")
    car = await world.car(connect=False)
    await world.start()
    unmapped = "SELECT * FROM quarantine WHERE reason = 'unmapped'"
    await foreign.says("teslamate/cars/7/odometer", "61044.27", lambda: world.pool.fetchrow(unmapped))
    came = await world.pool.fetchval("SELECT min(received_at) FROM quarantine WHERE reason = 'unmapped'")
    await foreign.map(source, "7", car)
    await until(lambda: values(world, car, ODOMETER))
    row = await until(lambda: world.pool.fetchrow(f"{unmapped} AND decided IS NOT NULL"))
    assert (row["decided"], row["vehicle_id"], row["folded_at"] is not None) == ("accepted", car.id, True)
    first = await world.pool.fetchval("SELECT min(ts) FROM readings WHERE vehicle_id = $1", car.id)
    assert abs((first - came).total_seconds()) < 0.01
    assert await world.rejections(car) == ["unmapped"] * len(await world.pool.fetch(unmapped))
    async with world.pool.acquire() as connection:
        with pytest.raises(BadInput, match="cannot be taken back"):
            await quarantine.decide(connection, world.dealer, row["id"], accept=False, actor="staff:1", now=now())
