"""Whoever is on the way to a customer lets them see where: on their own wish, while the drive lasts, never after."""

from __future__ import annotations

from actions.cases import staff_id
from actions.context import Acting
from schemas.errors import IllegalMove, NotAllowed
from schemas.place import Place
from store import pickups, positions


async def share(acting: Acting, leg_id: int, place: Place) -> None:
    """One place, in the stead of the one before.

    IllegalMove when that drive is not on the way to its customer, NotAllowed when it is somebody else's.
    """
    async with acting.transaction() as connection:
        leg = await pickups.get(connection, acting.dealer_id, leg_id)
        if staff_id(acting.actor) not in (None, leg.driver_id):
            raise NotAllowed("another driver has this leg")
        if not await positions.put(connection, acting.dealer_id, leg_id, place=place, now=acting.now()):
            raise IllegalMove(leg.kind.value, leg.state.value, "share a position", ())
