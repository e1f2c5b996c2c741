"""When a dealer's people are away."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from schemas.absence import Absence
from schemas.errors import NotFound, Overtaken
from store import notifications
from store.pool import Connection, as_dict

_COLUMNS = ", ".join(Absence.model_fields)  # a column each
_ADD = f"""
INSERT INTO absences (dealer_id, staff_id, starts_at, ends_at, reason, made_by, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {_COLUMNS}
"""
_OF = f"""
SELECT {_COLUMNS} FROM absences
WHERE dealer_id = $1 AND ended_at IS NULL AND ends_at > $2 AND ($3::timestamptz IS NULL OR starts_at < $3)
  AND ($4::bigint IS NULL OR staff_id = $4)
ORDER BY starts_at, id LIMIT 1000
"""
_END = f"""
UPDATE absences SET ended_at = $3 WHERE dealer_id = $1 AND id = $2 AND ended_at IS NULL RETURNING {_COLUMNS}
"""


async def add(
    connection: Connection,
    dealer_id: int,
    staff_id: int,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    *,
    actor: str,
    now: datetime,
) -> Absence:
    """They are away then."""
    row = await connection.fetchrow(_ADD, dealer_id, staff_id, starts_at, ends_at, reason, actor, now)
    await notifications.ring_desk(connection, dealer_id, "staff", staff_id)
    return _absence(row)


async def of_dealer(
    connection: Connection,
    dealer_id: int,
    since: datetime,
    until: datetime | None = None,
    *,
    staff_id: int | None = None,
) -> list[Absence]:
    """Those that reach into this time, the next first; of one person, or all."""
    return [_absence(row) for row in await connection.fetch(_OF, dealer_id, since, until, staff_id)]


async def end(connection: Connection, dealer_id: int, absence_id: int, now: datetime) -> Absence:
    """It was taken back. NotFound, or Overtaken when somebody has done that already."""
    row = await connection.fetchrow(_END, dealer_id, absence_id, now)
    if row is None:
        known = await connection.fetchval(
            "SELECT 1 FROM absences WHERE dealer_id = $1 AND id = $2", dealer_id, absence_id
        )
        raise NotFound("absence") if known is None else Overtaken("absence", "it has been taken back already")
    await notifications.ring_desk(connection, dealer_id, "staff", row["staff_id"])
    return _absence(row)


def _absence(row: Any) -> Absence:
    return Absence(**as_dict(row))
