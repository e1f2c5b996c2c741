"""A visit gets another time, and the return follows what became late: old time free, new time held, the old word
withdrawn, the owner told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from actions import promises, returning
from actions.booking_agreement import address_for, journey_link, loaner_of, plan_drives
from actions.bookings import locked
from actions.calling_off import end_legs
from actions.context import Acting
from actions.free_time import asks_of, is_online, locked_time, option_at, without
from actions.texts import tell_owner
from actions.towing import send_truck
from rules.service import pickup
from schemas.account import Dealer
from schemas.booking import Booking, BookingEvent, BookingKind, BookingState
from schemas.case import Case
from schemas.errors import BadInput, IllegalMove, Overtaken
from schemas.message import MessageKind, asserts
from schemas.moment import local
from schemas.pickup import Leg, LegKind, LegState
from schemas.slot import Resource, Slot
from store import accounts, bookings, jobs, messages, pickups, slots
from store.pool import Connection


async def move_to(
    acting: Acting,
    booking_id: int,
    starts_at: datetime,
    *,
    was: datetime | None = None,
    kind: BookingKind | None = None,
) -> Booking:
    """Another time for an agreed visit, of the same kind and with a loaner if it had one; its case stays as it is.

    Of a car that is ready, its return gets the other time. `was` is the time that the person saw: who looked at an
    older one is refused. `kind` may be a tow truck instead. Refusals name the next windows.
    """
    if kind not in (None, BookingKind.TOW):
        raise BadInput("kind", "only a tow truck can come instead; for anything else cancel the visit and make another")
    async with acting.transaction() as connection:
        case, booking = await locked(connection, acting.dealer_id, booking_id)
        if booking.state is BookingState.READY and kind is None:
            return await returning.move_return(
                acting, connection, case=case, booking=booking, starts_at=starts_at, was=was
            )
        legs = [  # a car that is fetched now, and was to be repaired where it stands, has no such way any more
            leg
            for leg in await pickups.of_booking(connection, acting.dealer_id, booking_id)
            if (leg.kind is LegKind.VISIT) is (booking.kind is BookingKind.MOBILE_REPAIR)
        ]
        kind = kind or booking.kind
        in_its_place = kind is not booking.kind and booking.kind.fetched and starts_at == booking.starts_at
        if not in_its_place:
            _may_move(booking, legs)
        if was is not None and was != booking.starts_at:
            raise Overtaken("booking", "it has another time by now")
        if in_its_place:
            return await send_truck(acting, connection, case, booking)
        if starts_at == booking.starts_at and kind is booking.kind:
            return booking
        address = await address_for(connection, case, kind) if kind is not booking.kind else booking.address
        dealer, now = await accounts.dealer(connection, acting.dealer_id), acting.now()
        resources, taken = await locked_time(acting.house, connection, acting.dealer_id)
        free = without(taken, await slots.of_booking(connection, acting.dealer_id, booking_id))
        loaner = booking.loaner_id is not None
        option = await option_at(
            acting.house,
            connection,
            dealer=dealer,
            kind=kind,
            starts_at=starts_at,
            time=(resources, free),
            loaner=loaner,
            asks=await asks_of(connection, dealer, now, case=case, online=is_online(acting), but=booking),
        )
        await slots.release_booking(connection, acting.dealer_id, booking_id)
        await slots.book(connection, acting.dealer_id, booking_id, option.claims)
        mine = await slots.of_booking(connection, acting.dealer_id, booking_id)
        wall = local(option.window.starts_at, dealer.zone).strftime("%Y-%m-%dT%H:%M")
        moved = await bookings.change(
            connection,
            booking,
            what="moved",
            reason=f"from {booking.wall_start.replace('T', ' ')} to {wall.replace('T', ' ')}",
            actor=acting.actor,
            now=now,
            starts_at=option.window.starts_at,
            ends_at=option.window.ends_at,
            wall_start=wall,
            zone=dealer.zone,
            ready_by=option.ready_by,
            loaner_id=loaner_of(mine),
            kind=kind.value,
            address=address,
        )
        if kind is not booking.kind and booking.kind is BookingKind.MOBILE_REPAIR:
            await end_legs(acting, connection, booking_id, "it is fetched instead")
        if kind.fetched and not booking.kind.fetched:
            await plan_drives(acting, connection, moved)
        else:
            await _move_drives(acting, connection, legs=legs, resources=resources, mine=mine)
        await messages.withdraw_about(
            connection,
            acting.dealer_id,
            booking_id=booking_id,
            leg_ids=[leg.id for leg in legs],
            reason="the visit has another time now",
        )
        await _tell_moved(acting, connection, dealer=dealer, case=case, booking=moved)
        await jobs.put(connection, acting.dealer_id, "booking", booking_id, due_at=now)
        await promises.settle(connection, acting.dealer_id, booking_id, now)
        return moved


def _may_move(booking: Booking, legs: Sequence[Leg]) -> None:
    """Until the car comes, or a driver has set out for it."""
    if booking.state is not BookingState.AGREED:
        raise IllegalMove("booking", booking.state.value, "move", ())
    begun = next((leg for leg in legs if leg.state is not LegState.PLANNED), None)
    if begun is not None:
        raise IllegalMove(
            begun.kind.value,
            begun.state.value,
            "move",
            (BookingEvent.CANCELLED.value,) if begun.state is LegState.CANCELLED else (),
        )


async def _move_drives(
    acting: Acting, connection: Connection, legs: Sequence[Leg], resources: Sequence[Resource], mine: Sequence[Slot]
) -> None:
    by_kind = {leg.kind: leg for leg in legs}
    for drive in pickup.drives(mine, {resource.id: resource.staff_id for resource in resources}):
        await pickups.reschedule(
            connection,
            by_kind[drive.kind],
            driver_id=drive.driver_id,
            slot_id=drive.slot_id,
            starts_at=drive.starts_at,
            ends_at=drive.ends_at,
            reason="the visit has another time",
            actor=acting.actor,
            now=acting.now(),
        )


async def _tell_moved(acting: Acting, connection: Connection, dealer: Dealer, case: Case, booking: Booking) -> None:
    now = acting.now()
    await tell_owner(
        acting,
        connection,
        case,
        MessageKind.MOVED,
        asserts=[asserts("booking", booking.id, BookingState.AGREED, at=booking.starts_at)],
        kind=booking.kind.value,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        zone=booking.zone,
        link=await journey_link(acting, connection, case, booking.id),
    )
    await bookings.heard(connection, booking, now)
