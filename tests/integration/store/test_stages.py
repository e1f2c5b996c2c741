"""A rule's stage, and the history of its moves."""

from __future__ import annotations

from datetime import UTC, datetime

from store import stages
from store.pool import transaction
from tests.standing import PoolAs

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


async def test_every_move_of_a_rule_is_history_with_its_reason(pool_as: PoolAs) -> None:
    async with transaction(await pool_as("worker")) as connection:
        await stages.move(connection, "exhaust_fluid", "shadow", reason="on trial", actor="system", now=NOW)
        await stages.move(connection, "exhaust_fluid", "live", reason="3 hits, 0 false", actor="staff:4", now=NOW)
        assert (await stages.stages(connection))["exhaust_fluid"].stage == "live"
        told = [(c.old, c.new, c.reason, c.actor) for c in await stages.moves(connection, "exhaust_fluid")]
    assert told == [(None, "shadow", "on trial", "system"), ("shadow", "live", "3 hits, 0 false", "staff:4")]
