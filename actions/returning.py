"""The drive that brings a car back gets another time: because work was late, or because its owner wants another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from actions import promises
from actions.context import Acting
from actions.free_time import locked_time, taken_from
from actions.texts import tell_owner
from rules.service import capacity
from schemas.account import Dealer
from schemas.booking import Booking
from schemas.case import Case
from schemas.errors import BadInput, IllegalMove, Overtaken
from schemas.message import MessageKind, asserts
from schemas.pickup import Leg, LegKind, LegState
from schemas.slot import Claim, Resource, Use, Window
from store import accounts, bookings, pickups, slots
from store.pool import Connection


async def of(connection: Connection, booking: Booking) -> Leg | None:
    """The drive back that nobody has begun."""
    legs = await pickups.of_booking(connection, booking.dealer_id, booking.id)
    return next((leg for leg in legs if leg.kind is LegKind.RETURN and leg.state is LegState.PLANNED), None)


async def free_drives(connection: Connection, dealer: Dealer, leg: Leg, now: datetime) -> tuple[Window, ...]:
    """When a drive back could begin instead; nothing is held."""
    resources = await slots.resources(connection, dealer.id)
    free = _without(leg, resources, await taken_from(connection, dealer.id, now))
    return tuple(
        window for window in capacity.free_drives(dealer, now, resources, free) if window.starts_at != leg.starts_at
    )


async def move_return(
    acting: Acting,
    connection: Connection,
    case: Case,
    booking: Booking,
    starts_at: datetime,
    *,
    was: datetime | None = None,
) -> Booking:
    """Another time for the return of a car that is ready; its owner is told, the ledger follows. `was` is the time that
    the person saw.

    Overtaken with the next windows when no driver is free then. `case` and `booking` are locked.
    """
    leg, now = await of(connection, booking), acting.now()
    if leg is None:
        raise IllegalMove("return", "begun, or there is none", "move", ())
    if was is not None and was != leg.starts_at:
        raise Overtaken("return", "it has another time by now")
    if starts_at == leg.starts_at:
        return booking
    dealer = await accounts.dealer(connection, acting.dealer_id)
    resources, taken = await locked_time(acting.house, connection, acting.dealer_id)
    free = _without(leg, resources, taken)
    wrong = starts_at < now - capacity.STEP or starts_at > now + capacity.HORIZON * 6
    claim = (
        None
        if wrong
        else capacity.drive_at(dealer, starts_at, now=now, resources=resources, taken=free, usual=_seat(leg, resources))
    )
    if claim is None or wrong:
        next_ones = capacity.free_drives(dealer, now, resources, free, count=3)
        windows = tuple(f"{w.starts_at.isoformat()}/{w.ends_at.isoformat()}" for w in next_ones)
        if wrong:
            raise BadInput("starts_at", "lies in the past, or too far ahead", windows=windows)
        raise Overtaken("window", "no driver is free then", windows)
    moved = await reschedule(
        acting,
        connection,
        booking=booking,
        leg=leg,
        claim=claim,
        resources=resources,
        taken=taken,
        reason="another time was agreed",
    )
    await promises.settle(connection, acting.dealer_id, booking.id, now)
    await tell_owner(
        acting,
        connection,
        case,
        MessageKind.NEW_TIME,
        asserts=[asserts("leg", moved.id, LegState.PLANNED, LegState.ON_THE_WAY_BACK, at=moved.starts_at)],
        zone=booking.zone,
        starts_at=moved.starts_at,
        ends_at=moved.ends_at,
        template="agreed",
    )
    await bookings.heard(connection, booking, now)
    return await bookings.get(connection, acting.dealer_id, booking.id)


async def follows(acting: Acting, connection: Connection, booking: Booking, since: datetime) -> Leg | None:
    """The planned return moves to the first free drive from `since` on, of the same driver if they are free then, and
    its loaner stays out as long.

    None when it lies late enough already, or nobody is free: then it stands, and its promise presses.
    """
    leg = await of(connection, booking)
    if leg is None or leg.starts_at >= since:
        return None
    dealer, now = await accounts.dealer(connection, acting.dealer_id), acting.now()
    resources, taken = await locked_time(acting.house, connection, acting.dealer_id)
    claim = capacity.drive_after(
        dealer, since, now=now, resources=resources, taken=_without(leg, resources, taken), usual=_seat(leg, resources)
    )
    return (
        None
        if claim is None
        else await reschedule(
            acting,
            connection,
            booking=booking,
            leg=leg,
            claim=claim,
            resources=resources,
            taken=taken,
            reason="the car is ready later",
        )
    )


async def reschedule(
    acting: Acting,
    connection: Connection,
    booking: Booking,
    leg: Leg,
    claim: Claim,
    resources: Sequence[Resource],
    taken: capacity.Taken,
    reason: str,
) -> Leg:
    """The old drive is free, the new one taken, and the visit's loaner stays out until the car is back."""
    if leg.slot_id is not None:
        await slots.release(connection, acting.dealer_id, leg.slot_id)
    await slots.book(connection, acting.dealer_id, booking.id, [claim])
    mine = await slots.of_booking(connection, acting.dealer_id, booking.id)
    driver = next((resource.staff_id for resource in resources if resource.id == claim.resource_id), None)
    moved = await pickups.reschedule(
        connection,
        leg,
        driver_id=driver,
        slot_id=next(slot.id for slot in mine if slot.use is Use.RETURN),
        starts_at=claim.window.starts_at,
        ends_at=claim.window.ends_at,
        reason=reason,
        actor=acting.actor,
        now=acting.now(),
    )
    out = [slot for slot in mine if slot.use is Use.LOANER]
    last = max(out, key=lambda slot: slot.ends_at, default=None)
    if last is not None and last.ends_at < moved.ends_at:
        longer = Window(starts_at=last.ends_at, ends_at=moved.ends_at)
        if not any(capacity.overlap(longer, other) for other in taken.get(last.resource_id, ())):
            await slots.book(
                connection,
                acting.dealer_id,
                booking.id,
                [Claim(resource_id=last.resource_id, use=Use.LOANER, window=longer)],
            )
    return moved


def _seat(leg: Leg, resources: Sequence[Resource]) -> int | None:
    return next(
        (resource.id for resource in resources if resource.staff_id is not None and resource.staff_id == leg.driver_id),
        None,
    )


def _without(leg: Leg, resources: Sequence[Resource], taken: Mapping[int, Sequence[Window]]) -> dict[int, list[Window]]:
    """What is taken by others than this drive."""
    seat = _seat(leg, resources)
    return {
        resource: [w for w in windows if (resource, w.starts_at, w.ends_at) != (seat, leg.starts_at, leg.ends_at)]
        for resource, windows in taken.items()
    }
