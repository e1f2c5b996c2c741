"""Words that a person sends: the true sentence for somebody who waits, and free text."""

from __future__ import annotations

from actions import outbox, recipients
from actions.bookings import locked
from actions.calling_off import tell_visit
from actions.cases import staff_id
from actions.context import Acting
from rules.service import quick_replies
from rules.service.casework import waiting_word
from rules.service.promises import has_later_time
from schemas.booking import BookingState
from schemas.errors import BadInput, Overtaken
from schemas.message import Draft, MessageKind, Purpose
from store import bookings, cases, inbox, owners, promises, threads
from store.pool import Connection

LONGEST_FREE = 600


async def send_waiting(acting: Acting, booking_id: int, template: str = "waiting") -> int:
    """Two clicks: the sentence that is true now. One that is not true is refused, and says which ones are."""
    async with acting.transaction() as connection:
        case, booking = await locked(connection, acting.dealer_id, booking_id)
        word = waiting_word(booking, template)
        if word.template is None:
            raise Overtaken("visit", word.because)
        stale = word.template == "longer" and not has_later_time(
            await promises.of_booking(connection, acting.dealer_id, booking_id), booking
        )
        found = await tell_visit(
            acting,
            connection,
            case,
            booking,
            MessageKind.WAITING,
            BookingState.ARRIVED,
            BookingState.WORKING,
            template=word.template,
            **({"ready_by": None} if stale else {}),
        )
        if found is None:
            raise BadInput("owner", "there is no number or mailbox to write to")
        return found


async def send_free(acting: Acting, body: str, *, case_id: int | None = None, owner_id: int | None = None) -> int:
    """What a person writes, about a case or just to an owner."""
    text = body.strip()
    if not 0 < len(text) <= LONGEST_FREE:
        raise BadInput("body", f"takes 1 to {LONGEST_FREE} characters")
    if (unfilled := quick_replies.left_open(text)) is not None:
        raise BadInput("body", f"{unfilled} is not filled in yet")
    async with acting.transaction() as connection:
        visit = None
        if case_id is not None:
            case = await cases.get(connection, acting.dealer_id, case_id)
            owner_id, visit = case.owner_id, await bookings.live_of(connection, acting.dealer_id, case_id)
        if owner_id is None:
            raise BadInput("owner", "nobody owns this car yet")
        owner = await owners.get(connection, acting.dealer_id, owner_id)
        to = recipients.owner(owner)
        if to is None:
            raise BadInput("owner", "there is no number or mailbox to write to")
        if visit is not None:
            await bookings.heard(connection, visit, acting.now())
        await _read(acting, connection, owner.id)
        await _draft(acting, connection, owner.id, "")
        purpose = Purpose.SERVICE if visit is None else Purpose.STATUS
        draft = Draft(
            dealer_id=acting.dealer_id,
            to=to,
            kind=MessageKind.FREE,
            purpose=purpose,
            author=acting.actor,
            case_id=case_id,
        )
        return await outbox.queue(connection, acting.house.wording, draft, acting.now(), body=text)


async def unsent(acting: Acting, owner_id: int, body: str) -> None:
    """What could not be sent stays with whoever wrote it, to be mended."""
    async with acting.transaction() as connection:
        await owners.get(connection, acting.dealer_id, owner_id)
        await _draft(acting, connection, owner_id, body.strip()[:LONGEST_FREE])


async def _draft(acting: Acting, connection: Connection, owner_id: int, body: str) -> None:
    writer = staff_id(acting.actor)
    if writer is not None:
        await inbox.draft(
            connection,
            acting.dealer_id,
            thread_id=await threads.of_owner(connection, acting.dealer_id, owner_id),
            staff_id=writer,
            body=body,
            now=acting.house.machine(),
        )


async def mark_read(acting: Acting, owner_id: int) -> None:
    """Somebody has read what this owner wrote."""
    async with acting.transaction() as connection:
        await owners.get(connection, acting.dealer_id, owner_id)
        await _read(acting, connection, owner_id)


async def _read(acting: Acting, connection: Connection, owner_id: int) -> None:
    """Whoever answers has read it."""
    thread_id = await threads.of_owner(connection, acting.dealer_id, owner_id)
    await threads.mark_read(
        connection, acting.dealer_id, thread_id=thread_id, staff_id=staff_id(acting.actor), now=acting.now()
    )
