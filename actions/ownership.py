"""A car changes hands: what hangs on its former owner is settled in the transaction in which the new one is written
down.
"""

from __future__ import annotations

from actions.calling_off import call_off, look_again, withdraw_open_offer
from actions.context import Acting
from rules.service.ownership import settle
from schemas.case import Case, CaseEvent, CaseState
from schemas.errors import Overtaken
from schemas.vehicle import Vehicle
from store import bookings, cases, fleet, messages, pickups
from store.pool import Connection

_REASON = "the car has another owner now"


async def give(
    acting: Acting, connection: Connection, car: Vehicle, owner_id: int | None, *, tell: bool = True
) -> Vehicle:
    """From now on the car is this owner's, or nobody's that we know. The same owner again changes nothing.

    An open offer is withdrawn, an agreed visit called off and its owner told, texts that wait are cancelled, and the
    open case is the new owner's. `tell` is False where the former owner hears of all that in one text. Overtaken
    while the car is in our hands: it goes back to whoever gave it to us.
    """
    if car.owner_id == owner_id:
        return car
    case = await cases.open_of(connection, car.dealer_id, car.id, lock=True)
    if case is not None:
        case = await _settled(acting, connection, case, tell=tell)
    if car.owner_id is not None:
        await messages.cancel_about(connection, car.dealer_id, owner_id=car.owner_id, vehicle_id=car.id, reason=_REASON)
    given = await fleet.give(connection, car.dealer_id, car.id, owner_id, actor=acting.actor, now=acting.now())
    if case is not None and case.owner_id != owner_id and case.state is not CaseState.VERIFYING:
        await cases.change(
            connection, case, what="owner", reason=_REASON, actor=acting.actor, now=acting.now(), owner_id=owner_id
        )
    await look_again(connection, car.dealer_id, owner_id, acting.now())
    return given


async def _settled(acting: Acting, connection: Connection, case: Case, *, tell: bool) -> Case:
    """The same case, with nothing left that was agreed with its former owner."""
    booking = await bookings.live_of(connection, case.dealer_id, case.id)
    legs = [] if booking is None else await pickups.of_booking(connection, case.dealer_id, booking.id)
    meant = settle(case, booking, legs)
    if meant.refused is not None:
        raise Overtaken("car", meant.refused)
    if await withdraw_open_offer(acting, connection, case, _REASON) and case.state is CaseState.CONTACTED:
        return await cases.move(
            connection, case, CaseEvent.OFFER_EXPIRED, reason=_REASON, actor=acting.actor, now=acting.now()
        )
    if meant.ends_visit and booking is not None:
        await call_off(acting, connection, case=case, booking=booking, reason=_REASON, tell=tell)
        return await cases.get(connection, case.dealer_id, case.id, lock=True)
    return case
