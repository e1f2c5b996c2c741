"""Extra work: a line is put to the owner, who is told of it; nothing is done without their recorded yes, and the work
is not finished before they have answered.
"""

from __future__ import annotations

from actions.booking_agreement import journey_link
from actions.bookings import locked
from actions.calling_off import ask_to_ring
from actions.context import Acting
from actions.texts import tell_owner
from rules.service.extra_work import ASKED_OF, GATHERED, PATIENCE, past, unanswered
from schemas.booking import Booking
from schemas.case import Case
from schemas.errors import BadInput, IllegalMove, Overtaken
from schemas.estimate import EstimateLine
from schemas.message import MessageKind, asserts
from schemas.verdict import Severity
from store import bookings, estimates, jobs, messages
from store.pool import Connection


async def add(
    acting: Acting,
    booking_id: int,
    title: str,
    amount_minor: int,
    *,
    labour_minor: int = 0,
    urgency: Severity = Severity.ADVICE,
) -> EstimateLine:
    """While the car is being worked on. The owner gets one text about what is found within two minutes."""
    title = " ".join(title.split())
    async with acting.transaction() as connection:
        case, booking = await locked(connection, acting.dealer_id, booking_id)
        if not title:
            raise BadInput("title", "say what is to be done: the owner reads it")
        if labour_minor > amount_minor:
            raise BadInput("labour_minor", "cannot be more than the whole amount")
        if booking.state not in ASKED_OF:
            raise IllegalMove("booking", booking.state.value, "estimate", ())
        line = await estimates.add(
            connection,
            acting.dealer_id,
            booking_id=booking_id,
            title=title,
            amount_minor=amount_minor,
            labour_minor=labour_minor,
            urgency=urgency,
            actor=acting.actor,
            now=acting.now(),
        )
        await _ask(acting, connection, case, booking)
        return line


async def answer(acting: Acting, line_id: int, approved: bool, reason: str) -> EstimateLine:
    """The owner's word: by link it is theirs, by telephone the desk says how they gave it. Exactly one counts, and none
    after the work has ended.
    """
    async with acting.transaction() as connection:
        line, _ = await _locked(acting, connection, line_id)
        return await estimates.answer(
            connection, line, acting.dealer_id, approved, actor=acting.actor, reason=reason, now=acting.now()
        )


async def withdraw(acting: Acting, line_id: int, reason: str) -> EstimateLine:
    """It is not needed after all, or cannot be asked: the work may be finished without it."""
    async with acting.transaction() as connection:
        line, _ = await _locked(acting, connection, line_id)
        if not reason.strip():
            raise BadInput("reason", "say why")
        return await estimates.withdraw(
            connection, line, acting.dealer_id, actor=acting.actor, reason=reason, now=acting.now()
        )


async def ring_me(acting: Acting, booking_id: int) -> None:
    """The owner would rather talk about it: whoever has the case is told to ring, now."""
    async with acting.transaction() as connection:
        case, booking = await locked(connection, acting.dealer_id, booking_id)
        lines = unanswered(await estimates.of_booking(connection, acting.dealer_id, booking_id))
        if not lines or booking.state not in ASKED_OF:
            raise Overtaken("line", "there is nothing to answer any more")
        titles = ", ".join(line.title for line in lines)
        await ask_to_ring(connection, case, f"they want to talk about: {titles}", acting.now())


async def _locked(acting: Acting, connection: Connection, line_id: int) -> tuple[EstimateLine, Case]:
    """The case, its visit, then the line as it is now; Overtaken when no answer counts any more."""
    line = await estimates.get(connection, acting.dealer_id, line_id)
    case, booking = await locked(connection, acting.dealer_id, line.booking_id)
    line = await estimates.get(connection, acting.dealer_id, line_id)
    if (because := past(line, booking.state)) is not None:
        raise Overtaken("line", because)
    return line, case


async def _ask(acting: Acting, connection: Connection, case: Case, booking: Booking) -> None:
    """One text, true as long as any line is open; and a person rings whoever does not answer it."""
    now = acting.now()
    await jobs.put(connection, case.dealer_id, "extra_work", booking.id, due_at=now + PATIENCE)
    if await messages.waits(connection, case.dealer_id, case.id, MessageKind.EXTRA_WORK):
        return
    told = await tell_owner(
        acting,
        connection,
        case,
        MessageKind.EXTRA_WORK,
        asserts=[asserts("extra_work", booking.id, "open")],
        due_at=now + GATHERED,
        link=await journey_link(acting, connection, case, booking.id),
    )
    if told is None:
        await ask_to_ring(connection, case, "extra work was found, and no text reaches them", now)
    await bookings.heard(connection, booking, now)
