"""An agreement: out of held or free time comes a booking, its drives, and the word to the owner.

Used by offers and direct bookings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from actions import promises
from actions.context import Acting
from actions.texts import tell_owner
from rules.service import pickup, travel
from schemas.account import Dealer
from schemas.booking import Booking, BookingKind, Offer, OfferEvent
from schemas.case import Case, CaseEvent
from schemas.consent import Owner
from schemas.errors import BadInput
from schemas.message import MessageKind, asserts
from schemas.pickup import Door
from schemas.place import place_of
from schemas.slot import Claim, Slot, Use, Window
from store import accounts, bookings, cases, jobs, offers, owners, pickups, secrets, slots
from store.pool import Connection

LINK_LIFE = timedelta(days=90)  #: a visit is long over by then


async def address_for(connection: Connection, case: Case, kind: BookingKind) -> str | None:
    """Where we come to; a car without an address, or beyond where we drive, is refused before anybody sets out."""
    owner = None if case.owner_id is None else await owners.get(connection, case.dealer_id, case.owner_id)
    address = owner.address if owner else None
    if kind.at_theirs and not address:
        raise BadInput("address", "nobody knows where this car stands: give its owner an address first")
    if owner is not None:
        dealer = await accounts.dealer(connection, case.dealer_id)
        travel.within(kind, place_of(dealer.place), dealer.pickup_radius_km, place_of(owner.place))
    return address


def door_of(dealer: Dealer, owner: Owner | None) -> Door:
    """What a driver finds at this owner's, and how long the way is: estimated until a road service says better."""
    if owner is None:
        return Door()
    minutes = travel.minutes(place_of(dealer.place), place_of(owner.place))
    return Door(
        place=owner.place,
        access_notes=owner.access_notes,
        contact=owner.contact,
        travel_minutes=minutes,
        travel_by=None if minutes is None else travel.ESTIMATE,
    )


@dataclass(frozen=True, slots=True)
class Held:
    """Time that an offer holds for one of its windows."""

    offer: Offer
    choice: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed: the window, until when the work is done, with which loaner, how it came to be, and whose time it
    takes.
    """

    kind: BookingKind
    window: Window
    ready_by: datetime
    loaner_id: int | None
    reason: str
    time: Held | Sequence[Claim]


async def agree(acting: Acting, connection: Connection, dealer: Dealer, case: Case, terms: Terms) -> Booking:
    """The one path to a visit: the booking, the case's move, its time, its drives, the word to the owner; the workers
    remind.
    """
    now, kind = acting.now(), terms.kind
    booking = await bookings.make(
        connection,
        dealer.id,
        case_id=case.id,
        vehicle_id=case.vehicle_id,
        kind=kind,
        starts_at=terms.window.starts_at,
        ends_at=terms.window.ends_at,
        zone=dealer.zone,
        address=await address_for(connection, case, kind),
        loaner_id=terms.loaner_id,
        ready_by=terms.ready_by,
        reason=terms.reason,
        actor=acting.actor,
        now=now,
    )
    await cases.move(
        connection,
        case,
        CaseEvent.BOOKED,
        reason=f"{kind.value} {booking.wall_start.replace('T', ' ')}",
        actor=acting.actor,
        now=now,
    )
    await _take_time(acting, connection, booking, terms)
    if kind.at_theirs:
        await plan_drives(acting, connection, booking)
    await confirm(acting, connection, dealer=dealer, case=case, booking=booking)
    return booking


async def _take_time(acting: Acting, connection: Connection, booking: Booking, terms: Terms) -> None:
    """What was held or free is this booking's; the offer that held it is accepted, and its other windows are free
    again.
    """
    if not isinstance(terms.time, Held):
        await slots.book(connection, booking.dealer_id, booking.id, terms.time)
        return
    offer = terms.time.offer
    await slots.book_held(
        connection, offer.dealer_id, offer_id=offer.id, choice=terms.time.choice, booking_id=booking.id
    )
    await slots.release_offer(connection, offer.dealer_id, offer.id)
    await offers.move(connection, offer, OfferEvent.ACCEPTED, reason=terms.reason, actor=acting.actor, now=acting.now())


async def confirm(acting: Acting, connection: Connection, dealer: Dealer, case: Case, booking: Booking) -> None:
    """Tell the owner what stands, and leave the reminders to the workers."""
    now = acting.now()
    await tell_owner(
        acting,
        connection,
        case,
        MessageKind.BOOKED,
        asserts=[asserts("booking", booking.id, "agreed", at=booking.starts_at)],
        kind=booking.kind.value,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        zone=booking.zone,
        link=await journey_link(acting, connection, case, booking.id),
        address=booking.address if booking.kind.at_theirs else dealer.address,
    )
    await bookings.heard(connection, booking, now)
    await jobs.put(connection, dealer.id, "booking", booking.id, due_at=now)
    await promises.settle(connection, dealer.id, booking.id, now)


async def journey_link(acting: Acting, connection: Connection, case: Case, booking_id: int) -> str:
    """A new link to the visit's page, for its owner of now; it ends with the visit, or when the car is sold."""
    token = await secrets.make(
        connection,
        case.dealer_id,
        "journey",
        now=acting.now(),
        expires_at=acting.now() + LINK_LIFE,
        owner_id=case.owner_id,
        vehicle_id=case.vehicle_id,
        subject_id=booking_id,
    )
    return acting.house.link("journey", token)


def loaner_of(taken: Sequence[Slot]) -> int | None:
    """The loaner car among what was taken."""
    return next((slot.resource_id for slot in taken if slot.use is Use.LOANER), None)


async def plan_drives(acting: Acting, connection: Connection, booking: Booking) -> None:
    """The drives of a visit to which we come, out of the time that is booked for it."""
    taken = await slots.of_booking(connection, booking.dealer_id, booking.id)
    drivers = {resource.id: resource.staff_id for resource in await slots.resources(connection, booking.dealer_id)}
    case = await cases.get(connection, booking.dealer_id, booking.case_id)
    owner = None if case.owner_id is None else await owners.get(connection, booking.dealer_id, case.owner_id)
    door = door_of(await accounts.dealer(connection, booking.dealer_id), owner)
    for drive in pickup.drives(taken, drivers):
        await pickups.plan(
            connection,
            booking.dealer_id,
            booking.id,
            drive.kind,
            driver_id=drive.driver_id,
            slot_id=drive.slot_id,
            address=booking.address or "",
            door=door,
            starts_at=drive.starts_at,
            ends_at=drive.ends_at,
            actor=acting.actor,
            now=acting.now(),
        )
