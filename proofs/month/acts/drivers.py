"""What drivers do in the month."""

from __future__ import annotations

from typing import Any

from actions import legs
from actions.context import Acting
from proofs.month.dealership import Dealership
from proofs.month.picking import a_leg, a_row, somebody
from rules.service.pickup import TEXTS
from schemas.account import Role
from schemas.pickup import LEGS, LegEvent, LegKind, LegState

_STANDS = """legs l WHERE l.dealer_id = $1 AND l.kind = 'collect' AND l.state IN ('planned', 'on_the_way') AND EXISTS (
    SELECT 1 FROM bookings b JOIN alerts a ON a.dealer_id = b.dealer_id AND a.vehicle_id = b.vehicle_id
    WHERE b.dealer_id = $1 AND b.id = l.booking_id AND b.kind <> 'tow' AND a.state = 'active' AND a.severity = 'now'
      AND a.rule <> 'battery_12v')"""


async def driver_takes_the_next_step(place: Dealership) -> None:
    leg = await a_leg(place)
    kind, state = LegKind(leg["kind"]), LegState(leg["state"])
    events = [event for event in LEGS[kind].allowed(state) if event in TEXTS]
    await legs.move(await _driver_of(place, leg), leg["id"], place.luck.choice(events))


async def driver_stands_before_a_car_that_must_not_be_driven(place: Dealership) -> None:
    """It got worse after its collection was agreed, and the driver does as on any day."""
    leg = await a_row(place, _STANDS, place.dealer.id)
    driver = await _driver_of(place, leg)
    if leg["state"] == LegState.PLANNED:
        await legs.move(driver, leg["id"], LegEvent.ON_THE_WAY)
    await legs.move(driver, leg["id"], LegEvent.COLLECTED)


async def driver_turns_back(place: Dealership) -> None:
    leg = await a_leg(place)
    await legs.move(await _driver_of(place, leg), leg["id"], LegEvent.CANCELLED)


async def _driver_of(place: Dealership, leg: Any) -> Acting:
    """Mostly whose drive it is."""
    if leg["driver_id"] and place.luck.random() < 0.9:
        return place.house.acting(place.dealer.id, f"staff:{leg['driver_id']}")
    return await somebody(place, Role.DRIVER)
