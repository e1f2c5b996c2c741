"""Who works on a car: a technician's planned hours go to another who can do them, or are nobody's, and then the
schedule says so.
"""

from __future__ import annotations

from actions.calling_off import ask_to_ring
from actions.context import Acting
from actions.free_time import locked_time
from rules.service.asking import work_of
from rules.service.capacity import overlap
from rules.service.operations import suggested
from schemas.account import Role
from schemas.errors import BadInput, Overtaken
from schemas.operation import Skill
from schemas.pickup import Leg, LegKind, LegState
from schemas.slot import Claim, Resource, ResourceKind, Slot, Use, Window
from store import accounts, alerts, bookings, cases, history, pickups, slots
from store.pool import Connection


async def set_skills(acting: Acting, staff_id: int, skills: frozenset[Skill]) -> None:
    """A technician's hours are planned from now on, by what they know; without any skill they are not."""
    async with acting.transaction() as connection:
        person = await accounts.staff(connection, acting.dealer_id, staff_id)
        if person.role is not Role.TECHNICIAN or person.disabled_at is not None:
            raise BadInput("skills", f"{person.name} is no technician who works here")
        if not skills:
            await hand_on(acting, connection, staff_id, reason=f"{person.name}'s hours are not planned any more")
        await accounts.plan_technician(connection, person, sorted(one.value for one in skills), acting.now())
        await history.write(
            connection,
            acting.dealer_id,
            "staff",
            staff_id,
            old=None,
            new="skills",
            reason=", ".join(sorted(one.value for one in skills)) or "none: their hours are not planned",
            actor=acting.actor,
            now=acting.now(),
        )


async def hand_on(
    acting: Acting, connection: Connection, staff_id: int, *, reason: str, window: Window | None = None
) -> None:
    """Their booked hours from now on, or within `window`, go to whoever else knows the work and is free; a way to a
    car that has begun is theirs to the end.
    """
    now = acting.now()
    resources, taken = await locked_time(acting.house, connection, acting.dealer_id)
    technicians = [one for one in resources if one.kind is ResourceKind.TECHNICIAN]
    mine = next((one for one in technicians if one.staff_id == staff_id), None)
    if mine is None:
        return
    for booking_id, slot in await slots.booked_on(connection, acting.dealer_id, mine.id, now):
        span = Window(starts_at=slot.starts_at, ends_at=slot.ends_at)
        if window is not None and not overlap(span, window):
            continue
        if await _under_way(connection, acting.dealer_id, booking_id):
            continue
        case_id = (await bookings.get(connection, acting.dealer_id, booking_id)).case_id
        needs = work_of(suggested(await alerts.suggesting(connection, acting.dealer_id, case_id))).skills
        others = [one for one in technicians if one.id != mine.id and needs <= set(one.skills)]
        free = next((one for one in others if not any(overlap(span, w) for w in taken.get(one.id, ()))), None)
        if free is not None:
            taken.setdefault(free.id, []).append(span)
        await _goes_to(acting, connection, booking_id=booking_id, slot=slot, free=free, reason=reason)


async def _goes_to(
    acting: Acting, connection: Connection, booking_id: int, slot: Slot, free: Resource | None, reason: str
) -> None:
    if free is None:
        await slots.release(connection, acting.dealer_id, slot.id)
    else:
        await slots.give_to(connection, slot, free.id)
    await _drives_too(acting, connection, booking_id=booking_id, slot=slot, free=free, reason=reason)
    await history.write(
        connection,
        acting.dealer_id,
        "booking",
        booking_id,
        old=None,
        new="labour",
        reason=f"{reason}: {'nobody else can do the work then' if free is None else f'{free.name} does the work'}",
        actor=acting.actor,
        now=acting.now(),
    )


async def _under_way(connection: Connection, dealer_id: int, booking_id: int) -> bool:
    legs = await pickups.of_booking(connection, dealer_id, booking_id)
    return any(leg.kind is LegKind.VISIT and leg.state in (LegState.ON_THE_WAY, LegState.AT_CAR) for leg in legs)


async def _drives_too(
    acting: Acting, connection: Connection, booking_id: int, slot: Slot, free: Resource | None, reason: str
) -> None:
    """Who works on a car where it stands drives there; where nobody can, whoever has the case rings its owner."""
    legs = await pickups.of_booking(connection, acting.dealer_id, booking_id)
    leg = next((one for one in legs if one.kind is LegKind.VISIT and one.state is LegState.PLANNED), None)
    if leg is None:
        return
    now = acting.now()
    if free is not None and free.staff_id is not None:
        await pickups.assign(connection, leg, free.staff_id, slot.id, reason=reason, actor=acting.actor, now=now)
        return
    await pickups.unassign(connection, leg, reason=reason, actor=acting.actor, now=now)
    case = await cases.get(
        connection, acting.dealer_id, (await bookings.get(connection, acting.dealer_id, booking_id)).case_id
    )
    because = f"{reason}, and no other technician is free: the mobile repair needs one, or another time"
    await ask_to_ring(connection, case, because, now)


async def give_visit(acting: Acting, connection: Connection, leg: Leg, staff_id: int) -> None:
    """Another technician goes to this car, if they know the work and have the time. `leg` is locked.

    BadInput for whoever is no technician with planned hours, Overtaken for one who is not free or cannot do it.
    """
    resources, taken = await locked_time(acting.house, connection, acting.dealer_id)
    seat = next((r for r in resources if r.kind is ResourceKind.TECHNICIAN and r.staff_id == staff_id), None)
    if seat is None:
        raise BadInput("driver_id", "is no technician whose hours are planned")
    if leg.driver_id == staff_id:
        return
    booking = await bookings.get(connection, acting.dealer_id, leg.booking_id)
    needs = work_of(suggested(await alerts.suggesting(connection, acting.dealer_id, booking.case_id))).skills
    if not needs <= set(seat.skills):
        raise Overtaken("window", f"{seat.name} does not know this work")
    mine = await slots.of_booking(connection, acting.dealer_id, leg.booking_id)
    now = acting.now()
    van = [slot for slot in mine if slot.use in (Use.WAY, Use.VAN)]
    span = Window(starts_at=min(s.starts_at for s in van), ends_at=max(s.ends_at for s in van))
    if any(overlap(span, other) for other in taken.get(seat.id, ())):
        raise Overtaken("window", f"{seat.name} is not free then")
    slot = next((one for one in mine if one.use is Use.LABOUR), None)
    if slot is not None:
        await slots.give_to(connection, slot, seat.id)
    else:
        claim = Claim(resource_id=seat.id, use=Use.LABOUR, window=span)
        await slots.book(connection, acting.dealer_id, leg.booking_id, [claim])
        mine = await slots.of_booking(connection, acting.dealer_id, leg.booking_id)
        slot = next(one for one in mine if one.use is Use.LABOUR)
    await pickups.assign(connection, leg, staff_id, slot.id, reason=f"to {seat.name}", actor=acting.actor, now=now)
