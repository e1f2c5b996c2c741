"""The ledger follows the visit: whoever changes a booking or a drive of it settles its promises in the same
transaction.
"""

from __future__ import annotations

from datetime import datetime

from rules.service import promises as rules
from schemas.booking import Booking
from schemas.promise import Promise
from store import bookings, pickups, promises
from store.pool import Connection


async def settle(
    connection: Connection, dealer_id: int, booking_id: int, now: datetime
) -> tuple[Booking, list[Promise], dict[str, rules.Standing]]:
    """Make the ledger say what is promised of this visit now.

    Returns the visit, its rows and, by kind, what stands. Settling twice changes nothing.
    """
    booking = await bookings.get(connection, dealer_id, booking_id)
    stands = rules.standing(booking, await pickups.of_booking(connection, dealer_id, booking_id))
    found = rules.settle(await promises.of_booking(connection, dealer_id, booking_id), stands, now)
    for promise, event in found.ends:
        await promises.end(connection, promise, event, now)
    for promise in found.late:
        await promises.done(connection, promise, now)
    for one in found.opens:
        await promises.open_one(
            connection,
            dealer_id,
            booking_id=booking_id,
            what=one.what.value,
            due_at=one.due_at,
            leg_id=one.leg_id,
            now=now,
        )
    return booking, await promises.of_booking(connection, dealer_id, booking_id), {one.what: one for one in stands}
