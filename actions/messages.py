"""Words that a person sends: the true sentence for somebody who waits, and free text."""

from __future__ import annotations

from actions import outbox, recipients
from actions.bookings import locked, tell_visit
from actions.cases import staff_id
from actions.context import House
from rules.service.casework import waiting_word
from schemas.booking import BookingState
from schemas.errors import BadInput, Overtaken
from schemas.message import Draft, MessageKind, Purpose
from store import bookings, cases, owners, threads
from store.pool import Connection

LONGEST_FREE = 600


async def send_waiting(house: House, dealer_id: int, actor: str, booking_id: int, template: str = "waiting") -> int:
    """Two clicks: the sentence that is true now. One that is not true is refused, and says which ones are."""
    async with house.at(dealer_id) as connection:
        case, booking = await locked(connection, dealer_id, booking_id)
        word = waiting_word(booking, template)
        if word.template is None:
            raise Overtaken("visit", word.because)
        found = await tell_visit(house, connection, case, booking, MessageKind.WAITING, actor, BookingState.ARRIVED, BookingState.WORKING, template=word.template)
        if found is None:
            raise BadInput("owner", "there is no number or mailbox to write to")
        return found


async def send_free(house: House, dealer_id: int, actor: str, body: str, *, case_id: int | None = None, owner_id: int | None = None) -> int:
    """What a person writes, about a case or just to an owner."""
    text = body.strip()
    if not 0 < len(text) <= LONGEST_FREE:
        raise BadInput("body", f"takes 1 to {LONGEST_FREE} characters")
    async with house.at(dealer_id) as connection:
        visit = None
        if case_id is not None:
            case = await cases.get(connection, dealer_id, case_id)
            owner_id, visit = case.owner_id, await bookings.live_of(connection, dealer_id, case_id)
        if owner_id is None:
            raise BadInput("owner", "nobody owns this car yet")
        owner = await owners.get(connection, dealer_id, owner_id)
        to = recipients.owner(owner)
        if to is None:
            raise BadInput("owner", "there is no number or mailbox to write to")
        if visit is not None:
            await bookings.heard(connection, visit, house.now())
        await _read(connection, house, dealer_id, actor, owner.id)
        purpose = Purpose.SERVICE if visit is None else Purpose.STATUS
        draft = Draft(dealer_id=dealer_id, to=to, kind=MessageKind.FREE, purpose=purpose, author=actor, case_id=case_id)
        return await outbox.queue(connection, house.wording, draft, house.now(), body=text)


async def mark_read(house: House, dealer_id: int, actor: str, owner_id: int) -> None:
    """Somebody has read what this owner wrote."""
    async with house.at(dealer_id) as connection:
        await owners.get(connection, dealer_id, owner_id)
        await _read(connection, house, dealer_id, actor, owner_id)


async def _read(connection: Connection, house: House, dealer_id: int, actor: str, owner_id: int) -> None:
    """Whoever answers has read it."""
    thread_id = await threads.of_owner(connection, dealer_id, owner_id)
    await threads.mark_read(connection, dealer_id, thread_id, staff_id(actor), house.now())
