"""Bookings: agreed visits, from the agreement to the keys in the owner's hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from schemas.booking import BOOKING, Booking, BookingEvent, BookingKind, BookingState
from schemas.errors import NotFound, Overtaken
from schemas.moment import local
from store import history, notifications
from store.pool import Connection, as_dict

_COLUMNS = ", ".join(Booking.model_fields)  # a column each
_FIXED = {"id", "dealer_id", "case_id", "vehicle_id", "made_at"}  # since it was agreed
_MAKE = f"""
INSERT INTO bookings (dealer_id, case_id, vehicle_id, kind, state, starts_at, ends_at, wall_start, zone, address,
  loaner_id, ready_by, made_at)
VALUES ($1, $2, $3, $4, 'agreed', $5, $6, $7, $8, $9, $10, $11, $12) RETURNING {_COLUMNS}
"""
_LIST = f"""
SELECT {_COLUMNS} FROM bookings
WHERE dealer_id = $1 AND ($2::bigint IS NULL OR case_id = $2) AND ($3::text[] IS NULL OR state = ANY($3))
  AND ($4::timestamptz IS NULL OR starts_at >= $4) AND ($5::timestamptz IS NULL OR starts_at < $5)
  AND ($6::timestamptz IS NULL OR (starts_at, id) > ($6, $7))
ORDER BY starts_at, id LIMIT $8
"""
_SETTABLE = Booking.model_fields.keys() - _FIXED


async def make(
    connection: Connection,
    dealer_id: int,
    case_id: int,
    vehicle_id: int,
    kind: BookingKind,
    *,
    starts_at: datetime,
    ends_at: datetime,
    zone: str,
    address: str | None,
    loaner_id: int | None,
    ready_by: datetime,
    reason: str,
    actor: str,
    now: datetime,
) -> Booking:
    """A new visit; Overtaken when the case has a live one.

    The wall time that the person saw is kept beside the instant.
    """
    wall = local(starts_at, zone).strftime("%Y-%m-%dT%H:%M")
    try:
        async with connection.transaction():
            row = await connection.fetchrow(
                _MAKE,
                dealer_id,
                case_id,
                vehicle_id,
                kind.value,
                starts_at,
                ends_at,
                wall,
                zone,
                address,
                loaner_id,
                ready_by,
                now,
            )
    except asyncpg.UniqueViolationError:
        raise Overtaken("booking", "this case is booked already") from None
    booking = _booking(row)
    await history.write(
        connection, dealer_id, "booking", booking.id, old=None, new="agreed", reason=reason, actor=actor, now=now
    )
    await notifications.ring_desk(connection, dealer_id, "booking", booking.id)
    return booking


async def get(connection: Connection, dealer_id: int, booking_id: int, *, lock: bool = False) -> Booking:
    """That booking, or NotFound."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM bookings WHERE dealer_id = $1 AND id = $2" + (" FOR UPDATE" if lock else ""),
        dealer_id,
        booking_id,
    )
    if row is None:
        raise NotFound("booking")
    return _booking(row)


async def of_case(connection: Connection, dealer_id: int, case_id: int) -> list[Booking]:
    """A case's visits, the newest first; cancelled ones too."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM bookings WHERE dealer_id = $1 AND case_id = $2 ORDER BY id DESC", dealer_id, case_id
    )
    return [_booking(row) for row in rows]


async def live_of(connection: Connection, dealer_id: int, case_id: int) -> Booking | None:
    """The case's visit that is neither completed nor cancelled."""
    return next(
        (
            b
            for b in await of_case(connection, dealer_id, case_id)
            if b.state not in (BookingState.COMPLETED, BookingState.CANCELLED)
        ),
        None,
    )


async def listed(
    connection: Connection,
    dealer_id: int,
    *,
    case_id: int | None = None,
    states: Sequence[BookingState] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: tuple[datetime, int] | None = None,
    limit: int = 51,
) -> list[Booking]:
    """Visits by their time."""
    names = None if states is None else [state.value for state in states]
    rows = await connection.fetch(_LIST, dealer_id, case_id, names, since, until, *(after or (None, None)), limit)
    return [_booking(row) for row in rows]


async def here(connection: Connection, dealer_id: int) -> list[Booking]:
    """Cars that are in the workshop and whose customers wait: who has not heard from us for longest comes first."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM bookings WHERE dealer_id = $1 AND state IN ('arrived', 'working', 'ready')
            ORDER BY kind <> 'waiting', coalesce(last_word_at, starts_at), id""",
        dealer_id,
    )
    return [_booking(row) for row in rows]


async def move(
    connection: Connection,
    booking: Booking,
    event: BookingEvent,
    *,
    reason: str,
    actor: str,
    now: datetime,
    **columns: Any,
) -> Booking:
    """Move it by its table."""
    state = BOOKING.next(booking.state, event)
    moved = await _update(connection, booking, {"state": state.value, **columns})
    await history.write(
        connection,
        booking.dealer_id,
        "booking",
        booking.id,
        old=booking.state.value,
        new=state.value,
        reason=reason,
        actor=actor,
        now=now,
    )
    return moved


async def change(
    connection: Connection, booking: Booking, *, what: str, reason: str, actor: str, now: datetime, **columns: Any
) -> Booking:
    """Change what is not its state: a promise, the last word to a waiting customer."""
    changed = await _update(connection, booking, columns)
    await history.write(
        connection,
        booking.dealer_id,
        "booking",
        booking.id,
        old=booking.state.value,
        new=what,
        reason=reason,
        actor=actor,
        now=now,
    )
    return changed


async def heard(connection: Connection, booking: Booking, now: datetime) -> None:
    """The customer of this visit has just heard from us."""
    await connection.execute(
        "UPDATE bookings SET last_word_at = $3 WHERE dealer_id = $1 AND id = $2", booking.dealer_id, booking.id, now
    )


async def _update(connection: Connection, booking: Booking, columns: dict[str, Any]) -> Booking:
    assert set(columns) <= {"state", *_SETTABLE}, columns
    sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(columns, 4)) or "state = state"
    row = await connection.fetchrow(
        f"UPDATE bookings SET {sets} WHERE dealer_id = $1 AND id = $2 AND state = $3 RETURNING {_COLUMNS}",
        booking.dealer_id,
        booking.id,
        booking.state.value,
        *columns.values(),
    )
    if row is None:
        raise Overtaken("booking")
    await notifications.ring_desk(connection, booking.dealer_id, "booking", booking.id)
    return _booking(row)


def _booking(row: Any) -> Booking:
    return Booking(**as_dict(row))
