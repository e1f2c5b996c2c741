"""Who works on a car: a technician's planned hours go to another who can do them, or are nobody's, and then the
schedule says so.
"""

from __future__ import annotations

from actions.context import Acting
from actions.free_time import locked_time
from rules.service.asking import work_of
from rules.service.capacity import overlap
from rules.service.operations import suggested
from schemas.account import Role
from schemas.errors import BadInput
from schemas.operation import Skill
from schemas.slot import Resource, ResourceKind, Slot, Window
from store import accounts, alerts, bookings, history, slots
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
    """Their booked hours from now on, or within `window`, go to whoever else knows the work and is free."""
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
