"""What technicians do in the month."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

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


async def technician_needs_it_not(place: Dealership) -> None:
    line = await _a_line(place)
    await estimates.withdraw(await somebody(place, Role.TECHNICIAN), line["id"], "it was the other hose")


async def owner_answers_about_more(place: Dealership) -> None:
    """By their link, or on the telephone."""
    line, by_link = await _a_line(place), place.luck.random() < 0.7
    acting = place.house.acting(place.dealer.id, "owner") if by_link else await somebody(place, Role.ADVISOR)
    await estimates.answer(acting, line["id"], place.luck.random() < 0.6, "on the owner's page")


async def owner_would_rather_talk(place: Dealership) -> None:
    await estimates.ring_me(place.house.acting(place.dealer.id, "owner"), (await _a_line(place))["booking_id"])


async def _a_line(place: Dealership) -> Any:
    return await a_row(
        place, "estimate_lines WHERE dealer_id = $1 AND answer IS NULL AND withdrawn_at IS NULL", place.dealer.id
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
    "work has ended, and its owner's answer about more of it is awaited": """
        SELECT e.id FROM estimate_lines e JOIN bookings b ON b.dealer_id = e.dealer_id AND b.id = e.booking_id
        WHERE e.dealer_id = $1 AND e.answer IS NULL AND e.withdrawn_at IS NULL
          AND b.state NOT IN ('arrived', 'working')""",
    "more work was found, and nobody is told: neither its owner nor who should ring them": """
        SELECT e.id FROM estimate_lines e JOIN bookings b ON b.dealer_id = e.dealer_id AND b.id = e.booking_id
        WHERE e.dealer_id = $1 AND e.answer IS NULL AND e.withdrawn_at IS NULL
          AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.dealer_id = $1 AND m.case_id = b.case_id
            AND m.kind IN ('extra_work', 'staff_ring') AND m.queued_at >= e.asked_at - interval '10 minutes')
          AND NOT EXISTS (SELECT 1 FROM wakeups w WHERE w.dealer_id = $1 AND (w.topic = 'extra_work'
            AND w.subject_id = b.id OR w.topic = 'ring' AND w.subject_id = b.case_id))""",
    "work waits for something, and its car is not here": """
        SELECT p.id FROM pauses p JOIN bookings b ON b.dealer_id = p.dealer_id AND b.id = p.booking_id
        WHERE p.dealer_id = $1 AND p.state = 'open' AND b.state NOT IN ('arrived', 'working')""",
    "a car is promised for a time at which what it waits for is not yet here": """
        SELECT p.id FROM pauses p JOIN bookings b ON b.dealer_id = p.dealer_id AND b.id = p.booking_id
        WHERE p.dealer_id = $1 AND p.state = 'open' AND b.ready_by < p.due_at""",
}
