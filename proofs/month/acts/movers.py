"""Visits get another time in the month: by advisors, and by owners."""

from __future__ import annotations

from datetime import timedelta

from actions import bookings, moving
from actions.context import Acting
from proofs.month.dealership import Dealership
from proofs.month.picking import a_row, somebody
from schemas.account import Role
from schemas.booking import BookingKind


async def advisor_sends_a_tow_truck(place: Dealership) -> None:
    booking = await a_row(
        place, "bookings WHERE dealer_id = $1 AND state = 'agreed' AND kind <> 'tow'", place.dealer.id
    )
    await moving.move_to(await somebody(place, Role.ADVISOR), booking["id"], booking["starts_at"], kind=BookingKind.TOW)


async def advisor_moves_a_visit(place: Dealership) -> None:
    await _move(place, await somebody(place, Role.ADVISOR))


async def owner_moves_by_link(place: Dealership) -> None:
    await _move(place, place.house.as_owner().acting(place.dealer.id, "owner"))


async def _move(place: Dealership, acting: Acting) -> None:
    booking = await a_row(place, "bookings WHERE dealer_id = $1 AND state = 'agreed'", place.dealer.id)
    windows = await bookings.free_windows(
        place.house, place.dealer.id, BookingKind(booking["kind"]), loaner=booking["loaner_id"] is not None
    )
    if windows:
        await moving.move_to(acting, booking["id"], place.luck.choice(windows).window.starts_at)


async def advisor_moves_a_return(place: Dealership) -> None:
    booking = await a_row(place, "bookings WHERE dealer_id = $1 AND state = 'ready'", place.dealer.id)
    await moving.move_to(
        await somebody(place, Role.ADVISOR), booking["id"], place.clock() + timedelta(hours=place.luck.randrange(1, 9))
    )
