"""Whom and what an act of the month is about: picked at random among what is there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from actions.context import Acting
from proofs.month.dealership import Dealership
from schemas.account import Role
from schemas.errors import NotFound

LIVE_LEG = "state IN ('planned', 'on_the_way', 'collected', 'on_the_way_back')"


async def a_row(place: Dealership, what: str, *arguments: Any) -> Any:
    """A random row of the month's dealer: `what` is a query's tail after its table's name."""
    async with place.admin.acquire() as connection:
        rows = await connection.fetch(f"SELECT * FROM {what}", *arguments)
    if not rows:
        raise NotFound("row")
    return place.luck.choice(rows)


async def a_case(place: Dealership, *states: str) -> int:
    found: int = (
        await a_row(place, "cases WHERE dealer_id = $1 AND state = ANY($2::text[])", place.dealer.id, list(states))
    )["id"]
    return found


async def a_booking(place: Dealership, *states: str, soon: bool = True) -> int:
    """Mostly one whose time has come: people are seldom days too early."""
    until = place.clock() + (timedelta(minutes=30) if soon and place.luck.random() < 0.9 else timedelta(days=30))
    row = await a_row(
        place,
        "bookings WHERE dealer_id = $1 AND state = ANY($2::text[]) AND starts_at < $3",
        place.dealer.id,
        list(states),
        until,
    )
    found: int = row["id"]
    return found


async def a_leg(place: Dealership) -> Any:
    until = place.clock() + (timedelta(minutes=20) if place.luck.random() < 0.9 else timedelta(days=10))
    return await a_row(place, f"legs WHERE dealer_id = $1 AND {LIVE_LEG} AND starts_at < $2", place.dealer.id, until)


async def an_offer(place: Dealership) -> int:
    found: int = (await a_row(place, "offers WHERE dealer_id = $1 AND state = 'open'", place.dealer.id))["id"]
    return found


async def somebody(place: Dealership, *roles: Role) -> Acting:
    """Somebody who works here: whoever left cannot sign in."""
    row = await a_row(
        place,
        "staff WHERE dealer_id = $1 AND role = ANY($2::text[]) AND disabled_at IS NULL",
        place.dealer.id,
        [role.value for role in roles],
    )
    return place.house.acting(place.dealer.id, f"staff:{row['id']}")


def the_manager(place: Dealership) -> Acting:
    return place.house.acting(place.dealer.id, f"staff:{place.staff[Role.MANAGER][0]}")
