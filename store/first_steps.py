"""The first days of a house: what was put aside, which text was sent to try."""

from __future__ import annotations

from datetime import datetime

from store import notifications
from store.pool import Connection

_PUT = """
INSERT INTO first_steps (dealer_id, step, aside, actor, at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (dealer_id, step) DO UPDATE SET aside = excluded.aside, actor = excluded.actor, at = excluded.at
"""
_TRIED = """
INSERT INTO first_steps (dealer_id, step, aside, message_id, actor, at) VALUES ($1, $2, false, $3, $4, $5)
ON CONFLICT (dealer_id, step) DO UPDATE SET aside = false, message_id = excluded.message_id, actor = excluded.actor,
  at = excluded.at
"""
_LAST = "SELECT at FROM first_steps WHERE dealer_id = $1 AND step = $2 AND message_id IS NOT NULL FOR UPDATE"


async def put_aside(
    connection: Connection, dealer_id: int, step: str, *, aside: bool, actor: str, now: datetime
) -> None:
    """This house does not need it, or does after all."""
    await connection.execute(_PUT, dealer_id, step, aside, actor, now)
    await notifications.ring_desk(connection, dealer_id, "dealer", dealer_id)


async def tried(
    connection: Connection, dealer_id: int, step: str, *, message_id: int, actor: str, now: datetime
) -> None:
    """This text was sent to try."""
    await connection.execute(_TRIED, dealer_id, step, message_id, actor, now)


async def last_tried(connection: Connection, dealer_id: int, step: str) -> datetime | None:
    """When it was tried last; whoever asks at the same time waits."""
    found: datetime | None = await connection.fetchval(_LAST, dealer_id, step)
    return found
