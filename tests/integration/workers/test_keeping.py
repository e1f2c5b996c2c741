"""What is past its limit goes, nothing younger does, and open cases keep what they need; in a real database."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from rules.service.retention import day_of
from schemas.alert import AlertState
from schemas.errors import BadInput
from schemas.keeping import KINDS, WHERE, WHERE_IDS
from store import history, quarantine
from store.house_key import KeyHolder
from store.pool import transaction
from tests.conftest import SECRET
from tests.integration.workers.conftest import Scene
from workers import keeping
from workers.sealing import Sealer, verify

HOUSE_DAYS = 400
LIMITS = {"readings": 40, "positions": 10, "texts": 60, "audit": 365}
ROW = """INSERT INTO readings (dealer_id, vehicle_id, boot, seq, day, ts, received_at, mark, ids, vals)
VALUES ($1, $2, 1, $3, $4, $5, $6, 0, $7, $8)"""
_seq = itertools.count(1)


@pytest.fixture
async def kept(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Limits of every kind; small pieces, so that each kind takes several. The database's clock is that of the test."""
    monkeypatch.setattr(keeping, "BLOCKS", 1)
    monkeypatch.setattr(keeping, "ROWS", 3)
    scene.context = replace(scene.context, house_key=KeyHolder(SECRET))
    sets = ", ".join(f"keep_{kind}_days = {days}" for kind, days in LIMITS.items())
    await scene.admin.execute(f"UPDATE dealers SET {sets}")
    await scene.admin.execute("INSERT INTO clock (anchor, started, speed, seen) VALUES ($1, $1, 1, $1)", scene.clock())
    scene.clock.at = scene.clock.at.replace(hour=0)  # so that an age in days is one side of a limit or the other
    await says(scene, 0)
    return scene


async def says(scene: Any, *agos: float, car: int | None = None, received: float | None = None) -> None:
    """The car said so many days ago where it was, and its speed."""
    async with scene.admin.acquire() as connection:
        for ago in agos:
            at = scene.clock() - timedelta(days=ago)
            day = day_of(at)
            await connection.execute("SELECT open_day($1)", day)
            heard = at if received is None else scene.clock() - timedelta(days=received)
            await connection.execute(
                ROW,
                scene.dealer.id,
                car or scene.car.id,
                next(_seq),
                day,
                at,
                heard,
                [1, *WHERE_IDS, 2],
                [50.0, 52.5, 13.4, 34.0, 7.0],
            )
        await connection.execute("SELECT pg_stat_force_next_flush()")


async def run(scene: Any, *, days: float = 0) -> int:
    """A day has passed since the last time, whatever the clock says."""
    scene.clock.on(days=days)
    await scene.admin.execute("UPDATE keeping_runs SET ran_at = ran_at - interval '2 days'")
    return await keeping.once(scene.context, HOUSE_DAYS)


async def ages(scene: Any, where: str = "true") -> list[int]:
    rows = await scene.admin.fetch(f"SELECT ts FROM readings WHERE {where} ORDER BY ts DESC")
    return [round((scene.clock() - row["ts"]) / timedelta(days=1)) for row in rows]


async def open_case(scene: Any) -> int:
    await scene.alert(AlertState.PENDING, AlertState.ACTIVE)
    await scene.work()
    return int((await scene.case())["id"])


@pytest.mark.parametrize("seed", range(6))
async def test_nothing_younger_than_its_limit_goes_and_nothing_older_stays(kept, seed):
    """Readings, positions, texts both ways, refused messages and history of random ages, in any order."""
    luck = random.Random(seed)

    def some() -> list[int]:
        return [
            luck.choice((luck.randrange(0, 70), *(limit + luck.randrange(-1, 2) for limit in LIMITS.values())))
            for _ in range(14)
        ]

    result, texts, replies, refused, acts = some(), some(), some(), some(), some()
    await says(kept, *result)
    for n, ago in enumerate(texts):
        at = kept.clock() - timedelta(days=ago)
        text = await kept.queue(body="secret", due_at=at)
        await kept.admin.execute("UPDATE messages SET state = 'sent', queued_at = $2 WHERE id = $1", text, at)
        await kept.admin.execute(
            "INSERT INTO phone_texts (dealer_id, reference, from_address, to_address, body, at) "
            "VALUES ($1, $2, '', '', 'secret', $3)",
            kept.dealer.id,
            f"p{n}",
            at,
        )
    for n, ago in enumerate(replies):
        await kept.admin.execute(
            "INSERT INTO replies (dealer_id, owner_id, channel, provider_id, from_address, to_address, body, "
            "understood, received_at) VALUES ($1, $2, 'sms', $3, '+1', '+2', 'secret', 'other', $4)",
            kept.dealer.id,
            kept.owner.id if n % 2 else None,
            str(n),
            kept.clock() - timedelta(days=ago),
        )
    for ago in refused:
        await kept.admin.execute(
            "INSERT INTO quarantine (dealer_id, topic, payload, reason, detail, received_at) "
            "VALUES ($1, 't', 'secret', 'not_json', '', $2)",
            luck.choice((kept.dealer.id, None)),
            kept.clock() - timedelta(days=ago),
        )
    await kept.admin.execute("DELETE FROM history")
    for ago in sorted(acts, reverse=True):
        async with transaction(kept.worker) as connection:
            await history.write(
                connection,
                kept.dealer.id,
                "case",
                1,
                old=None,
                new="x",
                reason="",
                actor="staff:1",
                now=kept.clock() - timedelta(days=ago),
            )
    await seal(kept)

    await run(kept)
    expected = sorted([0, *result])
    assert await ages(kept) == [ago for ago in expected if ago <= LIMITS["readings"]]
    assert await ages(kept, "ids && ARRAY[62, 63, 64]::smallint[]") == [
        ago for ago in expected if ago <= LIMITS["positions"]
    ]
    assert {
        tuple(row["vals"])
        for row in await kept.admin.fetch("SELECT vals FROM readings WHERE NOT ids && ARRAY[62, 63, 64]::smallint[]")
    } <= {(50.0, 7.0)}
    for table, at, agos, kind in (
        ("messages", "queued_at", texts, "texts"),
        ("phone_texts", "at", texts, "texts"),
        ("replies", "received_at", replies, "texts"),
    ):
        rows = await kept.admin.fetch(f"SELECT {at} AS at, body FROM {table}")
        assert sorted((kept.clock() - row["at"]).days for row in rows) == sorted(agos), "that it was sent stays"
        assert all((row["body"] == "secret") is ((kept.clock() - row["at"]).days <= LIMITS[kind]) for row in rows)
    strangers = await kept.admin.fetch("SELECT from_address, body FROM replies WHERE owner_id IS NULL")
    assert all(bool(row["from_address"]) is bool(row["body"]) for row in strangers)
    for row in await kept.admin.fetch("SELECT payload, received_at, dealer_id FROM quarantine"):
        assert bool(row["payload"]) is (
            (kept.clock() - row["received_at"]).days <= (LIMITS["positions"] if row["dealer_id"] else 30)
        )
    left = [
        (kept.clock() - row["at"]).days
        for row in await kept.admin.fetch("SELECT at FROM history WHERE noun = 'case' ORDER BY id")
    ]
    young = [ago for ago in sorted(acts, reverse=True) if ago <= LIMITS["audit"]]
    assert left == (young or [min(acts)])  # the last place of a chain stays
    assert await faults(kept) == []
    await seal(kept)
    assert await faults(kept) == [] and await run(kept) == 0


async def test_what_an_open_case_needs_stays_until_it_is_closed_but_never_where_the_car_was(kept):
    await says(kept, 50)
    kept.clock.on(days=-45)
    case = await open_case(kept)
    kept.clock.on(days=45)
    await says(kept, 44, 42)
    for ago in (61, 30):
        text = await kept.queue(body="about it", case_id=case)
        await kept.admin.execute(
            "UPDATE messages SET state = 'sent', queued_at = $2 WHERE id = $1", text, kept.clock() - timedelta(days=ago)
        )
    await run(kept)
    assert await ages(kept) == [0, 42, 44] and await ages(kept, "ids && ARRAY[63]::smallint[]") == [0]
    assert await kept.admin.fetchval("SELECT count(*) FROM messages WHERE body = 'about it'") == 2
    await kept.admin.execute("UPDATE cases SET state = 'done'")
    await run(kept)
    assert (
        await ages(kept) == [0]
        and await kept.admin.fetchval("SELECT count(*) FROM messages WHERE body = 'about it'") == 1
    )


async def test_what_arrives_late_for_a_day_that_was_thinned_already_goes_the_next_time(kept):
    await says(kept, 20)
    await run(kept)
    assert await run(kept) == 0
    await says(kept, 20)
    assert len(await ages(kept, "ids && ARRAY[63]::smallint[]")) == 2
    assert await run(kept) == 1 and await ages(kept) == [0, 20, 20]


async def test_a_silent_car_no_longer_says_where_it_was(kept):
    old, new = ((kept.clock() - timedelta(days=ago)).timestamp() for ago in (11, 9))
    values = {"Vehicle.Speed": [50.0, old], WHERE[0]: [52.5, old], WHERE[1]: [13.4, new]}
    await kept.admin.execute(
        "INSERT INTO latest (vehicle_id, dealer_id, ts, values) VALUES ($1, $2, $3, $4)",
        kept.car.id,
        kept.dealer.id,
        kept.clock(),
        values,
    )
    await run(kept)
    assert set(await kept.admin.fetchval("SELECT values FROM latest")) == {"Vehicle.Speed", WHERE[1]}


async def test_no_clock_alone_takes_anything_away(kept):
    """The cars' clock, the database's and our own: the one that says the earliest day counts."""
    await says(kept, 5, 30)
    start = await ages(kept)
    ahead = replace(kept.context, clock=lambda: kept.clock() + timedelta(days=500))
    await kept.admin.execute("UPDATE keeping_runs SET ran_at = ran_at - interval '900 days'")
    await keeping.once(ahead, HOUSE_DAYS)
    assert await ages(kept) == start and await ages(kept, "ids && ARRAY[63]::smallint[]") == [0, 5]


async def test_a_shorter_limit_counts_a_day_later_and_each_change_is_a_line_of_history(kept):
    from actions import accounts

    await says(kept, 5)
    await accounts.update_dealer(kept.house.acting(kept.dealer.id, "staff:1"), {"keep_positions_days": 2})
    await run(kept, days=0.5)
    assert len(await ages(kept, "ids && ARRAY[63]::smallint[]")) == 2
    await kept.admin.execute("UPDATE clock SET seen = seen + interval '1 day'")
    await run(kept, days=0.5)
    assert len(await ages(kept, "ids && ARRAY[63]::smallint[]")) == 1
    lines = [
        (row["old"], row["new"], row["actor"])
        for row in await kept.admin.fetch("SELECT * FROM history WHERE noun = 'dealer' ORDER BY id")
    ]
    assert ("positions kept 10 days", "positions kept 2 days", "staff:1") in lines and (
        None,
        "taken away",
        "worker",
    ) in lines


async def test_whole_days_of_the_house_are_left_to_the_gateway_and_its_two_steps(kept):
    await kept.admin.execute("UPDATE dealers SET keep_readings_days = 400")
    await says(kept, 401)
    await run(kept)
    assert await ages(kept) == [0, 401]


async def test_two_workers_take_turns_and_what_failed_is_tried_again_within_the_hour(
    kept, monkeypatch: pytest.MonkeyPatch
):
    async def stumble(self: Any) -> None:
        raise RuntimeError("the disk is full")

    await says(kept, 20)
    monkeypatch.setattr(keeping.Keeper, "_texts", stumble)
    with pytest.raises(RuntimeError):
        await run(kept)
    monkeypatch.undo()
    assert await keeping.once(kept.context, HOUSE_DAYS) == 0
    reason = await kept.admin.fetchval("SELECT reason FROM history WHERE new = 'taken away'")
    assert reason == "past its limit: 1 positions"
    kept.clock.on(hours=1.1)
    await keeping.once(kept.context, HOUSE_DAYS)
    assert (
        await kept.admin.fetchval("SELECT ran_at FROM keeping_runs WHERE dealer_id = $1", kept.dealer.id)
        == kept.clock()
    )


async def test_a_chain_that_somebody_else_shortened_or_whose_beginning_was_forged_is_found(kept):
    await kept.admin.execute("DELETE FROM history")
    for n in range(6):
        async with transaction(kept.worker) as connection:
            await history.write(
                connection,
                kept.dealer.id,
                "case",
                n,
                old=None,
                new="x",
                reason="",
                actor="staff:1",
                now=kept.clock() - timedelta(days=400 - n),
            )
    await seal(kept)
    before = await kept.admin.fetchval("SELECT max(position) FROM audit_seals WHERE dealer_id = $1", kept.dealer.id)
    async with kept.admin.acquire() as connection:
        trial = connection.transaction()
        await trial.start()
        assert await connection.fetchval("SELECT cut_history($1, 2, sha256('x'))", kept.dealer.id) == 2
        assert await faults(kept, connection) == ["cut_off"]
        await trial.rollback()
        assert (
            await connection.fetchval("SELECT cut_history($1, $2, sha256('x'))", kept.dealer.id, before) == 0
        )  # the last place stays
    await kept.admin.execute("UPDATE cases SET state = 'done'")
    await run(kept)
    assert await faults(kept) == [] and await kept.admin.fetchval("SELECT position FROM audit_starts") == before - 1
    await kept.admin.execute("UPDATE audit_starts SET position = position + 1")
    assert "cut_off" in await faults(kept)


async def test_nobody_keeps_for_longer_or_shorter_than_the_bounds_and_an_empty_message_is_not_let_in(kept):
    for kind in KINDS:
        for days in (kind.least - 1, kind.most + 1):
            with pytest.raises(asyncpg.CheckViolationError):
                await kept.admin.execute(f"UPDATE dealers SET {kind.setting} = {days}")
    row = await kept.admin.fetchval(
        "INSERT INTO quarantine (dealer_id, vehicle_id, topic, payload, reason, detail, received_at) "
        "VALUES ($1, $2, 't', '', 'out_of_range', '', $3) RETURNING id",
        kept.dealer.id,
        kept.car.id,
        datetime(2026, 1, 1, tzinfo=UTC),
    )
    with pytest.raises(BadInput, match="no longer kept"):
        async with transaction(kept.house.pool, kept.dealer.id) as connection:
            await quarantine.decide(connection, kept.dealer.id, row, accept=True, actor="staff:1", now=kept.clock())


async def seal(scene: Any) -> None:
    sealer = Sealer(scene.context, KeyHolder(SECRET))
    while await sealer.once():
        pass


async def faults(scene: Any, connection: Any = None) -> list[str]:
    if connection is None:
        async with transaction(scene.worker) as connection:
            return await faults(scene, connection)
    _, _, found = await verify(connection, await KeyHolder(SECRET).key(connection), scene.dealer.id, scene.machine())
    return [fault.what for fault in found]
