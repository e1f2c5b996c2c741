"""Calling off: an offer that is not kept open, a visit that does not come about.

What rests on it is settled in the same transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from actions import promises
from actions.context import Acting
from actions.handover_guard import recorded
from actions.texts import tell_owner
from rules.service.pickup import in_our_hands
from schemas.booking import Booking, BookingEvent, BookingState, OfferEvent, OfferState
from schemas.case import Case, CaseEvent, CaseState
from schemas.errors import Overtaken
from schemas.message import MessageKind, asserts
from schemas.pickup import LEGS, LegEvent, LegKind, LegState
from store import bookings, cases, jobs, offers, pickups, slots
from store.pool import Connection


async def withdraw_open_offer(acting: Acting, connection: Connection, case: Case, reason: str) -> bool:
    """Whatever replaces an offer frees its windows in the same transaction. Whether there was one."""
    found = False
    for offer in await offers.of_case(connection, case.dealer_id, case.id):
        if offer.state is OfferState.OPEN:
            await offers.move(
                connection, offer, OfferEvent.WITHDRAWN, reason=reason, actor=acting.actor, now=acting.now()
            )
            found = True
    return found


async def call_off(
    acting: Acting, connection: Connection, case: Case, booking: Booking, reason: str, *, tell: bool = True
) -> Booking:
    """An agreed visit does not come about: time and drives are free, the case is the desk's again, the owner is told.
    `case` is locked.

    `tell` is False only where there is nobody any more whom one could tell: the owner is erased in the same
    transaction. Overtaken while a driver has the car: nobody's car may be with us without a next step.
    """
    held = in_our_hands(await pickups.of_booking(connection, case.dealer_id, booking.id))
    if held is not None:
        raise Overtaken("visit", held)
    now = acting.now()
    cancelled = await bookings.move(
        connection, booking, BookingEvent.CANCELLED, reason=reason, actor=acting.actor, now=now
    )
    await end_legs(acting, connection, booking.id, reason)
    await slots.release_booking(connection, case.dealer_id, booking.id)
    await promises.settle(connection, case.dealer_id, booking.id, now)
    if case.state is CaseState.BOOKED:
        await cases.move(connection, case, CaseEvent.CANCELLED, reason=reason, actor=acting.actor, now=now)
    await look_again(connection, case.dealer_id, case.owner_id, now)
    if tell:
        await tell_visit(
            acting,
            connection,
            case,
            cancelled,
            MessageKind.CANCELLED,
            BookingState.CANCELLED,
            starts_at=booking.starts_at,
            ends_at=booking.ends_at,
        )
    return cancelled


async def end_legs(
    acting: Acting, connection: Connection, booking_id: int, reason: str, only: LegKind | None = None
) -> None:
    """The drives of a visit end with it, or one way of it: what has not begun is called off, a car that is on its way
    to us or to its owner has come.
    """
    for leg in await pickups.of_booking(connection, acting.dealer_id, booking_id):
        if only is None or leg.kind is only:
            event = _ARRIVALS.get(leg.state, LegEvent.CANCELLED)
            await recorded(connection, leg, event)
            if event in LEGS[leg.kind].allowed(leg.state):
                await pickups.move(connection, leg, event, reason=reason, actor=acting.actor, now=acting.now())


async def reach_car(acting: Acting, connection: Connection, booking_id: int) -> None:
    """The technician is at the car, whatever steps of the way were said."""
    for leg in await pickups.of_booking(connection, acting.dealer_id, booking_id):
        for event in (LegEvent.ON_THE_WAY, LegEvent.AT_CAR):
            if leg.kind is LegKind.VISIT and event in LEGS[leg.kind].allowed(leg.state):
                leg = await pickups.move(
                    connection,
                    leg,
                    event,
                    reason="the technician is at the car",
                    actor=acting.actor,
                    now=acting.now(),
                )


#: With a car in it a drive cannot be called off: when the visit goes on without its driver's word, the car is where it
#: was going.
_ARRIVALS = {
    LegState.COLLECTED: LegEvent.AT_WORKSHOP,
    LegState.ON_THE_WAY_BACK: LegEvent.HANDED_OVER,
    LegState.AT_CAR: LegEvent.HANDED_OVER,
}


async def tell_visit(
    acting: Acting,
    connection: Connection,
    case: Case,
    booking: Booking,
    kind: MessageKind,
    *true_in: BookingState,
    **facts: Any,
) -> int | None:
    """A text about this visit, true only while the booking is in one of these states; it is our newest word to them."""
    found = await tell_owner(
        acting,
        connection,
        case,
        kind,
        asserts=[asserts("booking", booking.id, *true_in)],
        **{"kind": booking.kind.value, **({"ready_by": booking.ready_by} if _soon(acting, booking) else {}), **facts},
    )
    await bookings.heard(connection, booking, acting.now())
    return found


async def ask_to_ring(connection: Connection, case: Case, because: str, now: datetime) -> None:
    """A text is not enough: whoever has the case is told to ring its owner, and why."""
    await jobs.put(connection, case.dealer_id, "ring", case.id, due_at=now, because=because)


async def look_again(connection: Connection, dealer_id: int, owner_id: int | None, now: datetime) -> None:
    """What decides whether this owner must and may be warned of a car of theirs has changed: it is decided anew, by a
    worker.
    """
    if owner_id is not None:
        await jobs.put(connection, dealer_id, "safety", owner_id, due_at=now)


def _soon(acting: Acting, booking: Booking) -> bool:
    """A promise that can still be kept may be repeated; a broken one may not."""
    return booking.ready_by is not None and booking.ready_by > acting.now()
