"""What happened, as a manager looks it up: who did what, when and to which thing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas.history import Change
from store.pool import Connection, as_dict

#: `people` are the dealer's people, its programs and whoever typed a command; `programs` are keys. Anything else is one
#: actor.
_LOG = """
SELECT h.id, h.dealer_id, h.noun, h.subject_id, h.old, h.new, h.reason, h.actor, h.at, EXISTS (SELECT FROM audit_seals s
  WHERE s.history_id = h.id) AS sealed
FROM history h
WHERE h.dealer_id = $1 AND ($2::bigint IS NULL OR h.id < $2) AND ($3::text IS NULL OR h.noun = $3)
  AND ($4::bigint IS NULL OR h.subject_id = $4)
  AND ($5::text IS NULL OR h.actor = $5 OR ($5 = 'people' AND (h.actor ~ '^(staff|api):' OR h.actor = 'command'))
    OR ($5 = 'programs' AND h.actor ~ '^api:'))
  AND ($6::timestamptz IS NULL OR h.at >= $6) AND ($7::timestamptz IS NULL OR h.at < $7)
ORDER BY h.id DESC LIMIT $8
"""
_SEALED = """
SELECT coalesce((SELECT position FROM audit_heads WHERE dealer_id = $1), 0) AS sealed, max(s.sealed_at) AS at
FROM audit_seals s WHERE s.dealer_id = $1 AND s.position = (SELECT position FROM audit_heads WHERE dealer_id = $1)
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of history. `sealed`: it can no longer be changed unseen."""

    id: int
    change: Change
    sealed: bool


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; None: everything."""

    noun: str | None = None
    subject_id: int | None = None
    who: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def log(
    connection: Connection, dealer_id: int, sought: Sought, *, before: int | None = None, limit: int = 51
) -> list[Row]:
    """The newest first."""
    rows = await connection.fetch(
        _LOG, dealer_id, before, sought.noun, sought.subject_id, sought.who, sought.since, sought.until, limit
    )
    return [
        Row(
            row["id"],
            Change(**{name: value for name, value in as_dict(row).items() if name not in ("id", "sealed")}),
            row["sealed"],
        )
        for row in rows
    ]


async def standing(connection: Connection, dealer_id: int) -> tuple[int, datetime | None]:
    """How many rows are sealed, and when the last of them was (machine time)."""
    row = await connection.fetchrow(_SEALED, dealer_id)
    return (0, None) if row is None else (row["sealed"], row["at"])
