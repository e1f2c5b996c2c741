"""What is late moves what comes after it: late work its "ready by", a late "ready by" the drive that brings the car
back; and the owner hears the new time.
"""

from __future__ import annotations

from datetime import datetime

from actions import promises, returning
from actions.context import Acting
from actions.free_time import asks_of
from actions.texts import tell_owner
from rules.service import capacity
from rules.service.asking import Work
from schemas.booking import Booking
from schemas.case import Case
from schemas.message import MessageKind, asserts
from schemas.pickup import Leg, LegState
from schemas.promise import Promised, PromiseState
from schemas.slot import ResourceKind
from store import accounts, bookings, slots
from store.pool import Connection


async def work_follows(
    acting: Acting,
    connection: Connection,
    case: Case,
    booking: Booking,
    *,
    since: datetime | None = None,
    because: str = "the car came late",
) -> Booking:
    """The work can begin now, or at `since`: where that is late it ends later, and so on. Minutes move nothing."""
    dealer, now = await accounts.dealer(connection, acting.dealer_id), acting.now()
    planned = any(one.kind is ResourceKind.TECHNICIAN for one in await slots.resources(connection, dealer.id))
    work = (await asks_of(connection, dealer, now, case=case)).work if planned else Work()
    end = capacity.work_done(dealer, since or now, work.minutes)
    if booking.ready_by is None or end is None or end - booking.ready_by <= capacity.STEP:
        return booking
    later = await bookings.change(
        connection,
        booking,
        what="promised",
        reason=f"{because}: ready by {end:%Y-%m-%d %H:%M} UTC",
        actor=acting.actor,
        now=now,
        ready_by=end,
    )
    leg = await returning.follows(acting, connection, booking, end)
    if booking.kind.at_theirs or since is not None:  # who brought it late themselves is told at the desk
        await tell_new_time(acting, connection, case=case, booking=later, back=leg)
    return later


async def tell_new_time(acting: Acting, connection: Connection, case: Case, booking: Booking, back: Leg | None) -> None:
    """When it is ready, while it is not, and when it is back, if that has changed; true while these times stand."""
    _, rows, _ = await promises.settle(connection, acting.dealer_id, booking.id, acting.now())
    ready = next((row for row in rows if row.what is Promised.READY and row.state is PromiseState.OPEN), None)
    asserted = [asserts("promise", ready.id, PromiseState.OPEN)] if ready else []
    asserted += [asserts("leg", back.id, LegState.PLANNED, LegState.ON_THE_WAY_BACK, at=back.starts_at)] if back else []
    if not asserted:
        return
    await tell_owner(
        acting,
        connection,
        case,
        MessageKind.NEW_TIME,
        asserts=asserted,
        zone=booking.zone,
        **({"ready_by": booking.ready_by} if ready else {}),
        **({"starts_at": back.starts_at, "ends_at": back.ends_at} if back else {}),
    )
    await bookings.heard(connection, booking, acting.now())
