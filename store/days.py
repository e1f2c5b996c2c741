"""The days of `readings`, each a partition (a leaf): opened before it is needed, detached when it is past retention,
dropped a day later.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import asyncpg

from schemas.reading import Mark
from schemas.retention import RetentionWord
from store.pool import Connection

_OPEN = "SELECT open_day($1)"
_ATTACHED = """
SELECT to_date(right(c.relname, 8), 'YYYYMMDD') - date '1970-01-01' AS day FROM pg_inherits i
  JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'readings'::regclass AND c.relname ~ '^readings_[0-9]{8}$' ORDER BY day
"""
_DETACHED = "SELECT day, detached_at FROM detached_days ORDER BY day"
_SPOKEN = f"SELECT 1 FROM readings WHERE day = $1 AND mark & {int(Mark.CLOCK_SUSPECT)} = 0 LIMIT 1"
_DETACH, _ATTACH, _DROP, _STRAYS = (
    "SELECT detach_day($1)",
    "SELECT attach_day($1)",
    "SELECT drop_detached_day($1)",
    "SELECT drop_strays($1, $2)",
)
_WORD = "SELECT today, at_once, said_at FROM retention_word"
_SAY = """
INSERT INTO retention_word (today, at_once, said_at) VALUES ($1, $2, $3)
ON CONFLICT (only_row) DO UPDATE SET today = excluded.today, at_once = excluded.at_once, said_at = excluded.said_at
"""


def is_taken_away(error: BaseException) -> bool:
    """Whether a leaf was detached or dropped under our hands: asked for anew it is there again."""
    return isinstance(error, asyncpg.UndefinedTableError | asyncpg.InsufficientPrivilegeError)


async def open_leaf(connection: Connection, day: int) -> str:
    """The leaf of that day, made if need be; one that was detached is attached again."""
    return str(await connection.fetchval(_OPEN, day))


async def attached(connection: Connection) -> list[int]:
    """The days that have a leaf of their own, the oldest first."""
    return [row["day"] for row in await connection.fetch(_ATTACHED)]


async def detached(connection: Connection) -> dict[int, datetime]:
    """The days that will be dropped, and since when (machine time)."""
    return {row["day"]: row["detached_at"] for row in await connection.fetch(_DETACHED)}


async def newest_spoken(connection: Connection, days: Iterable[int]) -> int | None:
    """The newest of these days of which a car spoke, by a clock of its own that was believed."""
    for day in sorted(days, reverse=True):
        if await connection.fetchval(_SPOKEN, day):
            return day
    return None


async def detach(connection: Connection, day: int) -> bool:
    """Out of sight, and dropped a day later; False while somebody reads it."""
    return bool(await connection.fetchval(_DETACH, day))


async def attach(connection: Connection, day: int) -> bool:
    """There again with all its rows; False when it is not detached (any more)."""
    return bool(await connection.fetchval(_ATTACH, day))


async def drop(connection: Connection, day: int) -> bool:
    """For good; False when it was not detached for a day yet, or somebody reads it."""
    return bool(await connection.fetchval(_DROP, day))


async def drop_strays(connection: Connection, received_before: datetime, most: int) -> int:
    """Rows of days without a leaf of their own that were received before; how many went."""
    return int(await connection.fetchval(_STRAYS, received_before, most))


async def word(connection: Connection) -> RetentionWord | None:
    """What a person said last."""
    row = await connection.fetchrow(_WORD)
    return RetentionWord(*row) if row else None


async def say(connection: Connection, word: RetentionWord) -> None:
    """Remember what a person said."""
    await connection.execute(_SAY, word.today, word.at_once, word.said_at)
