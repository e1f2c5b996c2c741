"""A driver's five steps, in order; each one tells the owner."""

from __future__ import annotations

from actions import labour, promises
from actions.booking_agreement import journey_link
from actions.bookings import arrived, handed_over, locked
from actions.calling_off import ask_to_ring, call_off
from actions.cases import staff_id
from actions.context import Acting
from actions.driving import stays
from actions.handing_on import free_then, give
from actions.handover_guard import recorded
from actions.texts import tell_owner
from rules.service.pickup import TEXTS, UNDO, WITNESS_AFTER, given_up, undo_until
from schemas.account import Role
from schemas.booking import Booking, BookingKind, BookingState
from schemas.case import Case
from schemas.errors import BadInput, IllegalMove, NotAllowed, Overtaken
from schemas.message import MessageKind, asserts
from schemas.pickup import LEGS, Leg, LegEvent, LegKind, LegState
from store import accounts, bookings, jobs, messages, pickups, slots
from store.pool import Connection

_WITH_LINK = frozenset({LegEvent.ON_THE_WAY, LegEvent.ON_THE_WAY_BACK})


async def move(acting: Acting, leg_id: int, event: LegEvent) -> Leg:
    """One step. At the workshop the case is there too; handed over, the visit is over; given up, the desk takes it from
    there.
    """
    async with acting.transaction() as connection:
        case, booking, leg = await _locked(connection, acting.dealer_id, leg_id)
        leg = await _whose(acting, connection, leg)
        if event is LegEvent.HANDED_OVER and leg.kind is LegKind.VISIT:
            raise IllegalMove(leg.kind.value, "without a word on what was found", event.value, ("finish",))
        if event is LegEvent.CANCELLED:
            return await _give_up(acting, connection, case=case, booking=booking, leg=leg)
        if event is LegEvent.UNDONE:
            return await _take_back(acting, connection, booking, leg)
        if event is LegEvent.ON_THE_WAY_BACK and booking.state is not BookingState.READY:
            raise IllegalMove(
                "return", f"waiting for the workshop (the booking is {booking.state.value})", event.value, ()
            )
        if (
            event is LegEvent.COLLECTED
            and booking.kind is not BookingKind.TOW
            and (found := await stays(connection, case)) is not None
        ):
            raise Overtaken("drive", f"{found.because}. The desk sends a tow truck")
        await recorded(connection, leg, event)
        moved = await pickups.move(
            connection,
            leg,
            event,
            reason=f"driver: {event.value.replace('_', ' ')}",
            actor=acting.actor,
            now=acting.now(),
        )
        if event in (LegEvent.AT_WORKSHOP, LegEvent.AT_CAR):
            await arrived(acting, connection, case, booking)
        elif event is LegEvent.HANDED_OVER:
            await handed_over(acting, connection, case, booking)
        elif event in TEXTS:
            await _tell(acting, connection, case=case, booking=booking, leg=moved, kind=TEXTS[event], event=event)
        if event in (LegEvent.AT_WORKSHOP, LegEvent.HANDED_OVER):
            await jobs.put(connection, acting.dealer_id, "witness", leg.id, due_at=acting.now() + WITNESS_AFTER)
        await promises.settle(connection, acting.dealer_id, booking.id, acting.now())
        return moved


async def assign(acting: Acting, leg_id: int, driver_id: int) -> Leg:
    """Another driver takes it over, if they have the time: theirs is taken and the other's freed together."""
    async with acting.transaction() as connection:
        _, _, leg = await _locked(connection, acting.dealer_id, leg_id)
        if LEGS[leg.kind].final(leg.state):
            raise IllegalMove(leg.kind.value, leg.state.value, "assign", ())
        if leg.kind is LegKind.VISIT:
            await labour.give_visit(acting, connection, leg, driver_id)
            return await pickups.get(connection, acting.dealer_id, leg_id)
        driver = await accounts.staff(connection, acting.dealer_id, driver_id)
        if driver.role is not Role.DRIVER or driver.disabled_at is not None:
            raise BadInput("driver_id", f"{driver.name} is no driver")
        if leg.driver_id == driver_id:
            return leg
        try:
            await give(acting, connection, legs=[leg], to={leg.id: driver_id}, reason=f"to {driver.name}")
        except Overtaken:
            others = await free_then(connection, acting.dealer_id, leg)
            raise Overtaken("window", f"{driver.name} is not free then{others}") from None
        return await pickups.get(connection, acting.dealer_id, leg_id)


async def _give_up(acting: Acting, connection: Connection, case: Case, booking: Booking, leg: Leg) -> Leg:
    """What a driver's "cancelled" means for the visit; whoever has the case is told to ring."""
    LEGS[leg.kind].next(leg.state, LegEvent.CANCELLED)
    meant = given_up(leg)
    if meant.ends_visit:
        await call_off(acting, connection, case=case, booking=booking, reason=meant.because)
    else:
        await pickups.unassign(connection, leg, reason=meant.because, actor=acting.actor, now=acting.now())
        if leg.slot_id is not None:
            await slots.release(connection, leg.dealer_id, leg.slot_id)
    await promises.settle(connection, leg.dealer_id, booking.id, acting.now())
    await ask_to_ring(connection, case, meant.because, acting.now())
    return await pickups.get(connection, leg.dealer_id, leg.id)


async def _take_back(acting: Acting, connection: Connection, booking: Booking, leg: Leg) -> Leg:
    """A step that was pressed by mistake: within a minute, before anybody was told of it."""
    LEGS[leg.kind].next(leg.state, LegEvent.UNDONE)
    until = undo_until(leg, await pickups.reached_at(connection, leg))
    if until is None or acting.now() >= until:
        raise Overtaken("drive", "the minute in which a step can be taken back is over")
    undone = await pickups.move(
        connection, leg, LegEvent.UNDONE, reason="pressed by mistake", actor=acting.actor, now=acting.now()
    )
    await messages.withdraw_about(
        connection, leg.dealer_id, booking_id=booking.id, leg_ids=[leg.id], reason="the step was taken back"
    )
    await promises.settle(connection, leg.dealer_id, booking.id, acting.now())
    return undone


async def _locked(connection: Connection, dealer_id: int, leg_id: int) -> tuple[Case, Booking, Leg]:
    leg = await pickups.get(connection, dealer_id, leg_id)
    case, booking = await locked(connection, dealer_id, leg.booking_id)
    return case, booking, await pickups.get(connection, dealer_id, leg_id, lock=True)


async def _whose(acting: Acting, connection: Connection, leg: Leg) -> Leg:
    """Who drives moves only their own legs; one that is nobody's becomes theirs, a visit only out of their planned
    hours.
    """
    own_id = staff_id(acting.actor)
    if own_id is None:
        return leg
    person = await accounts.staff(connection, leg.dealer_id, own_id)
    if person.role not in (Role.DRIVER, Role.TECHNICIAN) or leg.driver_id == own_id:
        return leg
    if (person.role is Role.TECHNICIAN) is not (leg.kind is LegKind.VISIT):
        raise Overtaken("drive", "it is for a technician" if leg.kind is LegKind.VISIT else "it is for a driver")
    if leg.driver_id is not None:
        raise NotAllowed("another driver has this leg")
    if leg.kind is LegKind.VISIT:
        await labour.give_visit(acting, connection, leg, own_id)
        return await pickups.get(connection, leg.dealer_id, leg.id)
    return await pickups.assign(connection, leg, own_id, None, reason="took it", actor=acting.actor, now=acting.now())


async def _tell(
    acting: Acting, connection: Connection, case: Case, booking: Booking, leg: Leg, kind: MessageKind, event: LegEvent
) -> None:
    name = (await accounts.staff(connection, leg.dealer_id, leg.driver_id)).name if leg.driver_id else "our driver"
    link: str | None = None
    if event in _WITH_LINK:
        link = await journey_link(acting, connection, case, booking.id)
    true_in = [state.value for state in _TRUE_IN.get(event, (leg.state,))]
    await tell_owner(
        acting,
        connection,
        case,
        kind,
        asserts=[asserts("leg", leg.id, *true_in)],
        due_at=acting.now() + UNDO,
        driver=name.split()[0],
        kind=booking.kind.value,
        link=link,
    )
    await bookings.heard(connection, booking, acting.now())


#: How long a step stays true enough to be told: a text that waited a moment is not wrong because the driver was quick.
_TRUE_IN = {
    LegEvent.ON_THE_WAY: (LegState.ON_THE_WAY, LegState.COLLECTED, LegState.AT_WORKSHOP, LegState.AT_CAR),
    LegEvent.COLLECTED: (LegState.COLLECTED, LegState.AT_WORKSHOP),
    LegEvent.ON_THE_WAY_BACK: (LegState.ON_THE_WAY_BACK, LegState.HANDED_OVER),
}
