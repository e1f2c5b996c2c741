"""Drives change hands: to whoever they cost least when somebody is away, or as a plan of the whole day says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from itertools import groupby

from actions.calling_off import ask_to_ring
from actions.context import Acting
from actions.free_time import locked_time
from rules.service import day_plan
from rules.service.ordering import best
from rules.service.rounds import Day, may_drive
from rules.service.travel import Matrix, estimate
from schemas.account import Dealer, Role
from schemas.errors import Overtaken
from schemas.moment import from_local, local
from schemas.pickup import Leg, LegKind, LegState
from schemas.place import Place
from schemas.slot import Claim, ResourceKind, Use, Window
from store import accounts, bookings, cases, pickups, slots
from store.pool import Connection

USE = {LegKind.COLLECT: Use.COLLECT, LegKind.RETURN: Use.RETURN}


def span_of(dealer: Dealer, moment: datetime) -> tuple[datetime, datetime]:
    """The instants between which the dealer's calendar shows that day."""
    day = local(moment, dealer.zone).date()
    return from_local(day, time(0), dealer.zone, fold=0), from_local(
        day + timedelta(days=1), time(0), dealer.zone, fold=0
    )


async def day(
    connection: Connection,
    dealer: Dealer,
    span: tuple[datetime, datetime],
    places: Sequence[Place] = (),
    matrix: Matrix = (),
    without: int | None = None,
) -> tuple[Day, dict[int, Leg]]:
    """What there is to drive that day, and who is there. Ways are estimated unless a `matrix` of `places` is given."""
    legs = [leg for leg in await pickups.listed(connection, dealer.id, since=span[0], until=span[1]) if _driven(leg)]
    mine = {(leg.driver_id, leg.starts_at, leg.ends_at) for leg in legs}
    taken = await slots.taken(connection, dealer.id, *span)
    gone: dict[int, list[Window]] = {}  # away, or held for an offer
    for seat in await slots.resources(connection, dealer.id):
        driver = seat.staff_id if seat.kind is ResourceKind.DRIVER else None
        if driver is not None and driver != without:
            windows = taken.get(seat.id, ())
            gone[driver] = [one for one in windows if (driver, one.starts_at, one.ends_at) not in mine]
    known = places or day_plan.places_of(dealer, legs)
    found = day_plan.day_of(dealer, legs, away=gone, span=span, places=known, matrix=matrix or estimate(known))
    return found, {leg.id: leg for leg in legs}


async def hand_on(
    acting: Acting,
    connection: Connection,
    dealer: Dealer,
    legs: Sequence[Leg],
    reason: str,
    *,
    without: int | None = None,
) -> list[Leg]:
    """Each of these drives goes to the driver for whom it is the shortest way round; which are nobody's now.

    Nobody else's drive changes. Whose case it is, is asked to ring about a drive that nobody can make. The cases of all
    these legs are locked; whom they are taken from is away, or is named as `without`.
    """
    await locked_time(acting.house, connection, dealer.id)
    left: list[Leg] = []
    for _, of_day in groupby(
        sorted(legs, key=lambda leg: leg.starts_at), key=lambda leg: span_of(dealer, leg.starts_at)
    ):
        mine = list(of_day)
        whole, _ = await day(connection, dealer, span_of(dealer, mine[0].starts_at), without=without)
        plan = (await asyncio.to_thread(best, day_plan.freed(whole, {leg.id for leg in mine}))).driver_of()
        await give(acting, connection, legs=mine, to={leg.id: plan.get(leg.id) for leg in mine}, reason=reason)
        left += [leg for leg in mine if leg.id not in plan]
    for leg in left:
        booking = await bookings.get(connection, dealer.id, leg.booking_id)
        case = await cases.get(connection, dealer.id, booking.case_id)
        because = f"{reason}, and no other driver is free: it needs one, or another time"
        await ask_to_ring(connection, case, because, acting.now())
    return left


async def give(
    acting: Acting, connection: Connection, legs: Sequence[Leg], to: Mapping[int, int | None], reason: str
) -> None:
    """Each leg to its new driver, or to nobody: first all of their time is free, then it is taken anew.

    Overtaken when a driver is not free then; nothing has changed in that case once the transaction is undone.
    """
    moving = [leg for leg in legs if to[leg.id] != leg.driver_id]
    for leg in moving:
        if leg.slot_id is not None:
            await slots.release(connection, acting.dealer_id, leg.slot_id)
    resources, _ = await locked_time(acting.house, connection, acting.dealer_id)
    if not moving:
        return
    # a drive of days ago that nobody made is given away, too, and whoever was away then did not make it
    first, last = min(leg.starts_at for leg in moving), max(leg.ends_at for leg in moving)
    taken = await slots.taken(connection, acting.dealer_id, first, last)
    seats = {resource.staff_id: resource.id for resource in resources if resource.kind is ResourceKind.DRIVER}
    for leg in moving:
        driver, now = to[leg.id], acting.now()
        if driver is None:
            await pickups.unassign(connection, leg, reason=reason, actor=acting.actor, now=now)
            continue
        window = Window(starts_at=leg.starts_at, ends_at=leg.ends_at)
        seat = seats.get(driver)
        if seat is None or any(
            one.starts_at < window.ends_at and window.starts_at < one.ends_at for one in taken.get(seat, ())
        ):
            raise Overtaken("window", "a driver is not free then any more")
        await slots.book(
            connection, acting.dealer_id, leg.booking_id, [Claim(resource_id=seat, use=USE[leg.kind], window=window)]
        )
        taken.setdefault(seat, []).append(window)
        booked = await slots.of_booking(connection, acting.dealer_id, leg.booking_id)
        slot = next(slot.id for slot in booked if slot.resource_id == seat and slot.use is USE[leg.kind])
        await pickups.assign(connection, leg, driver, slot, reason=reason, actor=acting.actor, now=now)


async def free_then(connection: Connection, dealer_id: int, leg: Leg) -> str:
    """Who else could drive it, in words that follow a refusal: '; free are Ana and Bo', or that nobody is."""
    dealer = await accounts.dealer(connection, dealer_id)
    whole, _ = await day(connection, dealer, span_of(dealer, leg.starts_at))
    held = day_plan.orders_of(whole, frozenset({leg.id}))
    errand = next((one for one in whole.errands if one.leg_id == leg.id), None)
    able = {one.driver for one in whole.shifts if errand and may_drive(whole, one, errand, held[one.driver])}
    names = [person.name for person in await accounts.staff_of(connection, dealer_id, Role.DRIVER) if person.id in able]
    return f"; free is {' or '.join(names[:3])}" if names else "; nobody else is either"


def _driven(leg: Leg) -> bool:
    """A driver's, and not over; a technician's way to a car goes with their hours."""
    return leg.kind is not LegKind.VISIT and leg.state in (
        LegState.PLANNED,
        LegState.ON_THE_WAY,
        LegState.COLLECTED,
        LegState.ON_THE_WAY_BACK,
    )
