"""Extra work: a line is put to the owner, and nothing is done without their recorded yes."""

from __future__ import annotations

from actions.bookings import locked
from actions.context import House
from schemas.booking import BookingState
from schemas.errors import IllegalMove
from schemas.estimate import EstimateLine
from store import estimates, history

_OPEN = (BookingState.ARRIVED, BookingState.WORKING)


async def add(house: House, dealer_id: int, actor: str, booking_id: int, title: str, amount_minor: int) -> EstimateLine:
    """While the car is being worked on."""
    async with house.at(dealer_id) as connection:
        _, booking = await locked(connection, dealer_id, booking_id)
        if booking.state not in _OPEN:
            raise IllegalMove("booking", booking.state.value, "estimate", ())
        line = await estimates.add(connection, dealer_id, booking_id, title, amount_minor)
        await history.write(connection, dealer_id, "estimate", line.id, old=None, new="asked", reason=title, actor=actor, now=house.now())
        return line


async def answer(house: House, dealer_id: int, actor: str, line_id: int, approved: bool, reason: str) -> EstimateLine:
    """The owner's word: by link it is theirs, by telephone the desk says how they gave it."""
    async with house.at(dealer_id) as connection:
        return await estimates.answer(connection, dealer_id, line_id, approved, actor=actor, reason=reason, now=house.now())
