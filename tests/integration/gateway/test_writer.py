"""The end of a commit that nobody heard, and days that come and go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import structlog.testing

from gateway.intake.batch import Batch
from gateway.intake.writer import Writer
from schemas.errors import Unavailable
from schemas.reading import Reading
from store import readings
from store.pool import connect
from store.transactions import Backend
from tests.integration.gateway.world import World, now, until


def row(vehicle: int, seq: int, ts: datetime, place: int | None = None) -> Reading:
    epoch = ts.timestamp()
    return Reading(vehicle, 1, seq, epoch, epoch, (1, 5), (50.0 + seq, 12.5), int(epoch // 86_400), place=place or seq)


@pytest.fixture
async def writer(world: World):
    made = Writer(world.database.role("gateway"), "test", "0/1")
    yield made
    await made.close()


def batch_of(world: Any, vehicle: int, seqs: range, *, more: bool) -> Batch:
    batch = Batch([], now())
    for seq in seqs:
        r = row(vehicle, seq, now())
        batch.store(r.day, readings.pack(world.dealer, r))
    if more:
        batch.count(world.dealer, "denied_publish", "somebody", 1, "x")
    return batch


@pytest.mark.parametrize("more", [False, True])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_connection_lost_around_commit_neither_loses_nor_doubles_a_row(
    world: World, writer, monkeypatch: pytest.MonkeyPatch, more, moment
):
    car = await world.car(connect=False)
    real, tries = Writer._commit, 0

    async def cut(self: Writer, connection: Any, batch: Batch, versions: dict[str, int]) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            if moment == "after":
                await real(self, connection, batch, versions)
            connection.terminate()
            raise asyncpg.ConnectionDoesNotExistError("cut")
        await real(self, connection, batch, versions)

    monkeypatch.setattr(Writer, "_commit", cut)
    assert await writer.save(batch_of(world, car.id, range(1, 51), more=more), {}) == {}
    assert await world.count(car) == 50
    assert tries == (1 if moment == "after" else 2)
    if more:
        assert await world.pool.fetchval("SELECT times FROM tallies WHERE subject = 'somebody'") == 1


async def test_a_disk_that_refuses_now_this_and_now_that_is_one_line_in_the_log(world: World, writer):
    async def full(connection: Any) -> None:
        raise asyncpg.DiskFullError("no space left on device")

    async def empty(connection: Any) -> None:
        """A read that needs no room."""

    with structlog.testing.capture_logs() as lines:
        for _ in range(5):
            with pytest.raises(Unavailable):
                await writer.write(full)
            await writer.write(empty)
    assert [line["reason"] for line in lines if line["event"] == "database_away"] == ["DiskFullError"]


async def test_a_server_process_killed_under_a_lease_gives_it_back_to_us(world: World, writer):
    assert await writer.take([3, 4]) == [3, 4]
    car = await world.car(connect=False)
    # the server has other tests' gateways, too
    ours = "datname = current_database() AND application_name = 'telltale-gateway'"
    await world.pool.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}")
    assert await writer.save(batch_of(world, car.id, range(1, 4), more=False), {}) == {}
    held = await world.pool.fetchval(
        "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory' "
        "AND datname = current_database()"
    )
    assert held == 2 and await world.count(car) == 3


async def test_a_fellow_that_bears_the_number_of_our_former_process_is_never_ended(world: World, writer):
    """After a failover the new server gives the same numbers to others."""
    await writer.take([3])
    fellow = await connect(world.database.role("gateway"), name="gateway")
    pid = await fellow.fetchval("SELECT pg_backend_pid()")
    before = writer._backend
    writer._backend = Backend(pid, before.began)  # ours died with the old server; here the number is the fellow's
    writer._drop()
    await world.pool.execute("SELECT pg_terminate_backend($1)", before.pid)
    await writer.write(lambda connection: connection.fetchval("SELECT 1"))
    assert await fellow.fetchval("SELECT pg_backend_pid()") == pid
    await fellow.close()


async def test_a_series_is_read_in_pages_with_its_spacing(world: World, writer):
    car = await world.car(connect=False)
    start = datetime(2026, 11, 20, 23, 59, 50, tzinfo=UTC)
    batch = Batch([], now())
    for seq in range(1, 31):
        r = row(car.id, seq, start + timedelta(seconds=seq))
        batch.store(r.day, readings.pack(world.dealer, r))
    await writer.save(batch, {})
    async with world.pool.acquire() as connection:
        first = await readings.series(connection, world.dealer, car.id, 1, start, start + timedelta(hours=1), limit=20)
        last = first[-1]
        rest = await readings.series(
            connection,
            world.dealer,
            car.id,
            1,
            start,
            start + timedelta(hours=1),
            after=(last.ts, last.boot, last.seq),
            limit=20,
        )
        rows = await readings.page(connection, world.dealer, car.id, start, start + timedelta(hours=1), limit=100)
        other = await readings.series(connection, world.dealer + 1, car.id, 1, start, start + timedelta(hours=1))
        unfolded = await connection.fetchval("SELECT count(*) FROM reading_values WHERE vehicle_id = $1", car.id)
    assert [p.seq for p in [*first, *rest]] == list(range(1, 31)) and other == []
    assert {(b.ts - a.ts).total_seconds() for a, b in zip(first, first[1:], strict=False)} == {1.0}
    assert len(rows) == 30 and rows[0].ids == (1, 5) and unfolded == 60


async def test_late_data_keeps_its_time_and_has_a_day_of_its_own_while_it_is_within_the_retention(world: World):
    await world.start()
    car = await world.car()
    result = [datetime(2019, 7, 1, 12, tzinfo=UTC), now() - timedelta(days=399), now()]
    for seq, ts in enumerate(result, 1):
        car.say(car.body(seq, ts=ts))
    await until(lambda: car.acked and car.acked[-1]["upto"] == 3)
    rows = await world.pool.fetch("SELECT ts, mark, day FROM readings WHERE vehicle_id = $1 ORDER BY seq", car.id)
    assert [row["ts"] for row in rows] == result and {row["mark"] for row in rows} == {0}
    assert [row["day"] for row in rows] == [0, *(int(ts.timestamp() // 86_400) for ts in result[1:])]
