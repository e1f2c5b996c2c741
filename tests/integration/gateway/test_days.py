"""One car's clock and one car's repetitions are its own affair: days, keys, old boots and unknown names make no work
for the others.
"""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

import pytest

from gateway.intake.loop import Intake
from gateway.intake.partitions import NEW_BURST
from rules.engine.judge import Judge
from rules.service.retention import day_of
from schemas.vehicle import bucket_of, topic
from store import days, readings, replays
from store.pool import connect
from tests.integration.gateway.world import TestCar, World, now, until


def counterless(n: int, ago: timedelta = timedelta(0)) -> bytes:
    """What a device without counters says."""
    return json.dumps({"ts": (now() - ago).isoformat(), "signals": {"Vehicle.Speed": n % 100}}).encode()


class Seen(Intake):
    """The gateway's own intake, within a test's reach. No commit of it is refused."""

    made: list[Seen] = []

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.made.append(self)

    async def _redo(self, *_: Any) -> Any:
        raise AssertionError("the database refused a row")


async def stored(world: World, car: TestCar, count: int) -> None:
    async def there() -> bool:
        return await world.count(car) == count

    await until(there)


async def test_two_thousand_messages_of_two_thousand_days_make_few_leaves_and_hold_up_nobody(world: World):
    await world.start()
    wild, other = await world.car(), await world.car()
    before = len(await days.attached(world.pool))
    for n in range(2_000):
        wild.say(wild.body(n + 1, ts=now() - timedelta(days=n - 300)))
    other.say()
    await until(lambda: other.acked)
    await until(lambda: wild.acked and wild.acked[-1]["upto"] == 2_000)
    assert await world.count(wild) == 2_000
    assert len(await days.attached(world.pool)) - before <= NEW_BURST + 20  # and one more each three seconds
    shared = await world.pool.fetchval("SELECT count(*) FROM readings WHERE vehicle_id = $1 AND day = 0", wild.id)
    assert shared > 1_900
    for n in (1, 1_000, 2_000):  # said again it is said already, wherever it lies
        wild.say(wild.body(n, ts=now() - timedelta(days=n - 301)))
    other.say()
    await until(lambda: other.acked[-1]["upto"] == 2)
    assert await world.count(wild) == 2_000


@pytest.mark.parametrize("counted_before", [False, True])
async def test_a_device_without_counters_that_repeats_its_whole_memory_is_stored_once_and_disturbs_nobody(
    world: World, counted_before
):
    first = await world.start(make_intake=Seen)
    car = await world.car()
    if counted_before:
        car.say()
        await until(lambda: car.acked)
    memory = [counterless(n, timedelta(seconds=1_000 - n)) for n in range(700)]
    for body in (*memory, *memory):
        car.say(body)
    await stored(world, car, 700 + counted_before)
    await until(lambda: Seen.made[-1].batch_judge.duplicates == 700)
    await world.stop(first)
    await world.start(make_intake=Seen)
    for body in memory:
        car.say(body)
    car.say(counterless(1_000))
    await stored(world, car, 701 + counted_before)
    assert Seen.made[-1].batch_judge.duplicates >= 700
    assert await world.rejections(car) == []


async def test_a_message_without_counters_is_known_again_whichever_day_it_was_put_to(world: World):
    """It came when its day had no leaf of its own (or had one), and comes again when it has one (or has none any
    more).
    """
    await world.start(retention_days=10)
    car = await world.car()
    old = [counterless(n, timedelta(days=30, seconds=n)) for n in range(5)]
    for body in old:
        car.say(body)
    await stored(world, car, 5)
    assert await world.pool.fetchval("SELECT count(*) FROM readings WHERE vehicle_id = $1 AND day = 0", car.id) == 5
    await world.stop(world.gateways[0])
    await world.start(retention_days=400)
    young = [counterless(n, timedelta(days=30, seconds=n)) for n in range(5, 10)]
    for body in (*old, *young):
        car.say(body)
    await stored(world, car, 10)
    assert await world.pool.fetchval("SELECT count(*) FROM readings WHERE vehicle_id = $1 AND day = 0", car.id) == 5
    await world.stop(world.gateways[1])
    await world.start(retention_days=20)
    for body in (*old, *young, counterless(11)):
        car.say(body)
    await stored(world, car, 11)


async def test_a_restarted_gateway_has_the_same_memory_of_a_device_without_counters(world: World, judge: Judge):
    first = await world.start()
    car = await world.car()
    for n in range(150):  # beyond one checkpoint
        car.say(counterless(n, timedelta(seconds=500 - n)))
    await stored(world, car, 150)
    await world.stop(first)
    await world.start(make_intake=Seen)
    for n in range(150, 160):
        car.say(counterless(n, timedelta(seconds=500 - n)))
    await stored(world, car, 160)
    live = Seen.made[-1].fleet.by_vin[car.vin].memory
    async with world.pool.acquire() as connection:
        rows = await replays.page(connection, car.id, 0, 10**9)
        assert [row.place for row in await readings.since(connection, [(car.id, -1, -1, 140)], 0)] == list(
            range(141, 161)
        )  # once each
    memory = judge.memory("petrol_hatch")
    for row in rows:
        judge.step(memory, row)
    assert [row.place for row in rows] == list(range(1, 161)) and bytes(live) == bytes(memory)


async def test_a_car_that_jumps_between_old_boots_is_put_off_and_keeps_what_it_said(world: World):
    await world.start()
    car, other = await world.car(), await world.car()
    for boot in range(1, 201):
        car.boot = boot
        car.say(car.body(1))
    await until(lambda: car.acked and car.acked[-1]["boot"] == 200)
    car.acked.clear()
    for boot in random.Random(1).sample(range(1, 190), 150):
        car.boot = boot
        car.say(car.body(2))
    other.say()
    await until(lambda: other.acked)

    async def put_off() -> int:
        return await world.pool.fetchval(
            "SELECT coalesce(sum(times), 0) FROM quarantine WHERE vehicle_id = $1 AND reason = 'flood'", car.id
        )

    await until(put_off)
    there = {
        row["boot"]
        for row in await world.pool.fetch("SELECT boot FROM readings WHERE vehicle_id = $1 AND seq = 2", car.id)
    }
    assert 1 <= len(there) < 150
    await until(lambda: {ack["boot"] for ack in car.acked if ack["upto"] == 2} >= there)
    assert {ack["boot"] for ack in car.acked if ack["upto"] == 2} == there  # what was put off has no ack


async def test_the_first_words_of_many_new_cars_are_looked_up_together(world: World):
    await world.start(make_intake=Seen)
    known = await world.car()
    cars = [await world.car(connect=False) for _ in range(30)]
    await until(lambda: all(car.vin in Seen.made[-1].fleet.by_vin for car in cars))
    assert known.vin in Seen.made[-1].fleet.by_vin
    asked: list[int] = []
    fleet, decoder = Seen.made[-1].fleet, Seen.made[-1].decoder
    read = decoder.writer.read

    async def counted(work: Any) -> Any:
        asked.append(1)
        return await read(work)

    decoder.writer.read = counted  # type: ignore[method-assign]
    for car in cars:  # as if the bell had not been heard
        fleet.part(car.id)
    await decoder._meet([topic(car.vin, "up/telemetry").encode() for car in cars])
    assert len(asked) == 1 and all(
        car.vin in fleet.by_vin and fleet.by_vin[car.vin].bucket == bucket_of(car.vin) for car in cars
    )


async def test_looking_up_keys_and_loading_cars_opens_the_leaves_of_the_days_in_question_only(world: World):
    """Each of 400 days that is planned for costs a tenth of a millisecond, for every fifty messages."""
    gateway = await connect(world.database.role("gateway"), name="test")
    today = day_of(now())
    for day in range(today - 60, today + 2):
        await days.open_leaf(gateway, day)
    seen: list[tuple[str, tuple[Any, ...]]] = []
    gateway.add_query_logger(
        lambda record: seen.append((record.query, record.args)) if "readings" in record.query else None
    )
    some = readings.Reading(1, 1, 1, 0.0, 0.0, (), (), today, place=1)
    await readings.known_keys(gateway, [(1, 2, today), (1, 2, 0), (1, 3, today - 1)])
    await readings.since(gateway, [(1, 5, 7, 100)], today - 1)
    await readings.give_places(gateway, [some])
    await until(lambda: len(seen) == 3)
    seen.append((readings._EXISTS, (1, 1, 1, today)))
    for (query, arguments), most in zip(seen[:], (3, 4, 1, 1), strict=True):
        for mode in ("force_custom_plan", "force_generic_plan"):
            await gateway.execute(f"SET plan_cache_mode = {mode}")
            plan = "\n".join(row[0] for row in await gateway.fetch(f"EXPLAIN (ANALYZE) {query}", *arguments))
            opened = {
                word
                for word in plan.replace(",", " ").split()
                if word.startswith("readings_") and not word.endswith("_pkey")
            }
            assert 1 <= len(opened) <= most, plan
            assert "Seq Scan" not in plan
    await gateway.close()
