"""The composition root: rules follow their stages while the gateway runs, and secrets reach a broker elsewhere."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from rules.catalogue import RULES
from rules.engine.judge import Judge
from store import stages
from store.pool import connect
from telltale import data, wiring
from telltale.embedded.credentials import broker_secrets, signed_in
from tests.conftest import Database
from tests.patience import PATIENCE_S
from tests.standing import PoolAs

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


async def move(pool: Any, stage: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await stages.move(connection, "tyre_leak", stage, reason="trying", actor="system", now=NOW)


async def test_shadow_and_live_change_while_it_runs_and_off_asks_for_a_new_start(
    database: Database, pool_as: PoolAs
) -> None:
    worker = await pool_as("worker")
    judge = Judge(RULES, data.profiles())
    connection: Any = await connect(database.role("gateway"), name="test")
    following = asyncio.create_task(wiring._moved(connection, judge))
    await move(worker, "shadow")
    async with asyncio.timeout(PATIENCE_S):
        while judge.stages["tyre_leak"] != "shadow":
            await asyncio.sleep(0.01)
        await move(worker, "live")
        while judge.stages["tyre_leak"] != "live":
            await asyncio.sleep(0.01)
        await move(worker, "off")
        assert await following == "tyre_leak"
    connection.terminate()


def test_passwords_of_a_broker_elsewhere_follow_from_the_secret_and_given_ones_are_kept() -> None:
    assert (
        signed_in("mqtt://broker:1883", "gateway", "s")
        == f"mqtt://gateway:{broker_secrets('s')['gateway']}@broker:1883"
    )
    assert signed_in("mqtt://me:mine@broker:1883", "gateway", "s") == "mqtt://me:mine@broker:1883"
    assert broker_secrets("s") == broker_secrets("s") != broker_secrets("t")
