"""Where somebody of ours is on the way to a customer: the last place of a drive that is under way, and no track."""

from __future__ import annotations

from datetime import datetime

from schemas.place import Place, place_of
from store import notifications
from store.pool import Connection

#: A drive that a customer waits for. The columns are emptied by every step (store/pickups.py).
_PUT = """
UPDATE legs SET position = $3, position_at = $4 WHERE dealer_id = $1 AND id = $2
AND state IN ('on_the_way', 'on_the_way_back') RETURNING id
"""
_OF = """
SELECT position, position_at, place FROM legs WHERE dealer_id = $1 AND booking_id = $2 AND position IS NOT NULL
AND position_at > $3 AND state IN ('on_the_way', 'on_the_way_back') ORDER BY position_at DESC LIMIT 1
"""


async def put(connection: Connection, dealer_id: int, leg_id: int, place: Place, now: datetime) -> bool:
    """False: nobody is on the way to anybody with this drive."""
    found = await connection.fetchval(_PUT, dealer_id, leg_id, str(place), now)
    if found is not None:
        await notifications.ring_desk(connection, dealer_id, "position", leg_id)
    return found is not None


async def of_booking(
    connection: Connection, dealer_id: int, booking_id: int, since: datetime
) -> tuple[Place, datetime, Place | None] | None:
    """Where whoever comes to this visit's owner was last, when, and where they go; nothing older than `since`."""
    row = await connection.fetchrow(_OF, dealer_id, booking_id, since)
    if row is None:
        return None
    here = place_of(row["position"])
    assert here is not None
    return here, row["position_at"], place_of(row["place"])
