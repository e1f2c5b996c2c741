"""Pieces of a resource's time.

The rows of the resources are locked first, in order of their ids; the exclusion constraint stands guard behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from schemas.errors import Overtaken
from schemas.slot import Claim, Resource, Slot, Window
from store.pool import Connection, as_dict

_COLUMNS = (
    "id, dealer_id, resource_id, state, use, lower(during) AS starts_at, upper(during) AS ends_at, offer_id, choice, "
    "expires_at"
)
_RESOURCES = (
    "SELECT id, dealer_id, kind, name, staff_id, skills FROM resources "
    "WHERE dealer_id = $1 AND retired_at IS NULL ORDER BY id"
)
_RETIRED = """
SELECT id, dealer_id, kind, name, staff_id, skills FROM resources
WHERE dealer_id = $1 AND retired_at IS NOT NULL AND staff_id IS NULL ORDER BY id
"""
_AHEAD = """
SELECT count(DISTINCT coalesce(booking_id, -offer_id)) FROM slots WHERE dealer_id = $1 AND resource_id = $2
  AND (state = 'booked' OR (state = 'held' AND expires_at > $3)) AND upper(during) > $3
"""
_TAKEN = """
SELECT resource_id, lower(during) AS starts_at, upper(during) AS ends_at FROM slots
WHERE dealer_id = $1 AND state <> 'released' AND during && tstzrange($2, $3)
UNION ALL
SELECT r.id, a.starts_at, a.ends_at FROM absences a
  JOIN resources r ON r.dealer_id = a.dealer_id AND r.staff_id = a.staff_id
WHERE a.dealer_id = $1 AND a.ended_at IS NULL AND a.starts_at < $3 AND a.ends_at > $2
UNION ALL
SELECT o.loaner_id, $2, least($3, $2 + interval '1 day') FROM handovers o  -- its visit is over, and it is not back
JOIN bookings b ON b.dealer_id = o.dealer_id AND b.id = o.booking_id AND b.state IN ('completed', 'cancelled')
WHERE o.dealer_id = $1 AND o.kind = 'loaner_out'
AND NOT EXISTS (SELECT FROM handovers i WHERE i.dealer_id = $1 AND i.booking_id = o.booking_id AND i.kind = 'loaner_in')
"""
#: Each visit that is agreed or held for an offer: (way, when it begins, with a loaner).
_VISITS = """
SELECT kind, starts_at, loaner_id IS NOT NULL AS loaner FROM bookings
WHERE dealer_id = $1 AND state <> 'cancelled' AND starts_at >= $2 AND id IS DISTINCT FROM $4
UNION ALL
SELECT o.kind, min(lower(s.during)), bool_or(s.use = 'loaner') FROM slots s
JOIN offers o ON o.dealer_id = s.dealer_id AND o.id = s.offer_id
WHERE s.dealer_id = $1 AND s.state = 'held' AND s.expires_at > $3 AND upper(s.during) > $2
GROUP BY o.id, o.kind, s.choice
"""
_EXPIRED = "UPDATE slots SET state = 'released' WHERE dealer_id = $1 AND state = 'held' AND expires_at <= $2"
_PUT = """
INSERT INTO slots (dealer_id, resource_id, during, state, use, offer_id, choice, booking_id, expires_at)
VALUES ($1, $2, tstzrange($3, $4), $5, $6, $7, $8, $9, $10)
"""
_BOOK = f"""
UPDATE slots SET state = 'booked', booking_id = $4, expires_at = NULL
WHERE dealer_id = $1 AND offer_id = $2 AND choice = $3 AND state = 'held' RETURNING {_COLUMNS}
"""


async def resources(connection: Connection, dealer_id: int, *, lock: bool = False) -> list[Resource]:
    """Bays, loaners and drivers.

    With `lock` rivals for their time wait here, in the same order, so that none deadlocks.
    """
    rows = await connection.fetch(_RESOURCES + (" FOR NO KEY UPDATE" if lock else ""), dealer_id)
    return [Resource(**as_dict(row)) for row in rows]


async def retired(connection: Connection, dealer_id: int) -> list[Resource]:
    """What is not used any more, without people's time."""
    return [Resource(**as_dict(row)) for row in await connection.fetch(_RETIRED, dealer_id)]


async def ahead_of(connection: Connection, dealer_id: int, resource_id: int, now: datetime) -> int:
    """How many visits and offers still need it."""
    return int(await connection.fetchval(_AHEAD, dealer_id, resource_id, now))


async def retire(connection: Connection, dealer_id: int, resource_id: int, at: datetime | None) -> None:
    """Nobody offers its time from now on; None: it is in use again."""
    await connection.execute(
        "UPDATE resources SET retired_at = $3 WHERE dealer_id = $1 AND id = $2", dealer_id, resource_id, at
    )


async def taken(connection: Connection, dealer_id: int, since: datetime, until: datetime) -> dict[int, list[Window]]:
    """What is held or booked between two instants, by resource; whoever is away is taken as well."""
    found: dict[int, list[Window]] = defaultdict(list)
    for row in await connection.fetch(_TAKEN, dealer_id, since, until):
        found[row["resource_id"]].append(Window(starts_at=row["starts_at"], ends_at=row["ends_at"]))
    return dict(found)


async def visits(
    connection: Connection, dealer_id: int, since: datetime, now: datetime, but: int | None = None
) -> list[tuple[str, datetime, bool]]:
    """Every visit from `since` on that takes a place of its day: agreed, or held for an offer; all but one booking."""
    rows = await connection.fetch(_VISITS, dealer_id, since, now, but)
    return [(row["kind"], row["starts_at"], row["loaner"]) for row in rows]


async def give_to(connection: Connection, slot: Slot, resource_id: int) -> None:
    """Another of the same kind takes this piece of time; Overtaken when it is taken there."""
    try:
        async with connection.transaction():
            await connection.execute(
                "UPDATE slots SET resource_id = $3 WHERE dealer_id = $1 AND id = $2",
                slot.dealer_id,
                slot.id,
                resource_id,
            )
    except asyncpg.ExclusionViolationError:
        raise Overtaken("window", "somebody else has just taken it") from None


async def booked_on(
    connection: Connection, dealer_id: int, resource_id: int, since: datetime
) -> list[tuple[int, Slot]]:
    """What is booked of a resource from `since` on, each with its visit."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS}, booking_id FROM slots WHERE dealer_id = $1 AND resource_id = $2 AND state = 'booked' "
        "AND booking_id IS NOT NULL AND upper(during) > $3 ORDER BY lower(during), id",
        dealer_id,
        resource_id,
        since,
    )
    return [(row["booking_id"], _slot({k: v for k, v in row.items() if k != "booking_id"})) for row in rows]


async def hold(
    connection: Connection, dealer_id: int, offer_id: int, choice: int, claims: Sequence[Claim], expires_at: datetime
) -> None:
    """Keep this time for an offer's choice until `expires_at`."""
    await _put(
        connection,
        dealer_id,
        claims=claims,
        state="held",
        offer_id=offer_id,
        choice=choice,
        booking_id=None,
        expires_at=expires_at,
    )


async def book(connection: Connection, dealer_id: int, booking_id: int, claims: Sequence[Claim]) -> None:
    """Take this time for a booking."""
    await _put(
        connection,
        dealer_id,
        claims=claims,
        state="booked",
        offer_id=None,
        choice=None,
        booking_id=booking_id,
        expires_at=None,
    )


async def book_held(connection: Connection, dealer_id: int, offer_id: int, choice: int, booking_id: int) -> list[Slot]:
    """What was held for the answered choice becomes booked."""
    return [_slot(row) for row in await connection.fetch(_BOOK, dealer_id, offer_id, choice, booking_id)]


async def of_offer(connection: Connection, dealer_id: int, offer_id: int) -> list[Slot]:
    """All that an offer held or holds, by choice."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM slots WHERE dealer_id = $1 AND offer_id = $2 ORDER BY choice, lower(during), id",
        dealer_id,
        offer_id,
    )
    return [_slot(row) for row in rows]


async def of_booking(connection: Connection, dealer_id: int, booking_id: int) -> list[Slot]:
    """The time that a booking has taken."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM slots WHERE dealer_id = $1 AND booking_id = $2 AND state = 'booked' "
        "ORDER BY lower(during), id",
        dealer_id,
        booking_id,
    )
    return [_slot(row) for row in rows]


async def release(connection: Connection, dealer_id: int, slot_id: int) -> None:
    """This one piece of time is free again."""
    await connection.execute("UPDATE slots SET state = 'released' WHERE dealer_id = $1 AND id = $2", dealer_id, slot_id)


async def cut(connection: Connection, slot: Slot, at: datetime) -> None:
    """From `at` on this piece of time is free again; what lies before stays as it was."""
    if slot.starts_at >= at:
        await release(connection, slot.dealer_id, slot.id)
        return
    await connection.execute(
        "UPDATE slots SET during = tstzrange(lower(during), $3) WHERE dealer_id = $1 AND id = $2",
        slot.dealer_id,
        slot.id,
        at,
    )


async def release_offer(connection: Connection, dealer_id: int, offer_id: int) -> None:
    """What is still held for this offer is free again."""
    await connection.execute(
        "UPDATE slots SET state = 'released' WHERE dealer_id = $1 AND offer_id = $2 AND state = 'held'",
        dealer_id,
        offer_id,
    )


async def release_booking(connection: Connection, dealer_id: int, booking_id: int) -> None:
    """Driver, bay and loaner are free again, all at once."""
    await connection.execute(
        "UPDATE slots SET state = 'released' WHERE dealer_id = $1 AND booking_id = $2 AND state <> 'released'",
        dealer_id,
        booking_id,
    )


async def release_expired(connection: Connection, dealer_id: int, now: datetime) -> None:
    """A hold that has run out stands in nobody's way, whether or not a worker came by."""
    await connection.execute(_EXPIRED, dealer_id, now)


async def _put(
    connection: Connection,
    dealer_id: int,
    claims: Sequence[Claim],
    state: str,
    offer_id: int | None,
    choice: int | None,
    booking_id: int | None,
    expires_at: datetime | None,
) -> None:
    rows = [
        (
            dealer_id,
            claim.resource_id,
            claim.window.starts_at,
            claim.window.ends_at,
            state,
            claim.use.value,
            offer_id,
            choice,
            booking_id,
            expires_at,
        )
        for claim in claims
    ]
    try:
        async with connection.transaction():
            await connection.executemany(_PUT, rows)
    except asyncpg.ExclusionViolationError:
        raise Overtaken("window", "somebody else has just taken it") from None


def _slot(row: Any) -> Slot:
    return Slot(**as_dict(row))
