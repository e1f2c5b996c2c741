"""Days of readings leave in two steps, and no wrong clock takes any of them away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway import running
from gateway.intake.batch import Batch
from gateway.intake.partitions import Leaves
from gateway.intake.writer import Writer
from gateway.ops.retention import Retention
from rules.service.retention import date_of, day_of
from schemas.errors import Unavailable
from schemas.reading import Reading
from schemas.retention import RetentionWord
from store import days, readings
from store.pool import connect
from tests.integration.gateway.world import World, now, until

KEPT = 400


class House:
    """A writer that holds the first bucket, a car, and its rows."""

    def __init__(self, world: World, writer: Writer, car: Any) -> None:
        self.world, self.writer, self.car, self.told = world, writer, car, list[tuple[Any, ...]]()

    async def store(self, *agos: int) -> None:
        """A row of so many days ago each."""
        batch = Batch([], now())
        for ago in agos:
            ts = (now() - timedelta(days=ago)).timestamp()
            row = Reading(self.car.id, 1, 10_000 - ago, ts, ts, (1,), (50.0,), int(ts // 86_400), place=10_000 - ago)
            batch.store(row.day, readings.pack(self.world.dealer, row))
        assert await self.writer.save(batch, {}) == {}

    def retention(self, clock: Any = now) -> Retention:
        return Retention(self.writer, clock, KEPT, Leaves(KEPT), lambda *tally: self.told.append(tally))

    async def there(self) -> int:
        return await self.world.count(self.car)

    async def a_day_passes(self) -> None:
        await self.world.pool.execute("UPDATE detached_days SET detached_at = detached_at - interval '24 hours'")


@pytest.fixture
async def house(world: World) -> AsyncIterator[House]:
    writer = Writer(world.database.role("gateway"), "test", "0/1")
    await writer.take([0])
    yield House(world, writer, await world.car(connect=False))
    await writer.close()


async def test_a_clock_500_days_ahead_takes_nothing_away_and_the_desk_hears_of_it(house):
    await house.store(*range(0, 390, 30))
    before = await house.there()
    wrong = house.retention(lambda: now() + timedelta(days=500))
    for _ in range(3):
        plan = await wrong.once()
        assert plan.detach == plan.drop == ()
        await house.a_day_passes()
    assert await house.there() == before == 13
    ((dealer, name, subject, times, detail),) = house.told  # once a day, not with each look
    assert (dealer, name, subject, times) == (
        None,
        "retention_refused",
        "readings",
        1,
    ) and "by one clock and not by all" in detail


async def test_a_gateway_whose_clock_disagrees_with_the_databases_does_not_begin(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(running, "START_S", 0.0)
    with pytest.raises(Unavailable, match="500 days ahead of the database's"):
        await world.start(clock=lambda: now() + timedelta(days=500))


async def test_an_old_day_is_detached_then_dropped_a_day_later_and_not_while_somebody_reads_it(house):
    await house.store(0, 401)
    keeping, old = house.retention(), day_of(now()) - 401
    async with house.world.pool.acquire() as reader:
        transaction = reader.transaction()
        await transaction.start()
        await reader.fetchval("SELECT count(*) FROM readings")
        assert (await keeping.once()).detach == (old,)
        assert await house.writer.read(days.detached) == {}  # the lock is given up, not waited for
        await house.store(1)
        await transaction.rollback()
    await keeping.once()
    assert await house.there() == 2 and list(await house.writer.read(days.detached)) == [old]
    await keeping.once()
    assert not await house.writer.read(lambda c: days.drop(c, old))  # whoever asks for it: not yet
    assert await house.world.pool.fetchval("SELECT count(*) FROM readings_" + f"{date_of(old):%Y%m%d}") == 1
    await house.a_day_passes()
    assert (await keeping.once()).drop == (old,)
    assert await house.writer.read(days.detached) == {}
    assert await house.world.pool.fetchval("SELECT to_regclass($1)", f"readings_{date_of(old):%Y%m%d}") is None


async def test_a_day_that_is_written_to_again_is_there_again_with_all_its_rows(house):
    await house.store(0, 401)
    await house.retention().once()
    assert await house.there() == 1
    ts = (now() - timedelta(days=401)).timestamp()
    batch = Batch([], now())
    row = Reading(house.car.id, 2, 1, ts, ts, (1,), (51.0,), int(ts // 86_400), place=20_000)
    batch.store(row.day, readings.pack(house.world.dealer, row))
    assert await house.writer.save(batch, {}) == {}  # its leaf is remembered, and was taken away under its hands
    assert await house.there() == 3 and await house.writer.read(days.detached) == {}


async def test_what_was_detached_by_mistake_comes_back_by_itself_or_by_hand(house):
    await house.store(0, *range(395, 400))
    short = Retention(house.writer, now, 30, Leaves(30), lambda *tally: None)
    assert len((await short.once()).detach) == 5 and await house.there() == 1
    worker = await connect(house.world.database.role("worker"), name="test")
    assert await days.attach(worker, day_of(now()) - 395) and not await days.attach(worker, day_of(now()) - 200)
    await worker.close()
    assert await house.there() == 2
    await house.a_day_passes()
    plan = await house.retention().once()  # with the retention as it should be
    assert len(plan.attach) == 4 and plan.drop == () and await house.there() == 6


async def test_a_person_lets_more_days_go_at_once(house):
    await house.store(0, *range(401, 431))
    assert len((await house.retention().once()).detach) == 7
    worker = await connect(house.world.database.role("worker"), name="test")
    await days.say(worker, RetentionWord(None, 100, now()))
    await worker.close()
    assert len((await house.retention().once()).detach) == 23
    assert await house.there() == 1


async def test_an_older_gateway_beside_a_newer_one_destroys_nothing(house):
    await house.store(0, 10)
    gateway = await connect(house.world.database.role("gateway"), name="test")
    assert await gateway.fetchval("SELECT drop_day($1)", day_of(now()) - 10)
    await gateway.close()
    assert list(await house.writer.read(days.detached)) == [day_of(now()) - 10]
    await house.retention().once()
    assert await house.there() == 2


async def test_rows_without_a_day_of_their_own_go_by_when_they_were_received(house):
    def stray(seq: int, received: datetime) -> bytes:
        return readings.pack(
            house.world.dealer, Reading(house.car.id, 1, seq, 1e9, received.timestamp(), (1,), (50.0,), 0, place=seq)
        )

    batch = Batch([], now())
    batch.rows[0] = [stray(1, now() - timedelta(days=402)), stray(2, now() - timedelta(days=398))]
    assert await house.writer.save(batch, {}) == {}
    await house.store(0)
    for clock in (lambda: now() + timedelta(days=500), now):
        await house.retention(clock).once()
        assert [row["seq"] for row in await house.world.pool.fetch("SELECT seq FROM readings WHERE day = 0")] == [2]


async def test_the_running_gateway_keeps_the_days(world: World):
    await world.start()
    tomorrow = day_of(now()) + 1

    async def opened() -> bool:
        return tomorrow in await days.attached(world.pool)

    await until(opened)
