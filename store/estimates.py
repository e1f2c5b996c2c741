"""Extra work, line by line. An answer is given once, and kept with who gave it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from schemas.errors import NotFound, Overtaken
from schemas.estimate import EstimateLine
from store import history, notifications
from store.pool import Connection, as_dict

_COLUMNS = "id, booking_id, title, amount_minor, answer"
_ADD = (
    "INSERT INTO estimate_lines (dealer_id, booking_id, title, amount_minor) VALUES ($1, $2, $3, $4) "
    f"RETURNING {_COLUMNS}"
)
_OF = f"SELECT {_COLUMNS} FROM estimate_lines WHERE dealer_id = $1 AND booking_id = $2 ORDER BY id"
_ANSWER = f"""
UPDATE estimate_lines SET answer = $3, answered_at = $4, answered_by = $5 WHERE dealer_id = $1 AND id = $2
  AND answer IS NULL RETURNING {_COLUMNS}
"""


async def add(connection: Connection, dealer_id: int, booking_id: int, title: str, amount_minor: int) -> EstimateLine:
    """Work that needs the owner's yes."""
    row = await connection.fetchrow(_ADD, dealer_id, booking_id, title, amount_minor)
    await notifications.ring_desk(connection, dealer_id, "booking", booking_id)
    return _line(row)


async def of_booking(connection: Connection, dealer_id: int, booking_id: int) -> list[EstimateLine]:
    """All lines of a visit."""
    return [_line(row) for row in await connection.fetch(_OF, dealer_id, booking_id)]


async def answer(
    connection: Connection, dealer_id: int, line_id: int, approved: bool, *, actor: str, reason: str, now: datetime
) -> EstimateLine:
    """The owner's yes or no to one line; a second answer is Overtaken."""
    decision = "approved" if approved else "declined"
    row = await connection.fetchrow(_ANSWER, dealer_id, line_id, decision, now, actor)
    if row is None:
        if (
            await connection.fetchval(
                "SELECT 1 FROM estimate_lines WHERE dealer_id = $1 AND id = $2", dealer_id, line_id
            )
            is None
        ):
            raise NotFound("line")
        raise Overtaken("line", "it has been answered")
    await history.write(
        connection, dealer_id, "estimate", line_id, old=None, new=decision, reason=reason, actor=actor, now=now
    )
    await notifications.ring_desk(connection, dealer_id, "booking", row["booking_id"])
    return _line(row)


def _line(row: Any) -> EstimateLine:
    return EstimateLine(**as_dict(row))
