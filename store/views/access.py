"""Who came in, who was refused, who may do what: history as a manager reads it, and what hangs on a person."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.history import Change
from store.pool import Connection, as_dict

_LOG = """
SELECT id, dealer_id, noun, subject_id, old, new, reason, actor, at FROM history
WHERE dealer_id = $1 AND noun IN ('staff', 'key', 'dealer') AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC
  LIMIT $3
"""
_OF_PERSON = """
SELECT id, dealer_id, noun, subject_id, old, new, reason, actor, at FROM history
WHERE dealer_id = $1 AND noun = 'staff' AND subject_id = $4 AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC
  LIMIT $3
"""
_HANGING = """
SELECT (SELECT count(*) FROM cases WHERE dealer_id = $1 AND assignee_id = $2
  AND state NOT IN ('done', 'dismissed')) AS cases,
       (SELECT count(*) FROM legs WHERE dealer_id = $1 AND driver_id = $2 AND state = 'planned') AS drives,
       (SELECT count(*) FROM legs WHERE dealer_id = $1 AND driver_id = $2
         AND state IN ('on_the_way', 'collected', 'on_the_way_back')) AS under_way,
       (SELECT count(DISTINCT o.id) FROM offers o JOIN slots t ON t.dealer_id = o.dealer_id AND t.offer_id = o.id
         AND t.state = 'held'
        JOIN resources r ON r.dealer_id = t.dealer_id AND r.id = t.resource_id WHERE o.dealer_id = $1
          AND o.state = 'open' AND r.staff_id = $2) AS offers
"""
_SECURED = """
SELECT staff_id FROM authenticators WHERE dealer_id = $1 AND confirmed_at IS NOT NULL UNION SELECT staff_id
  FROM passkeys WHERE dealer_id = $1
"""


@dataclass(frozen=True, slots=True)
class Hanging:
    """What would be nobody's, or would end, if this person were let go. `under_way`: drives that must end first."""

    cases: int
    drives: int
    under_way: int
    offers: int


async def log(
    connection: Connection, dealer_id: int, *, before: int | None = None, subject: int | None = None, limit: int = 50
) -> list[tuple[int, Change]]:
    """(row, what happened), the newest first; of everybody, or of the person `subject`."""
    rows = await (
        connection.fetch(_LOG, dealer_id, before, limit)
        if subject is None
        else connection.fetch(_OF_PERSON, dealer_id, before, limit, subject)
    )
    return [
        (row["id"], Change(**{name: value for name, value in as_dict(row).items() if name != "id"})) for row in rows
    ]


async def names(connection: Connection, dealer_id: int) -> dict[int, str]:
    """Everybody who ever worked here."""
    return {
        row["id"]: row["name"]
        for row in await connection.fetch("SELECT id, name FROM staff WHERE dealer_id = $1", dealer_id)
    }


async def hanging(connection: Connection, dealer_id: int, staff_id: int) -> Hanging:
    """What rests on this person now."""
    return Hanging(**as_dict(await connection.fetchrow(_HANGING, dealer_id, staff_id)))


async def secured(connection: Connection, dealer_id: int) -> set[int]:
    """Who has a second factor."""
    return {row["staff_id"] for row in await connection.fetch(_SECURED, dealer_id)}
