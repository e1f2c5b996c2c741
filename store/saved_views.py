"""Views of lists that are kept under a name: one's own, and what colleagues share."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from schemas.errors import BadInput
from schemas.view import View
from store.pool import Connection, as_dict

_OF = """
SELECT w.id, w.list, w.name, w.query, w.shared, w.staff_id = $2 AS mine, s.name AS maker
FROM saved_views w JOIN staff s ON s.dealer_id = w.dealer_id AND s.id = w.staff_id
WHERE w.dealer_id = $1 AND w.list = $3 AND (w.staff_id = $2 OR w.shared) ORDER BY lower(w.name), w.id LIMIT 100
"""
_KEEP = """
INSERT INTO saved_views (dealer_id, staff_id, shared, list, name, query, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_COUNT = "SELECT count(*) FROM saved_views WHERE dealer_id = $1 AND staff_id = $2"
_DROP = "DELETE FROM saved_views WHERE dealer_id = $1 AND id = $2 AND (staff_id = $3 OR (shared AND $4)) RETURNING list"


async def of_list(connection: Connection, dealer_id: int, staff_id: int, which: str) -> list[View]:
    """By name."""
    return [View(**as_dict(row)) for row in await connection.fetch(_OF, dealer_id, staff_id, which)]


async def count(connection: Connection, dealer_id: int, staff_id: int) -> int:
    """How many somebody has made."""
    return int(await connection.fetchval(_COUNT, dealer_id, staff_id))


async def keep(
    connection: Connection,
    dealer_id: int,
    staff_id: int,
    *,
    which: str,
    name: str,
    query: str,
    shared: bool,
    now: datetime,
) -> None:
    """BadInput when one's own of that list has the name."""
    try:
        async with connection.transaction():
            await connection.execute(_KEEP, dealer_id, staff_id, shared, which, name, query, now)
    except asyncpg.UniqueViolationError:
        raise BadInput("name", "stands for another view of yours") from None


async def drop(connection: Connection, dealer_id: int, view_id: int, staff_id: int, *, manages: bool) -> str:
    """One's own, and for a manager whatever is shared; its list. BadInput when there is none."""
    which = await connection.fetchval(_DROP, dealer_id, view_id, staff_id, manages)
    if which is None:
        raise BadInput("view", "is none of yours")
    return str(which)
