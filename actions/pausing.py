"""Work on a car that is here waits: for a part, for an answer. The bay is free until then, and where the promised time
cannot be kept its owner hears the new one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from actions import bookings as visits
from actions.context import Acting
from actions.following import work_follows
from actions.free_time import asks_of, locked_time, without
from actions.going_on import waits_no_longer
from rules.service import capacity
from schemas.booking import Booking, BookingKind, BookingState
from schemas.errors import BadInput, IllegalMove
from schemas.pause import Awaited, Pause
from schemas.slot import Use
from store import accounts, cases, pauses, slots
from store.pool import Connection

LONGEST = timedelta(days=60)
_MOST = 120
_HERE = (BookingState.ARRIVED, BookingState.WORKING)


async def pause(acting: Acting, booking_id: int, awaits: Awaited, what: str, due_at: datetime) -> Pause:
    """The work waits until `due_at`; a wait that stood is replaced by this one.

    The bay's time is given back and taken anew from then on; ready-by, return and the owner's knowledge follow.
    """
    what = what.strip()
    if not what:
        raise BadInput("what", "say which part, or what is asked")
    if len(what) > _MOST:
        raise BadInput("what", f"is longer than {_MOST} characters")
    async with acting.transaction() as connection:
        case, booking = await visits.locked(connection, acting.dealer_id, booking_id)
        now = acting.now()
        if booking.state not in _HERE:
            raise IllegalMove("booking", booking.state.value, "pause", ())
        if booking.kind is BookingKind.MOBILE_REPAIR:  # the car stands with its owner: nothing of ours waits with it
            raise IllegalMove("mobile repair", booking.state.value, "pause", ("finish",))
        if due_at <= now:
            raise BadInput("due_at", "has passed: then the work need not wait")
        if due_at > now + LONGEST:
            raise BadInput("due_at", f"lies more than {LONGEST.days} days ahead: bring the car back until then")
        await waits_no_longer(acting, connection, booking_id, "it waits until another time")
        made = await pauses.begin(
            connection,
            acting.dealer_id,
            booking_id,
            awaits=awaits,
            what=what,
            due_at=due_at,
            actor=acting.actor,
            now=now,
        )
        since = await _bay_follows(acting, connection, booking, due_at)
        await work_follows(acting, connection, case, booking, since=since, because=f"it waits for {what}")
        return made


async def go_on(acting: Acting, booking_id: int) -> Booking:
    """What was awaited is here: the work goes on."""
    async with acting.transaction() as connection:
        _, booking = await visits.locked(connection, acting.dealer_id, booking_id)
        if not await waits_no_longer(acting, connection, booking_id, "what it waited for is here"):
            raise IllegalMove("booking", booking.state.value, "go on", ())
        return booking


async def _bay_follows(acting: Acting, connection: Connection, booking: Booking, since: datetime) -> datetime:
    """From now on the bay is others', and from `since` the first that is free is this car's again: when it has one.

    Where none is free, it stands in no bay's plan.
    """
    dealer, now = await accounts.dealer(connection, acting.dealer_id), acting.now()
    resources, taken = await locked_time(acting.house, connection, acting.dealer_id)
    booked = await slots.of_booking(connection, acting.dealer_id, booking.id)
    mine = [slot for slot in booked if slot.use in (Use.WORK, Use.LABOUR)]
    asks = await asks_of(connection, dealer, now, case=await cases.get(connection, acting.dealer_id, booking.case_id))
    claims = capacity.work_after(dealer, since, now=now, resources=resources, taken=without(taken, mine), asks=asks)
    for slot in mine:
        if slot.ends_at > now:
            await slots.cut(connection, slot, now)
    if not claims:
        return since
    await slots.book(connection, acting.dealer_id, booking.id, claims)
    return claims[0].window.starts_at
