"""What the work on a car that is here waits for, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import asyncpg

from schemas.errors import Overtaken
from schemas.pause import PAUSE, Awaited, Pause, PauseEvent
from store import history, notifications
from store.pool import Connection, as_dict

_COLUMNS = ", ".join(Pause.model_fields)  # a column each
_OPEN = f"""
INSERT INTO pauses (dealer_id, booking_id, state, awaits, what, due_at, made_at, made_by)
VALUES ($1, $2, 'open', $3, $4, $5, $6, $7) RETURNING {_COLUMNS}
"""
_END = "UPDATE pauses SET state = $3, over_at = $4 WHERE dealer_id = $1 AND id = $2 AND state = 'open'"
_NOW = f"SELECT {_COLUMNS} FROM pauses WHERE dealer_id = $1 AND booking_id = $2 AND state = 'open'"


async def now_of(connection: Connection, dealer_id: int, booking_id: int) -> Pause | None:
    """What this visit's work waits for now."""
    row = await connection.fetchrow(_NOW, dealer_id, booking_id)
    return None if row is None else _pause(row)


async def begin(
    connection: Connection,
    dealer_id: int,
    booking_id: int,
    *,
    awaits: Awaited,
    what: str,
    due_at: datetime,
    actor: str,
    now: datetime,
) -> Pause:
    """The work waits from now on; Overtaken when it does already."""
    try:
        async with connection.transaction():
            row = await connection.fetchrow(_OPEN, dealer_id, booking_id, awaits.value, what, due_at, now, actor)
    except asyncpg.UniqueViolationError:
        raise Overtaken("pause", "somebody has just noted one") from None
    pause = _pause(row)
    reason = f"waits for: {what}, until {due_at:%Y-%m-%d %H:%M} UTC"
    await _tell(connection, pause, old=None, new="paused", reason=reason, actor=actor, now=now)
    return pause


async def end(connection: Connection, pause: Pause, *, reason: str, actor: str, now: datetime) -> None:
    """It waits no longer for this."""
    state = PAUSE.next(pause.state, PauseEvent.ENDED)
    await connection.execute(_END, pause.dealer_id, pause.id, state.value, now)
    await _tell(connection, pause, old="paused", new="goes on", reason=reason, actor=actor, now=now)


async def _tell(
    connection: Connection, pause: Pause, *, old: str | None, new: str, reason: str, actor: str, now: datetime
) -> None:
    await history.write(
        connection, pause.dealer_id, "booking", pause.booking_id, old=old, new=new, reason=reason, actor=actor, now=now
    )
    await notifications.ring_desk(connection, pause.dealer_id, "booking", pause.booking_id)


def _pause(row: Any) -> Pause:
    return Pause(**as_dict(row))
