"""Cars change hands in the month: drivers write the records, of customers' cars and of loaners, mostly in time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from actions import legs
from actions.context import Acting
from proofs import handing_over
from proofs.month.dealership import Dealership
from schemas.account import Role
from schemas.errors import NotFound
from schemas.handover import HandoverKind
from schemas.pickup import LegEvent

_ENDS = """
SELECT l.booking_id, l.driver_id, l.kind FROM legs l WHERE l.dealer_id = $1
AND l.kind <> 'visit' AND l.state IN ('on_the_way', 'collected', 'on_the_way_back')
AND NOT EXISTS (SELECT FROM handovers h WHERE h.dealer_id = $1 AND h.booking_id = l.booking_id AND h.kind = l.kind)
"""
_MADE = """
SELECT id, driver_id FROM legs WHERE dealer_id = $1 AND driver_id IS NOT NULL
AND state IN ('on_the_way', 'collected', 'on_the_way_back')
"""
_LOANERS = """
SELECT b.id, b.state FROM bookings b WHERE b.dealer_id = $1 AND b.loaner_id IS NOT NULL AND b.state <> 'cancelled'
AND b.starts_at < $2
"""


async def driver_writes_the_record(place: Dealership) -> None:
    """At the end where they are; now and then a colleague tries who does not drive there."""
    async with place.admin.acquire() as connection:
        rows = await connection.fetch(_ENDS, place.dealer.id)
    if not rows:
        raise NotFound("end")
    row = place.luck.choice(rows)
    driver = row["driver_id"] if place.luck.random() < 0.9 else place.luck.choice(place.staff[Role.DRIVER])
    if driver is None:
        raise NotFound("driver")
    await handing_over.record(_staff(place, driver), row["booking_id"], HandoverKind(row["kind"]))


async def loaner_changes_hands(place: Dealership) -> None:
    """Out, or back: at random, so that many are refused."""
    async with place.admin.acquire() as connection:
        rows = await connection.fetch(_LOANERS, place.dealer.id, place.clock())
    if not rows:
        raise NotFound("loaner")
    kind = place.luck.choice((HandoverKind.LOANER_OUT, HandoverKind.LOANER_IN))
    advisor = place.luck.choice(place.staff[Role.ADVISOR])
    await handing_over.record(_staff(place, advisor), place.luck.choice(rows)["id"], kind)


def _staff(place: Dealership, number: int) -> Acting:
    return place.house.acting(place.dealer.id, f"staff:{number}")


async def driver_takes_a_step_back(place: Dealership) -> None:
    """Pressed by mistake: granted within a minute."""
    async with place.admin.acquire() as connection:
        rows = await connection.fetch(_MADE, place.dealer.id)
    if not rows:
        raise NotFound("step")
    row = place.luck.choice(rows)
    await legs.move(_staff(place, row["driver_id"]), row["id"], LegEvent.UNDONE)


#: How often each is tried, relative to the others.
ACTS: dict[Callable[[Dealership], Awaitable[Any]], float] = {
    driver_writes_the_record: 5.0,
    driver_takes_a_step_back: 2.0,
    loaner_changes_hands: 3.0,
}
#: What may never be, beside the sentences of proofs.month.truths; `$1` is the dealer.
TRUTHS = {
    "a car was brought back, and nobody wrote down what it was like": """
        SELECT l.id FROM legs l WHERE l.dealer_id = $1 AND l.kind = 'return' AND l.state = 'handed_over'
        AND NOT EXISTS (SELECT FROM handovers h
            WHERE h.dealer_id = $1 AND h.booking_id = l.booking_id AND h.kind = 'return')""",
    "a record lacks a side of the car, or a signature": """
        SELECT h.id FROM handovers h WHERE h.dealer_id = $1 AND (h.proof NOT IN ('signature', 'code') OR 4 > (
            SELECT count(DISTINCT p.view) FROM handover_photos p WHERE p.dealer_id = $1 AND p.handover_id = h.id))""",
    "a loaner is with two customers": """
        SELECT a.id FROM handovers a JOIN handovers b ON b.dealer_id = $1 AND b.loaner_id = a.loaner_id AND b.id > a.id
            AND b.kind = 'loaner_out'
        WHERE a.dealer_id = $1 AND a.kind = 'loaner_out' AND NOT EXISTS (SELECT FROM handovers i
            WHERE i.dealer_id = $1 AND i.booking_id = a.booking_id AND i.kind = 'loaner_in' AND i.id < b.id)""",
}
