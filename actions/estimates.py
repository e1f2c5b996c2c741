"""Extra work: a line is put to the owner, and nothing is done without their recorded yes."""

from __future__ import annotations

from actions.bookings import locked
from actions.context import Acting
from schemas.booking import BookingState
from schemas.errors import IllegalMove
from schemas.estimate import EstimateLine
from store import estimates, history

_OPEN = (BookingState.ARRIVED, BookingState.WORKING)


async def add(acting: Acting, booking_id: int, title: str, amount_minor: int) -> EstimateLine:
    """While the car is being worked on."""
    async with acting.transaction() as connection:
        _, booking = await locked(connection, acting.dealer_id, booking_id)
        if booking.state not in _OPEN:
            raise IllegalMove("booking", booking.state.value, "estimate", ())
        line = await estimates.add(
            connection, acting.dealer_id, booking_id=booking_id, title=title, amount_minor=amount_minor
        )
        await history.write(
            connection,
            acting.dealer_id,
            "estimate",
            line.id,
            old=None,
            new="asked",
            reason=title,
            actor=acting.actor,
            now=acting.now(),
        )
        return line


async def answer(acting: Acting, line_id: int, approved: bool, reason: str) -> EstimateLine:
    """The owner's word: by link it is theirs, by telephone the desk says how they gave it."""
    async with acting.transaction() as connection:
        return await estimates.answer(
            connection, acting.dealer_id, line_id, approved, actor=acting.actor, reason=reason, now=acting.now()
        )
