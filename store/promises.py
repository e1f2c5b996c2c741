"""The ledger of promises: a row for each time that was given."""

from __future__ import annotations

from datetime import datetime, timedelta

from schemas.promise import PROMISE, Promise, PromiseEvent
from store.pool import Connection, as_dict

_COLUMNS = ", ".join(Promise.model_fields)  # a column each
_OPEN = """
INSERT INTO promises (dealer_id, booking_id, leg_id, what, due_at, state, made_at)
  VALUES ($1, $2, $3, $4, $5, 'open', $6)
ON CONFLICT (dealer_id, booking_id, what) WHERE state = 'open' DO NOTHING
"""
_END = (
    "UPDATE promises SET state = $3, settled_at = $4, done_at = $5 WHERE dealer_id = $1 AND id = $2 AND state = 'open'"
)
_DONE = "UPDATE promises SET done_at = $3 WHERE dealer_id = $1 AND id = $2"
_WARNED = "UPDATE promises SET warned_at = $3 WHERE dealer_id = $1 AND id = $2"
_TOLD = "UPDATE promises SET owner_told_at = $3, must_ring = $4 WHERE dealer_id = $1 AND id = $2"
_DUE = """
SELECT p.dealer_id, p.booking_id FROM promises p JOIN dealers d ON d.id = p.dealer_id
LEFT JOIN legs l ON l.dealer_id = p.dealer_id AND l.id = p.leg_id AND l.state = 'planned' AND l.travel_minutes > 0
WHERE p.state = 'open' AND p.due_at <= $1::timestamptz + interval '7 days' AND p.due_at <= CASE p.what
    WHEN 'bring' THEN $1::timestamptz - d.no_show_minutes * interval '1 minute'
    ELSE $1::timestamptz + greatest(d.late_warn_minutes + coalesce(l.travel_minutes + $2::int, 0),
      d.late_tell_minutes) * interval '1 minute' END
GROUP BY p.dealer_id, p.booking_id ORDER BY min(p.due_at) LIMIT $3
"""
_WITHOUT = """
SELECT b.dealer_id, b.id FROM bookings b
WHERE (b.state = 'agreed' OR b.state IN ('arrived', 'working') AND b.ready_by IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM promises p WHERE p.dealer_id = b.dealer_id AND p.booking_id = b.id) ORDER BY b.id
    LIMIT $1
"""


async def of_booking(connection: Connection, dealer_id: int, booking_id: int) -> list[Promise]:
    """All that was promised of a visit, in the order in which it was."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM promises WHERE dealer_id = $1 AND booking_id = $2 ORDER BY id", dealer_id, booking_id
    )
    return [Promise(**as_dict(row)) for row in rows]


async def open_one(
    connection: Connection,
    dealer_id: int,
    booking_id: int,
    what: str,
    due_at: datetime,
    leg_id: int | None,
    now: datetime,
) -> None:
    """A time was given."""
    await connection.execute(_OPEN, dealer_id, booking_id, leg_id, what, due_at, now)


async def end(connection: Connection, promise: Promise, event: PromiseEvent, now: datetime) -> None:
    """It is settled by its table; a kept one is done now."""
    state = PROMISE.next(promise.state, event)
    await connection.execute(
        _END, promise.dealer_id, promise.id, state.value, now, now if event is PromiseEvent.KEPT else None
    )


async def done(connection: Connection, promise: Promise, now: datetime) -> None:
    """What was promised came true, too late."""
    await connection.execute(_DONE, promise.dealer_id, promise.id, now)


async def warned(connection: Connection, promise: Promise, now: datetime) -> None:
    """Our own people know."""
    await connection.execute(_WARNED, promise.dealer_id, promise.id, now)


async def told(connection: Connection, promise: Promise, now: datetime | None, *, must_ring: bool) -> None:
    """The owner was told at `now`, or somebody was asked to ring."""
    await connection.execute(_TOLD, promise.dealer_id, promise.id, now, must_ring)


async def pressing(
    connection: Connection, now: datetime, handover: timedelta, limit: int = 100
) -> list[tuple[int, int]]:
    """(dealer, visit) with an open promise of ours, or of the customer's, of which it is time to speak as its dealer
    has set.
    """
    return [
        (row["dealer_id"], row["booking_id"])
        for row in await connection.fetch(_DUE, now, handover // timedelta(minutes=1), limit)
    ]


async def without(connection: Connection, limit: int = 100) -> list[tuple[int, int]]:
    """(dealer, visit) under way of which nothing stands in the ledger."""
    return [(row["dealer_id"], row["id"]) for row in await connection.fetch(_WITHOUT, limit)]
