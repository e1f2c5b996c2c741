"""A car gets so ill that it must not be driven, after it was agreed that it will be: what was agreed is stopped, and
whoever has the case rings.
"""

from __future__ import annotations

from actions.calling_off import ask_to_ring
from actions.driving import stays
from rules.service.driving import Stays, needs_truck
from schemas.booking import OfferEvent, OfferState
from schemas.case import Case, CaseEvent, CaseState
from store import bookings, cases, history, messages, offers, pickups
from store.pool import Connection
from workers.context import Context

_FLAGGED = "must be towed"  #: in a visit's history, once


async def look(context: Context, connection: Connection, dealer_id: int, case_id: int) -> None:
    """After each step of an alert of this case.

    An open offer to be driven is withdrawn; a visit stands until a person has rung.
    """
    case = await cases.get(connection, dealer_id, case_id, lock=True)
    found = await stays(connection, case)
    if found is None:
        return
    await _withdraw(context, connection, case, found)
    booking = await bookings.live_of(connection, dealer_id, case_id)
    if booking is None or not needs_truck(booking, await pickups.of_booking(connection, dealer_id, booking.id), found):
        return
    if any(change.new == _FLAGGED for change in await history.of(connection, dealer_id, "booking", booking.id)):
        return
    now = context.clock()
    await bookings.change(connection, booking, what=_FLAGGED, reason=found.because, actor="worker", now=now)
    if not booking.kind.fetched:  # nobody is asked once more to bring it
        await messages.withdraw_about(connection, dealer_id, booking_id=booking.id, leg_ids=[], reason=found.because)
    await ask_to_ring(
        connection,
        case,
        f"{found.because}. It was agreed to be driven here {booking.wall_start.replace('T', ' ')}: send a tow truck",
        now,
    )


async def _withdraw(context: Context, connection: Connection, case: Case, found: Stays) -> None:
    now = context.clock()
    for offer in await offers.of_case(connection, case.dealer_id, case.id):
        if offer.state is OfferState.OPEN and offer.kind.driven:
            await offers.move(connection, offer, OfferEvent.WITHDRAWN, reason=found.because, actor="worker", now=now)
            if case.state is CaseState.CONTACTED:
                await cases.move(
                    connection, case, CaseEvent.OFFER_EXPIRED, reason=found.because, actor="worker", now=now
                )
