"""What is late moves what comes after it: late work its "ready by", a late "ready by" the drive that brings the car back; and the owner hears the new time."""

from __future__ import annotations

from datetime import datetime

from actions import promises
from actions.context import Acting
from actions.free_time import locked_time
from actions.texts import tell_owner
from rules.service import capacity
from schemas.booking import Booking
from schemas.case import Case
from schemas.message import MessageKind, asserts
from schemas.pickup import Leg, LegKind, LegState
from schemas.promise import Promised, PromiseState
from schemas.slot import Claim, Use, Window
from store import accounts, bookings, pickups, slots
from store.pool import Connection


async def work_follows(acting: Acting, connection: Connection, case: Case, booking: Booking) -> Booking:
    """The car came at this moment: where that was late, the work ends later, and so on. A few minutes move nothing."""
    dealer, now = await accounts.dealer(connection, acting.dealer_id), acting.now()
    end = capacity.work_done(dealer, now)
    if booking.ready_by is None or end is None or end - booking.ready_by <= capacity.STEP:
        return booking
    later = await bookings.change(
        connection, booking, what="promised", reason=f"the car came late: ready by {end:%Y-%m-%d %H:%M} UTC", actor=acting.actor, now=now, ready_by=end
    )
    leg = await return_follows(acting, connection, booking, end)
    if booking.kind.fetched:  # who brought it late themselves is told at the desk
        await tell_new_time(acting, connection, case, later, leg)
    return later


async def return_follows(acting: Acting, connection: Connection, booking: Booking, since: datetime) -> Leg | None:
    """The planned return moves to the first free drive from `since` on, of the same driver if they are free then, and its loaner stays out as long.

    None when it lies late enough already, or nobody is free: then it stands, and its promise presses.
    """
    leg = next((leg for leg in await pickups.of_booking(connection, acting.dealer_id, booking.id) if leg.kind is LegKind.RETURN), None)
    if leg is None or leg.state is not LegState.PLANNED or leg.starts_at >= since:
        return None
    dealer, now = await accounts.dealer(connection, acting.dealer_id), acting.now()
    resources, taken = await locked_time(acting.house, connection, acting.dealer_id)
    seat = next((resource.id for resource in resources if resource.staff_id is not None and resource.staff_id == leg.driver_id), None)
    free = {resource: [w for w in windows if (resource, w.starts_at, w.ends_at) != (seat, leg.starts_at, leg.ends_at)] for resource, windows in taken.items()}
    claim = capacity.drive_after(dealer, since, now, resources, free, usual=seat)
    if claim is None:
        return None
    if leg.slot_id is not None:
        await slots.release(connection, acting.dealer_id, leg.slot_id)
    await slots.book(connection, acting.dealer_id, booking.id, [claim])
    mine = await slots.of_booking(connection, acting.dealer_id, booking.id)
    driver = next((resource.staff_id for resource in resources if resource.id == claim.resource_id), None)
    moved = await pickups.reschedule(
        connection, leg, driver_id=driver, slot_id=next(slot.id for slot in mine if slot.use is Use.RETURN), starts_at=claim.window.starts_at,
        ends_at=claim.window.ends_at, reason="the car is ready later", actor=acting.actor, now=now,
    )  # fmt: skip
    for slot in mine:
        if slot.use is Use.LOANER and slot.ends_at < moved.ends_at:
            longer = Window(starts_at=slot.ends_at, ends_at=moved.ends_at)
            if not any(capacity.overlap(longer, other) for other in taken.get(slot.resource_id, ())):
                await slots.book(connection, acting.dealer_id, booking.id, [Claim(resource_id=slot.resource_id, use=Use.LOANER, window=longer)])
    return moved


async def tell_new_time(acting: Acting, connection: Connection, case: Case, booking: Booking, back: Leg | None) -> None:
    """When it is ready, while it is not, and when it is back, if that has changed; true while these times stand."""
    _, rows, _ = await promises.settle(connection, acting.dealer_id, booking.id, acting.now())
    ready = next((row for row in rows if row.what is Promised.READY and row.state is PromiseState.OPEN), None)
    said = [asserts("promise", ready.id, PromiseState.OPEN)] if ready else []
    said += [asserts("leg", back.id, LegState.PLANNED, LegState.ON_THE_WAY_BACK, at=back.starts_at)] if back else []
    if not said:
        return
    await tell_owner(
        acting, connection, case, MessageKind.NEW_TIME, asserts=said, zone=booking.zone, **({"ready_by": booking.ready_by} if ready else {}),
        **({"starts_at": back.starts_at, "ends_at": back.ends_at} if back else {}),
    )  # fmt: skip
    await bookings.heard(connection, booking, acting.now())
