"""Extra work, line by line. An answer is given once, and kept with who gave it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from schemas.errors import NotFound
from schemas.estimate import EstimateLine
from schemas.verdict import Severity
from store import history, notifications
from store.pool import Connection, as_dict

_COLUMNS = (
    "id, booking_id, title, amount_minor, labour_minor, urgency, answer, asked_at, answered_at, answered_by, "
    "withdrawn_at"
)
_ADD = (
    "INSERT INTO estimate_lines (dealer_id, booking_id, title, amount_minor, labour_minor, urgency, asked_at) "
    f"VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {_COLUMNS}"
)
_OF = f"SELECT {_COLUMNS} FROM estimate_lines WHERE dealer_id = $1 AND booking_id = $2 ORDER BY id"
_GET = f"SELECT {_COLUMNS} FROM estimate_lines WHERE dealer_id = $1 AND id = $2"
_EARLIER = f"""
SELECT {_COLUMNS} FROM estimate_lines WHERE dealer_id = $1 AND withdrawn_at IS NULL AND booking_id IN (
  SELECT id FROM bookings WHERE dealer_id = $1 AND vehicle_id = $2 AND id <> $3) ORDER BY id
"""
_ANSWER = f"""
UPDATE estimate_lines SET answer = $3, answered_at = $4, answered_by = $5 WHERE dealer_id = $1 AND id = $2
  AND answer IS NULL RETURNING {_COLUMNS}
"""
_WITHDRAW = (
    "UPDATE estimate_lines SET withdrawn_at = $3 WHERE dealer_id = $1 AND id = $2 AND answer IS NULL "
    f"RETURNING {_COLUMNS}"
)


async def add(
    connection: Connection,
    dealer_id: int,
    *,
    booking_id: int,
    title: str,
    amount_minor: int,
    labour_minor: int,
    urgency: Severity,
    actor: str,
    now: datetime,
) -> EstimateLine:
    """Work that needs the owner's yes."""
    row = await connection.fetchrow(_ADD, dealer_id, booking_id, title, amount_minor, labour_minor, urgency.value, now)
    line = _line(row)
    await _noted(connection, dealer_id, line, new="asked", reason=title, actor=actor, now=now)
    return line


async def of_booking(connection: Connection, dealer_id: int, booking_id: int) -> list[EstimateLine]:
    """All lines of a visit."""
    return [_line(row) for row in await connection.fetch(_OF, dealer_id, booking_id)]


async def earlier(connection: Connection, dealer_id: int, vehicle_id: int, but: int) -> list[EstimateLine]:
    """What was asked about this car at its other visits."""
    return [_line(row) for row in await connection.fetch(_EARLIER, dealer_id, vehicle_id, but)]


async def get(connection: Connection, dealer_id: int, line_id: int) -> EstimateLine:
    """The line, or NotFound."""
    row = await connection.fetchrow(_GET, dealer_id, line_id)
    if row is None:
        raise NotFound("line")
    return _line(row)


async def answer(
    connection: Connection,
    line: EstimateLine,
    dealer_id: int,
    approved: bool,
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> EstimateLine:
    """The owner's yes or no to a line of a visit that is locked."""
    decision = "approved" if approved else "declined"
    row = await connection.fetchrow(_ANSWER, dealer_id, line.id, decision, now, actor)
    await _noted(connection, dealer_id, line, new=decision, reason=reason, actor=actor, now=now)
    return _line(row)


async def withdraw(
    connection: Connection, line: EstimateLine, dealer_id: int, *, actor: str, reason: str, now: datetime
) -> EstimateLine:
    """It is not asked any more."""
    row = await connection.fetchrow(_WITHDRAW, dealer_id, line.id, now)
    await _noted(connection, dealer_id, line, new="withdrawn", reason=reason, actor=actor, now=now)
    return _line(row)


async def _noted(
    connection: Connection, dealer_id: int, line: EstimateLine, *, new: str, reason: str, actor: str, now: datetime
) -> None:
    await history.write(
        connection, dealer_id, "estimate", line.id, old=None, new=new, reason=reason, actor=actor, now=now
    )
    await notifications.ring_desk(connection, dealer_id, "booking", line.booking_id)


def _line(row: Any) -> EstimateLine:
    return EstimateLine(**as_dict(row))
