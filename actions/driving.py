"""May this car be driven to us? Asked before it is agreed how it comes, and again before a driver of ours takes the
wheel.
"""

from __future__ import annotations

from rules.service import driving
from rules.service.driving import Stays
from schemas.booking import BookingKind
from schemas.case import Case
from schemas.errors import BadInput
from store import alerts
from store.pool import Connection


async def stays(connection: Connection, case: Case) -> Stays | None:
    """Why the car of this case must not be driven; None when it may."""
    return driving.stays(await alerts.standing(connection, case.dealer_id, case.id))


async def fitting(connection: Connection, case: Case, kind: BookingKind | None) -> BookingKind:
    """How this car may come: what was asked for, or the usual way.

    BadInput when it was asked to be driven and must not be.
    """
    found = await stays(connection, case)
    kind = kind or driving.usual(found)
    if kind not in driving.ways(found):
        raise BadInput("kind", f"{found.because}. A tow truck fetches it" if found else "is not known")
    return kind
