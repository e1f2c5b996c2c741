"""History: every move writes one row in the transaction that makes it."""

from __future__ import annotations

from datetime import datetime

from schemas.history import Change
from store.pool import Connection, as_dict

_WRITE = """
INSERT INTO history (dealer_id, noun, subject_id, old, new, reason, actor, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  RETURNING id
"""
_OF = """
SELECT dealer_id, noun, subject_id, old, new, reason, actor, at FROM history
WHERE dealer_id = $1 AND noun = $2 AND subject_id = $3 ORDER BY id
"""


async def write(
    connection: Connection,
    dealer_id: int,
    noun: str,
    subject_id: int,
    *,
    old: str | None,
    new: str,
    reason: str,
    actor: str,
    now: datetime,
) -> int:
    """One change, and its row: `actor` is car, worker, owner, system or staff:<id>."""
    return await connection.fetchval(_WRITE, dealer_id, noun, subject_id, old, new, reason, actor, now)  # type: ignore[no-any-return]


async def of(connection: Connection, dealer_id: int, noun: str, subject_id: int) -> list[Change]:
    """All changes of one thing, oldest first."""
    return [Change(**as_dict(row)) for row in await connection.fetch(_OF, dealer_id, noun, subject_id)]
