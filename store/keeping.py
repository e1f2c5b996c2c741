"""What is past its limit goes, a piece at a time; what open cases need stays."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.keeping import KINDS
from store.pool import Connection

HOUSE = 0  #: what belongs to no dealer: refused messages of cars that nobody looks after, stages of rules
_DUE = f"""
SELECT d.id, {", ".join("d." + kind.setting for kind in KINDS)} FROM dealers d LEFT
  JOIN keeping_runs r ON r.dealer_id = d.id
WHERE (r.ran_at IS NULL OR r.ran_at <= $1) AND (d.keep_shortened_at IS NULL OR d.keep_shortened_at <= $1)
UNION ALL SELECT {HOUSE}, {", ".join(str(kind.usual) for kind in KINDS)} WHERE NOT EXISTS (SELECT FROM keeping_runs
  WHERE dealer_id = {HOUSE} AND ran_at > $1)
ORDER BY 1
"""
_BEGIN = """
INSERT INTO keeping_runs (dealer_id, ran_at) VALUES ($1, $2)
ON CONFLICT (dealer_id) DO UPDATE SET ran_at = excluded.ran_at WHERE keeping_runs.ran_at <= $3 RETURNING dealer_id
"""
_AGAIN = "UPDATE keeping_runs SET ran_at = $2 WHERE dealer_id = $1"
_DONE = "UPDATE keeping_runs SET gone = $2 WHERE dealer_id = $1"
_LAST = "SELECT ran_at, gone FROM keeping_runs WHERE dealer_id = $1"
_SPARED = """
SELECT c.vehicle_id, least(c.opened_at, min(a.first_at)) AS since FROM cases c LEFT
  JOIN alerts a ON a.dealer_id = c.dealer_id AND a.case_id = c.id
WHERE c.dealer_id = $1 AND c.state NOT IN ('done', 'dismissed') GROUP BY c.id, c.vehicle_id, c.opened_at
"""
_ARRIVED = """
SELECT to_date(right(relname, 8), 'YYYYMMDD') - date '1970-01-01' AS day, n_tup_ins FROM pg_stat_all_tables
WHERE schemaname = 'public' AND relname ~ '^readings_[0-9]{8}$'
"""
_DAYS = "SELECT day, arrived FROM kept_days WHERE dealer_id = $1 AND what = $2"
_DAY = """
INSERT INTO kept_days (dealer_id, what, day, arrived) VALUES ($1, $2, $3, $4)
  ON CONFLICT (dealer_id, what, day) DO UPDATE SET arrived = excluded.arrived
"""
_FORGET = "DELETE FROM kept_days WHERE dealer_id = $1 AND NOT day = ANY ($2::int[])"
_THIN = "SELECT thin_day($1, $2, $3, $4, $5, $6, $7)"
_WHERE_LAST = """
UPDATE latest SET values = (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(values)
                            WHERE NOT (key = ANY ($2::text[]) AND coalesce((value->>1)::float8, 0) < $3))
WHERE dealer_id = $1 AND EXISTS (SELECT FROM jsonb_each(values) WHERE key = ANY ($2::text[])
  AND coalesce((value->>1)::float8, 0) < $3)
"""
_OPEN = "SELECT c.id FROM cases c WHERE c.dealer_id = $1 AND c.state NOT IN ('done', 'dismissed')"
_OPEN_OF = (
    "SELECT FROM cases c WHERE c.dealer_id = $1 AND c.state NOT IN ('done', 'dismissed') AND c.owner_id = t.owner_id "
    "AND c.opened_at <="
)
#: Tables with words: which rows have any, when they were written, what becomes of them. $1 dealer, $2 before, $3 beyond
#: this row, $4 how many.
_WORDS = {
    "messages": (
        "id",
        "queued_at",
        "body <> '' AND state NOT IN ('queued', 'claimed')",
        f"t.case_id IN ({_OPEN}) OR EXISTS ({_OPEN_OF} t.queued_at)",
        "body = '', facts = facts - 'words'",
    ),
    "replies": (
        "id",
        "received_at",
        "(body <> '' OR owner_id IS NULL AND from_address <> '')",
        f"EXISTS ({_OPEN_OF} t.received_at)",
        "body = '', from_address = CASE WHEN owner_id IS NULL THEN '' ELSE from_address END",
    ),
    "thread_notes": (
        "id",
        "at",
        "body <> ''",
        "EXISTS (SELECT FROM threads h JOIN cases c ON c.dealer_id = h.dealer_id AND c.owner_id = h.owner_id "
        "WHERE h.dealer_id = $1 AND h.id = t.thread_id AND c.state NOT IN ('done', 'dismissed') "
        "AND c.opened_at <= t.at)",
        "body = ''",
    ),
    "feedback": ("case_id", "answered_at", "words IS NOT NULL", f"t.case_id IN ({_OPEN})", "words = NULL"),
    "phone_texts": ("id", "at", "body <> ''", "false", "body = ''"),
}
#: Rows of the house are of no dealer; one that was let in and not folded yet is still needed.
_REFUSED = """
UPDATE quarantine SET payload = '' WHERE id IN (
    SELECT id FROM quarantine WHERE dealer_id IS NOT DISTINCT FROM nullif($1::bigint, 0) AND received_at < $2
      AND payload <> ''
    AND NOT (decided IS NOT DISTINCT FROM 'accepted' AND folded_at IS NULL) ORDER BY id LIMIT $3)
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A dealer for whom a day has passed since the last time. `days` by kind."""

    dealer_id: int
    days: Mapping[str, int]


async def due(connection: Connection, before: datetime) -> list[Due]:
    """Whose last time was before, and who has not shortened a limit since."""
    return [
        Due(row["id"], {kind.name: row[kind.setting] for kind in KINDS}) for row in await connection.fetch(_DUE, before)
    ]


async def begin(connection: Connection, dealer_id: int, now: datetime, before: datetime) -> bool:
    """It is ours to do; False when somebody else has begun it."""
    return await connection.fetchval(_BEGIN, dealer_id, now, before) is not None


async def again(connection: Connection, dealer_id: int, now: datetime) -> None:
    """It did not come to its end: it is due again in an hour."""
    await connection.execute(_AGAIN, dealer_id, now - timedelta(hours=23))


async def done(connection: Connection, dealer_id: int, gone: Mapping[str, int]) -> None:
    """What went."""
    await connection.execute(_DONE, dealer_id, dict(gone))


async def last(connection: Connection, dealer_id: int) -> tuple[datetime, dict[str, int]] | None:
    """When it was done last, and what went."""
    row = await connection.fetchrow(_LAST, dealer_id)
    return (row["ran_at"], row["gone"]) if row else None


async def spared(connection: Connection, dealer_id: int) -> dict[int, datetime]:
    """Cars with an open case, and since when their readings are needed."""
    return {row["vehicle_id"]: row["since"] for row in await connection.fetch(_SPARED, dealer_id)}


async def arrived(connection: Connection) -> dict[int, int]:
    """Rows that the database has counted into each day so far."""
    return {row["day"]: row["n_tup_ins"] for row in await connection.fetch(_ARRIVED)}


async def days_done(connection: Connection, dealer_id: int, what: str) -> dict[int, int]:
    """Days from which it has gone already, and what had arrived by then."""
    return {row["day"]: row["arrived"] for row in await connection.fetch(_DAYS, dealer_id, what)}


async def day_done(connection: Connection, dealer_id: int, what: str, day: int, arrived: int) -> None:
    """It has gone from this day."""
    await connection.execute(_DAY, dealer_id, what, day, arrived)


async def forget_days(connection: Connection, dealer_id: int, there: Collection[int]) -> None:
    """Days that are no longer there need not be remembered."""
    await connection.execute(_FORGET, dealer_id, list(there))


async def thin(
    connection: Connection,
    day: int,
    dealer_id: int,
    signals: Sequence[int] | None,
    spared: Collection[int],
    before: datetime,
    first_block: int,
    blocks: int,
) -> int | None:
    """Some blocks of a day: rows go, or only these values. How many; None when the day has no more blocks."""
    found: int | None = await connection.fetchval(
        _THIN, day, dealer_id, None if signals is None else list(signals), list(spared), before, first_block, blocks
    )
    return found


async def where_last(connection: Connection, dealer_id: int, paths: Sequence[str], before: datetime) -> int:
    """A car that is silent no longer says where it was."""
    return _count(await connection.execute(_WHERE_LAST, dealer_id, list(paths), before.timestamp()))


async def refused(connection: Connection, dealer_id: int, before: datetime, most: int) -> int:
    """The contents of refused messages."""
    return _count(await connection.execute(_REFUSED, dealer_id, before, most))


TEXTS = tuple(_WORDS)


async def words(
    connection: Connection, table: str, dealer_id: int, before: datetime, after: int, most: int
) -> tuple[int, int | None]:
    """The words of some rows beyond `after`; how many went, and the last row that was looked at, None when there are no
    more.
    """
    key, at, there, needed, cleared = _WORDS[table]
    row = await connection.fetchrow(
        f"""WITH old AS (SELECT t.{key} AS key, {needed} AS needed FROM {table} t WHERE t.dealer_id = $1 AND t.{at} < $2
            AND ({there}) AND t.{key} > $3 ORDER BY t.{key} LIMIT $4),
            gone AS (UPDATE {table} SET {cleared} WHERE dealer_id = $1 AND {key} IN (SELECT key FROM old
              WHERE NOT coalesce(needed, false)) RETURNING 1)
            SELECT (SELECT count(*) FROM gone) AS gone, max(key) AS last, count(*) AS seen FROM old""",
        dealer_id,
        before,
        after,
        most,
    )
    return row["gone"], row["last"] if row["seen"] == most else None


def _count(status: str) -> int:
    return int(status.rpartition(" ")[2])
