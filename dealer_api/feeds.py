"""What cannot be watched of a car, by what its feed has brought."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from actions.context import Acting
from rules.catalogue import RULES
from rules.engine.feed import DRIVE_SHOWN_BY, Feed, Unwatched, moments, unwatched
from schemas.vehicle import Vehicle
from store.pool import Connection
from store.views import feed


async def not_watched(
    acting: Acting, connection: Connection, car: Vehicle, heard: Collection[str], newest: datetime
) -> list[Unwatched]:
    """The rules that cannot decide for this car, and why.

    `heard`: the paths that it ever sent; `newest`: when it was last heard.
    """
    profile = acting.house.profiles.get(car.profile)
    if profile is None:
        return []
    messages, whole = await feed.lately(connection, acting.dealer_id, car.id, shows=DRIVE_SHOWN_BY, until=newest)
    codes = await feed.brings_codes(connection, acting.dealer_id, car.id, newest)
    known_s = (newest - car.enrolled_at).total_seconds() if car.enrolled_at is not None else None
    return unwatched(RULES, profile, heard, Feed(list(moments(messages)), whole=whole, codes=codes, known_s=known_s))
