"""Cars are sold in the month: to anybody, before a visit, by the list of the night."""

from __future__ import annotations

from actions import owners, vehicles
from proofs.month.dealership import Dealership
from proofs.month.picking import a_row, somebody
from schemas.account import Role


async def car_is_sold(place: Dealership) -> None:
    """To anybody, or to nobody we know; half of the time a car about which something is going on."""
    car = place.luck.choice(place.cars)
    if place.luck.random() < 0.5:
        car = (
            await a_row(place, "cases WHERE dealer_id = $1 AND state NOT IN ('done', 'dismissed')", place.dealer.id)
        )["vehicle_id"]
    to = None if place.luck.random() < 0.2 else place.luck.choice(place.owners)
    await vehicles.update(await somebody(place, Role.ADVISOR), car, {"owner_id": to})


async def car_is_sold_before_its_visit(place: Dealership) -> None:
    visit = await a_row(place, "bookings WHERE dealer_id = $1 AND state = 'agreed'", place.dealer.id)
    to = place.luck.choice(place.owners)
    await vehicles.update(await somebody(place, Role.ADVISOR), visit["vehicle_id"], {"owner_id": to})


async def car_is_sold_by_list(place: Dealership) -> None:
    """The management system's list of the night: the car stands in another owner's line."""
    owner = await a_row(place, "owners WHERE dealer_id = $1 AND phone IS NOT NULL", place.dealer.id)
    car = await a_row(place, "vehicles WHERE dealer_id = $1", place.dealer.id)
    text = (
        f"name,phone,vin,profile,title\n{owner['name']},{owner['phone']},{car['vin']},{car['profile']},{car['title']}\n"
    )
    await owners.import_list(await somebody(place, Role.MANAGER), text)
