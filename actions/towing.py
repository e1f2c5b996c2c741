"""A visit that was agreed for a car on its wheels, and the car must stay where it is: a tow truck comes instead, and
its owner hears it.
"""

from __future__ import annotations

from actions.booking_agreement import confirm
from actions.context import Acting
from actions.free_time import locked_time, next_windows
from rules.service import capacity
from schemas.booking import Booking, BookingKind, BookingState
from schemas.case import Case
from schemas.errors import IllegalMove, Overtaken
from schemas.pickup import LegKind, LegState
from schemas.slot import Claim, ResourceKind, Use, Window
from store import accounts, bookings, messages, pickups, slots
from store.pool import Connection

_BEFORE = (LegState.PLANNED, LegState.ON_THE_WAY)


async def send_truck(acting: Acting, connection: Connection, case: Case, booking: Booking) -> Booking:
    """The collection that is agreed is made with the truck: same window, same driver, also when they stand before the
    car already.

    Where the dealer has trucks of their own, one of them must be free; Overtaken names the next windows. `case` and
    `booking` are locked.
    """
    legs = await pickups.of_booking(connection, acting.dealer_id, booking.id)
    collect = next((leg for leg in legs if leg.kind is LegKind.COLLECT), None)
    if booking.state is not BookingState.AGREED or collect is None or collect.state not in _BEFORE:
        raise IllegalMove(
            "booking", booking.state.value if collect is None else collect.state.value, "send a tow truck", ()
        )
    dealer, now = await accounts.dealer(connection, acting.dealer_id), acting.now()
    resources, taken = await locked_time(acting.house, connection, acting.dealer_id)
    trucks = [resource for resource in resources if resource.kind is ResourceKind.TOW_TRUCK]
    span = Window(starts_at=collect.starts_at, ends_at=collect.ends_at)
    free = next(
        (truck for truck in trucks if not any(capacity.overlap(span, other) for other in taken.get(truck.id, ()))), None
    )
    if trucks and free is None:
        raise Overtaken(
            "window", "no tow truck is free then", await next_windows(acting.house, connection, dealer, BookingKind.TOW)
        )
    if free is not None:
        await slots.book(
            connection, acting.dealer_id, booking.id, [Claim(resource_id=free.id, use=Use.TOW, window=span)]
        )
    towed = await bookings.change(
        connection,
        booking,
        what="towed",
        reason="a tow truck collects it: it must not be driven",
        actor=acting.actor,
        now=now,
        kind=BookingKind.TOW.value,
    )
    await messages.withdraw_about(
        connection,
        acting.dealer_id,
        booking_id=booking.id,
        leg_ids=[leg.id for leg in legs],
        reason="a tow truck comes now",
    )
    await confirm(acting, connection, dealer=dealer, case=case, booking=towed)
    return towed
