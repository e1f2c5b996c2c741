"""Whoever is on the way lets the customer see how near: some try it before, after, or with another's drive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from actions import nearing
from proofs.month.dealership import Dealership
from proofs.month.picking import a_row
from schemas.account import Role
from schemas.errors import NotFound
from schemas.place import Place


async def driver_shows_how_near(place: Dealership) -> None:
    under_way = place.luck.random() < 0.7
    leg = await a_row(
        place,
        "legs WHERE dealer_id = $1 AND (NOT $2 OR state IN ('on_the_way', 'on_the_way_back'))",
        place.dealer.id,
        under_way,
    )
    who = leg["driver_id"] if place.luck.random() < 0.9 else place.luck.choice(place.staff[Role.DRIVER])
    if who is None:
        raise NotFound("driver")
    here = Place(
        latitude=53.5 + place.luck.random() / 10,
        longitude=9.9 + place.luck.random() / 10,
    )
    await nearing.share(place.house.acting(place.dealer.id, f"staff:{who}"), leg["id"], here)


ACTS: dict[Callable[[Dealership], Awaitable[Any]], float] = {driver_shows_how_near: 3}
#: What may never be, beside the sentences of proofs.month.truths; `$1` is the dealer.
TRUTHS: Mapping[str, str] = {
    "somebody's place is kept, and they are on the way to nobody": """
        SELECT l.id FROM legs l WHERE l.dealer_id = $1 AND l.position IS NOT NULL
          AND l.state NOT IN ('on_the_way', 'on_the_way_back')""",
    "a customer sees the place of somebody who does not come any more": """
        SELECT l.id FROM legs l WHERE l.dealer_id = $1 AND l.position IS NOT NULL AND l.position_at < (
            SELECT max(h.at) FROM history h WHERE h.dealer_id = $1 AND h.noun = 'leg' AND h.subject_id = l.id
              AND h.new IN ('assigned', 'unassigned'))""",
}
