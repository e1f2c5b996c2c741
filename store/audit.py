"""The chain of history in the database: what waits to be sealed, the seals, and walking a dealer's chain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime

from schemas.audit import Entry, Head, Seal
from store.pool import Connection

_ENTRY = "h.id, h.dealer_id, h.noun, h.subject_id, h.old, h.new, h.reason, h.actor, h.at, r.words, r.erasure_id"
_MINE = "SELECT pg_try_advisory_xact_lock(hashtext('audit'))"
_WAITING = f"""
SELECT {_ENTRY} FROM history h LEFT JOIN audit_removals r ON r.history_id = h.id
WHERE h.id > $1 AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.history_id = h.id)
  AND h.dealer_id <> ALL ($3::bigint[]) ORDER BY h.id LIMIT $2
"""
_WAITING_OF = f"""
SELECT {_ENTRY} FROM history h LEFT JOIN audit_removals r ON r.history_id = h.id
WHERE h.dealer_id = $1 AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.history_id = h.id) ORDER BY h.id
"""
_COUNT_WAITING = (
    "SELECT count(*) FROM history h WHERE h.dealer_id = $1 AND NOT EXISTS (SELECT FROM audit_seals s "
    "WHERE s.history_id = h.id)"
)
_NEWEST = "SELECT coalesce(max(history_id), 0) FROM audit_seals"
_ENDS = """
SELECT DISTINCT ON (dealer_id) dealer_id, position, history_id, hash, sealed_at FROM audit_seals
WHERE dealer_id = ANY ($1::bigint[]) ORDER BY dealer_id, position DESC
"""
_HEADS = "SELECT dealer_id, position, hash, proof FROM audit_heads WHERE dealer_id = ANY ($1::bigint[])"
_PUT = """
INSERT INTO audit_seals (dealer_id, position, history_id, hash, sealed_at)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::timestamptz[])
"""
_PUT_HEAD = """
INSERT INTO audit_heads (dealer_id, position, hash, proof) VALUES ($1, $2, $3, $4)
ON CONFLICT (dealer_id) DO UPDATE SET position = excluded.position, hash = excluded.hash, proof = excluded.proof
"""
_CHAIN = f"""
SELECT s.dealer_id AS seal_dealer, s.position, s.history_id, s.hash, s.sealed_at, {_ENTRY}
FROM audit_seals s LEFT JOIN history h ON h.id = s.history_id LEFT JOIN audit_removals r ON r.history_id = s.history_id
WHERE s.dealer_id = $1 ORDER BY s.position
"""
_DEALERS = (
    "SELECT dealer_id FROM audit_heads UNION SELECT dealer_id FROM audit_seals UNION SELECT id FROM dealers UNION "
    "SELECT 0 ORDER BY 1"
)
_START = "SELECT dealer_id, position, hash, proof FROM audit_starts WHERE dealer_id = $1"
_GONE = (
    "SELECT r.history_id, r.erasure_id FROM audit_removals r WHERE r.dealer_id = $1 AND NOT EXISTS (SELECT "
    "FROM audit_seals s WHERE s.history_id = r.history_id) AND NOT EXISTS (SELECT FROM history h "
    "WHERE h.id = r.history_id)"
)
_SEAL = (
    "SELECT dealer_id, position, history_id, hash, sealed_at FROM audit_seals WHERE dealer_id = $1 AND position = $2"
)
#: The first place that stays: it is young enough, belongs to an open case, says why a row that comes later lost its
#: words, or is the last.
_STAYS = """
SELECT s.position FROM audit_seals s JOIN history h ON h.id = s.history_id
WHERE s.dealer_id = $1 AND (h.at >= $2
  OR s.position = (SELECT max(position) FROM audit_seals WHERE dealer_id = $1)
  OR EXISTS (SELECT FROM cases c WHERE c.dealer_id = $1 AND c.state NOT IN ('done', 'dismissed') AND (
    (h.noun = 'case' AND h.subject_id = c.id)
    OR (h.noun = 'offer' AND EXISTS (SELECT FROM offers o WHERE o.dealer_id = $1 AND o.id = h.subject_id
      AND o.case_id = c.id))
    OR (h.noun = 'booking' AND EXISTS (SELECT FROM bookings b WHERE b.dealer_id = $1 AND b.id = h.subject_id
      AND b.case_id = c.id))
    OR (h.noun = 'leg' AND EXISTS (SELECT FROM legs l JOIN bookings b ON b.dealer_id = $1 AND b.id = l.booking_id
                                   WHERE l.dealer_id = $1 AND l.id = h.subject_id AND b.case_id = c.id))))
  OR EXISTS (SELECT FROM audit_removals r LEFT JOIN audit_seals later ON later.history_id = r.history_id
             WHERE r.dealer_id = $1 AND r.erasure_id = h.id AND r.history_id <> h.id
               AND coalesce(later.position > s.position, EXISTS (SELECT FROM history w WHERE w.id = r.history_id))))
ORDER BY s.position LIMIT 1
"""
_SEEN_BEFORE = "SELECT max(history_id) FROM audit_seals WHERE dealer_id = $1 AND sealed_at < $2"


async def mine(connection: Connection) -> bool:
    """Whether this transaction is the one that seals: one at a time in the whole house."""
    return bool(await connection.fetchval(_MINE))


async def waiting(connection: Connection, *, after: int, limit: int, without: Sequence[int] = ()) -> list[Entry]:
    """Rows of all dealers that are not sealed, by their ids, those beyond `after`."""
    return [Entry(*row) for row in await connection.fetch(_WAITING, after, limit, list(without))]


async def waiting_of(connection: Connection, dealer_id: int) -> list[Entry]:
    """The rows of a dealer that are not sealed."""
    return [Entry(*row) for row in await connection.fetch(_WAITING_OF, dealer_id)]


async def count_waiting(connection: Connection, dealer_id: int) -> int:
    """How many rows of a dealer are not sealed yet."""
    return int(await connection.fetchval(_COUNT_WAITING, dealer_id))


async def newest_sealed(connection: Connection) -> int:
    """The newest row of history that has a seal."""
    return int(await connection.fetchval(_NEWEST))


async def sealed_before(connection: Connection, dealer_id: int, moment: datetime) -> int:
    """The newest row of this dealer that was sealed before that moment (machine time); 0 when none was."""
    return int(await connection.fetchval(_SEEN_BEFORE, dealer_id, moment) or 0)


async def ends(connection: Connection, dealer_ids: Iterable[int]) -> dict[int, Seal]:
    """The last place of each of these chains."""
    return {row["dealer_id"]: Seal(*row) for row in await connection.fetch(_ENDS, list(dealer_ids))}


async def heads(connection: Connection, dealer_ids: Iterable[int]) -> dict[int, Head]:
    """What the heads of these chains say."""
    return {row["dealer_id"]: Head(*row) for row in await connection.fetch(_HEADS, list(dealer_ids))}


async def put(connection: Connection, seals: Sequence[Seal], heads: Iterable[Head]) -> None:
    """New places at the ends of their chains."""
    columns = zip(
        *[(one.dealer_id, one.position, one.history_id, one.hash, one.sealed_at) for one in seals], strict=True
    )
    await connection.execute(_PUT, *[list(column) for column in columns])
    for head in heads:
        await put_head(connection, head)


async def put_head(connection: Connection, head: Head) -> None:
    """How far a chain has come."""
    await connection.execute(_PUT_HEAD, head.dealer_id, head.position, head.hash, head.proof)


async def dealers(connection: Connection) -> list[int]:
    """Whoever has a chain or may have one; 0 is the house itself."""
    return [row["dealer_id"] for row in await connection.fetch(_DEALERS)]


async def start(connection: Connection, dealer_id: int) -> Head | None:
    """Where this chain begins since its oldest rows have gone."""
    row = await connection.fetchrow(_START, dealer_id)
    return Head(*row) if row else None


async def gone(connection: Connection, dealer_id: int) -> list[tuple[int, int]]:
    """(row, erasure) of rows that lost their words and have gone since."""
    return [(row["history_id"], row["erasure_id"]) for row in await connection.fetch(_GONE, dealer_id)]


async def first_that_stays(connection: Connection, dealer_id: int, before: datetime) -> int | None:
    """The first place of this chain that does not go when rows older than that go; None when there is no chain."""
    found: int | None = await connection.fetchval(_STAYS, dealer_id, before)
    return found


async def at(connection: Connection, dealer_id: int, position: int) -> Seal | None:
    """The seal at that place."""
    row = await connection.fetchrow(_SEAL, dealer_id, position)
    return Seal(*row) if row else None


async def cut(connection: Connection, begins: Head) -> int:
    """The rows of a dealer up to this place go, with their seals; how many."""
    return int(
        await connection.fetchval("SELECT cut_history($1, $2, $3)", begins.dealer_id, begins.position, begins.proof)
    )


async def chain(connection: Connection, dealer_id: int) -> AsyncIterator[tuple[Seal, Entry | None]]:
    """Each place from the first on, with its row where that is still there."""
    async for row in connection.cursor(_CHAIN, dealer_id, prefetch=2_000):
        columns = tuple(row)
        yield Seal(*columns[:5]), Entry(*columns[5:]) if columns[5] is not None else None
