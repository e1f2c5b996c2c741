"""What the work on a car waited for is no longer awaited."""

from __future__ import annotations

from actions.context import Acting
from store import pauses
from store.pool import Connection


async def waits_no_longer(acting: Acting, connection: Connection, booking_id: int, reason: str) -> bool:
    """A wait that stands is over; whether there was one. The visit is locked."""
    standing = await pauses.now_of(connection, acting.dealer_id, booking_id)
    if standing is None:
        return False
    await pauses.end(connection, standing, reason=reason, actor=acting.actor, now=acting.now())
    return True
