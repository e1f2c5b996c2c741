"""What technicians do in the month."""

from __future__ import annotations

from datetime import timedelta

from actions import bookings, estimates, pausing
from proofs.month.dealership import Dealership
from proofs.month.picking import a_booking, a_row, somebody
from schemas.account import Role
from schemas.pause import Awaited


async def technician_begins(place: Dealership) -> None:
    await bookings.start(await somebody(place, Role.TECHNICIAN), await a_booking(place, "arrived"))


async def technician_finds_more(place: Dealership) -> None:
    await estimates.add(
        await somebody(place, Role.TECHNICIAN), await a_booking(place, "arrived", "working"), "Front pads", 18_900
    )


async def technician_is_done(place: Dealership) -> None:
    await bookings.finish(
        await somebody(place, Role.TECHNICIAN), await a_booking(place, "working", "arrived"), "valve replaced"
    )


async def technician_waits_for_a_part(place: Dealership) -> None:
    booking = await a_booking(place, "working", "working", "arrived")
    due_at = place.clock() + timedelta(hours=place.luck.choice((1, 3, 20, 30, 100)))
    what = place.luck.choice(("Thermostat", "Ignition coil"))
    technician = await somebody(place, Role.TECHNICIAN)
    await pausing.pause(technician, booking, awaits=Awaited.PART, what=what, due_at=due_at)


async def technician_goes_on(place: Dealership) -> None:
    waits = await a_row(place, "pauses WHERE dealer_id = $1 AND state = 'open'", place.dealer.id)
    await pausing.go_on(await somebody(place, Role.TECHNICIAN), waits["booking_id"])


#: What may never be, beside the sentences of proofs.month.truths; `$1` is the dealer.
TRUTHS = {
    "work waits for something, and its car is not here": """
        SELECT p.id FROM pauses p JOIN bookings b ON b.dealer_id = p.dealer_id AND b.id = p.booking_id
        WHERE p.dealer_id = $1 AND p.state = 'open' AND b.state NOT IN ('arrived', 'working')""",
    "a car is promised for a time at which what it waits for is not yet here": """
        SELECT p.id FROM pauses p JOIN bookings b ON b.dealer_id = p.dealer_id AND b.id = p.booking_id
        WHERE p.dealer_id = $1 AND p.state = 'open' AND b.ready_by < p.due_at""",
}
