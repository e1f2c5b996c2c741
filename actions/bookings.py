"""A visit: booked directly or out of an offer, then arrive, start, finish, hand over; or cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from actions import promises, returning
from actions.booking_agreement import Terms, agree
from actions.calling_off import call_off, end_legs, look_again, reach_car, tell_visit, withdraw_open_offer
from actions.context import Acting, House
from actions.driving import fitting
from actions.following import tell_new_time, work_follows
from actions.free_time import asks_of, free_options, is_online, locked_time, option_at
from actions.going_on import waits_no_longer
from rules.catalogue import BY_NAME
from rules.engine.repair_verification import demand
from rules.service import capacity
from rules.service.casework import speaks
from rules.service.extra_work import holds_up
from schemas.alert import AlertState
from schemas.booking import BOOKING, Booking, BookingEvent, BookingKind, BookingState
from schemas.case import CASE, Case, CaseEvent
from schemas.errors import BadInput, IllegalMove, Overtaken
from schemas.message import MessageKind
from schemas.pickup import LegKind
from schemas.slot import Use
from store import accounts, alerts, bookings, cases, estimates, fleet, jobs, notifications, pauses, slots
from store.pool import Connection


async def free_windows(
    house: House,
    dealer_id: int,
    kind: BookingKind,
    *,
    count: int = 12,
    loaner: bool = False,
    online: bool = False,
    case_id: int | None = None,
    but: Booking | None = None,
) -> tuple[capacity.Option, ...]:
    """What could be booked now, at the desk or `online`; for the work of a case, or for any visit."""
    async with house.at(dealer_id) as connection:
        dealer = await accounts.dealer(connection, dealer_id)
        case = None if case_id is None else await cases.get(connection, dealer_id, case_id)
        asks = await asks_of(connection, dealer, house.now(), case=case, online=online, but=but)
        return await free_options(house, connection, dealer, kind, count=count, loaner=loaner, asks=asks)


async def book(
    acting: Acting, case_id: int, kind: BookingKind, starts_at: datetime, *, loaner: bool = False
) -> Booking:
    """Agreed on the telephone: this window, now.

    Of many who want the last one exactly one gets it; the others hear what is free.
    """
    async with acting.transaction() as connection:
        case = await cases.get(connection, acting.dealer_id, case_id, lock=True)
        CASE.next(case.state, CaseEvent.BOOKED)
        if loaner and kind is BookingKind.MOBILE_REPAIR:
            raise BadInput("loaner", "is not needed: the car stays with its owner")
        await fitting(connection, case, kind)
        dealer = await accounts.dealer(connection, acting.dealer_id)
        await withdraw_open_offer(acting, connection, case, "booked directly")
        time = await locked_time(acting.house, connection, acting.dealer_id)
        option = await option_at(
            acting.house,
            connection,
            dealer=dealer,
            kind=kind,
            starts_at=starts_at,
            time=time,
            loaner=loaner,
            asks=await asks_of(connection, dealer, acting.now(), case=case, online=is_online(acting)),
        )
        car = next((claim.resource_id for claim in option.claims if claim.use is Use.LOANER), None)
        return await agree(
            acting,
            connection,
            dealer=dealer,
            case=case,
            terms=Terms(
                kind,
                option.window,
                ready_by=option.ready_by,
                loaner_id=car,
                reason="booked directly",
                time=option.claims,
            ),
        )


async def arrive(acting: Acting, booking_id: int) -> Booking:
    """The car is here, or our technician at the car."""
    async with acting.transaction() as connection:
        case, booking = await locked(connection, acting.dealer_id, booking_id)
        if booking.kind is BookingKind.MOBILE_REPAIR:
            await reach_car(acting, connection, booking_id=booking_id)
        else:
            await end_legs(
                acting, connection, booking_id=booking_id, reason="the car is here already", only=LegKind.COLLECT
            )
        return await arrived(acting, connection, case, booking)


async def arrived(acting: Acting, connection: Connection, case: Case, booking: Booking) -> Booking:
    """The same, when a driver brought it, or the technician says so: who came to the car begins at once."""
    now, on_the_road = acting.now(), booking.kind is BookingKind.MOBILE_REPAIR
    reason = "the technician is at the car" if on_the_road else "the car is at the workshop"
    moved = await bookings.move(connection, booking, BookingEvent.ARRIVED, reason=reason, actor=acting.actor, now=now)
    await cases.move(connection, case, CaseEvent.ARRIVED, reason=reason, actor=acting.actor, now=now)
    if on_the_road:
        moved = await bookings.move(
            connection, moved, BookingEvent.STARTED, reason="work has begun", actor=acting.actor, now=now
        )
    await tell_visit(
        acting, connection, case, moved, MessageKind.AT_WORKSHOP, BookingState.ARRIVED, BookingState.WORKING
    )
    moved = await work_follows(acting, connection, case, moved)
    await promises.settle(connection, acting.dealer_id, booking.id, now)
    return moved


async def start(acting: Acting, booking_id: int) -> Booking:
    """Work has begun."""
    async with acting.transaction() as connection:
        _, booking = await locked(connection, acting.dealer_id, booking_id)
        await waits_no_longer(acting, connection, booking_id, "work has begun")
        return await bookings.move(
            connection, booking, BookingEvent.STARTED, reason="work has begun", actor=acting.actor, now=acting.now()
        )


async def finish(acting: Acting, booking_id: int, finding: str) -> Booking:
    """Repaired, says the workshop. Whether it is true, the car will show: its case is verifying now."""
    if not finding.strip():
        raise BadInput("finding", "say what was found and done: the owner reads it")
    async with acting.transaction() as connection:
        case, booking = await locked(connection, acting.dealer_id, booking_id)
        now = acting.now()
        held = holds_up(await estimates.of_booking(connection, acting.dealer_id, booking_id))
        if held is not None and BookingEvent.FINISHED in BOOKING.allowed(booking.state):
            raise Overtaken("work", held)
        done = await bookings.move(
            connection, booking, BookingEvent.FINISHED, reason=finding, actor=acting.actor, now=now, finding=finding
        )
        await waits_no_longer(acting, connection, booking_id, "the work is done")
        await cases.move(
            connection,
            case,
            CaseEvent.REPAIRED,
            reason=finding,
            actor=acting.actor,
            now=now,
            repaired_at=now,
            confirmed=None,
            proof=await _demands(acting.house, connection, case),
        )
        true_in = (BookingState.READY, BookingState.COMPLETED)[: 2 if done.kind is BookingKind.MOBILE_REPAIR else 1]
        await tell_visit(acting, connection, case, done, MessageKind.READY, *true_in, finding=finding)
        await notifications.ring(connection, notifications.CARS, vehicle=case.vehicle_id, what="repaired")
        await jobs.put(connection, acting.dealer_id, "proof", case.id, due_at=now)
        back = await returning.follows(acting, connection, done, now - capacity.STEP)
        if back is not None:
            await tell_new_time(acting, connection, case=case, booking=done, back=back)
        if done.kind is BookingKind.MOBILE_REPAIR:  # its owner has it: nobody brings it back
            await end_legs(acting, connection, booking_id=booking_id, reason="the work at the car is done")
            done = await _given_back(acting, connection, case, done)
        await promises.settle(connection, acting.dealer_id, booking_id, now)
        return done


async def hand_over(acting: Acting, booking_id: int) -> Booking:
    """The owner has the car again, and we need its time no more."""
    async with acting.transaction() as connection:
        case, booking = await locked(connection, acting.dealer_id, booking_id)
        await end_legs(acting, connection, booking_id=booking_id, reason="the owner has the car", only=LegKind.RETURN)
        return await handed_over(acting, connection, case, booking)


async def handed_over(acting: Acting, connection: Connection, case: Case, booking: Booking) -> Booking:
    """The same, when a driver brought it back."""
    moved = await _given_back(acting, connection, case, booking)
    car = await fleet.get(connection, case.dealer_id, case.vehicle_id)
    proves = "itself" if speaks(car.last_heard_at, acting.now()) else None
    await tell_visit(acting, connection, case, moved, MessageKind.HANDED_OVER, BookingState.COMPLETED, proves=proves)
    await promises.settle(connection, acting.dealer_id, booking.id, acting.now())
    return moved


async def _given_back(acting: Acting, connection: Connection, case: Case, booking: Booking) -> Booking:
    """The visit is over and needs no time any more; what its owner is told of the car is decided anew."""
    moved = await bookings.move(
        connection,
        booking,
        BookingEvent.HANDED_OVER,
        reason="the owner has the car",
        actor=acting.actor,
        now=acting.now(),
    )
    await slots.release_booking(connection, booking.dealer_id, booking.id)
    await look_again(connection, acting.dealer_id, case.owner_id, acting.now())
    return moved


async def cancel(acting: Acting, booking_id: int, reason: str) -> Booking:
    """It falls through: driver, bay and loaner are free at once, queued texts become untrue and are not sent.

    Refused while a driver has the car.
    """
    if not reason.strip():
        raise BadInput("reason", "say why")
    async with acting.transaction() as connection:
        case, booking = await locked(connection, acting.dealer_id, booking_id)
        return await call_off(acting, connection, case=case, booking=booking, reason=reason)


async def promise(acting: Acting, booking_id: int, ready_by: datetime) -> Booking:
    """A time given to a customer.

    Where it is later than the one before, the return follows and they are told; the ledger sees to it that it is not
    broken in silence.
    """
    async with acting.transaction() as connection:
        case, booking = await locked(connection, acting.dealer_id, booking_id)
        now = acting.now()
        if booking.state in (BookingState.READY, BookingState.COMPLETED, BookingState.CANCELLED):
            raise IllegalMove(
                "booking",
                booking.state.value,
                "promise",
                tuple(event.value for event in BOOKING.allowed(booking.state)),
            )
        if ready_by <= now:
            raise BadInput("ready_by", "lies in the past: nobody can keep that promise")
        waits = await pauses.now_of(connection, acting.dealer_id, booking_id)
        if waits is not None and ready_by < waits.due_at:
            raise BadInput("ready_by", f"lies before what is awaited can be here: {waits.what}")
        promised = await bookings.change(
            connection,
            booking,
            what="promised",
            reason=f"ready by {ready_by:%Y-%m-%d %H:%M} UTC",
            actor=acting.actor,
            now=now,
            ready_by=ready_by,
        )
        back = await returning.follows(acting, connection, promised, ready_by)
        if back is not None or (booking.ready_by is not None and ready_by > booking.ready_by):
            await tell_new_time(acting, connection, case=case, booking=promised, back=back)
        await promises.settle(connection, acting.dealer_id, booking_id, now)
        return promised


async def locked(connection: Connection, dealer_id: int, booking_id: int) -> tuple[Case, Booking]:
    """The case first, then the booking: everybody locks in this order."""
    booking = await bookings.get(connection, dealer_id, booking_id)
    case = await cases.get(connection, dealer_id, booking.case_id, lock=True)
    return case, await bookings.get(connection, dealer_id, booking_id, lock=True)


async def _demands(house: House, connection: Connection, case: Case) -> list[dict[str, Any]]:
    """What the car must show now: the proof of each rule whose alert belongs to this case."""
    car = await fleet.get(connection, case.dealer_id, case.vehicle_id)
    profiles: Mapping[str, Any] = house.profiles
    if car.profile not in profiles:
        return []
    told = [
        a
        for a in await alerts.of_case(connection, case.dealer_id, case.id)
        if a.state is not AlertState.WITHDRAWN and a.rule in BY_NAME
    ]
    return [
        demand(BY_NAME[rule].proof, rule, component, profiles[car.profile])
        for rule, component in dict.fromkeys((a.rule, a.component) for a in told)
    ]
