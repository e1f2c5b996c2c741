"""Reminders of a booking, and offers whose hold runs out: what a wakeup of the desk asks for."""

from __future__ import annotations

from datetime import timedelta

from actions import outbox, recipients
from rules.service.reminders import ask_again, booking_reminders
from schemas.booking import BookingState
from schemas.errors import NotFound
from schemas.message import Draft, MessageKind, Purpose, asserts
from store import accounts, bookings, cases, history, offers, owners
from store.jobs import Wakeup
from store.pool import Connection
from workers.context import Context

_MISSED = timedelta(minutes=15)  #: later than this a reminder reminds of nothing


async def plan(context: Context, connection: Connection, wakeup: Wakeup) -> None:
    """Queue the reminders of a new booking; each says only what is still true when it goes."""
    try:
        booking = await bookings.get(connection, wakeup.dealer_id, wakeup.subject_id)
        case = await cases.get(connection, wakeup.dealer_id, booking.case_id)
    except NotFound:
        return
    now = context.clock()
    if booking.state is not BookingState.AGREED or case.owner_id is None:
        return
    owner = await owners.get(connection, booking.dealer_id, case.owner_id)
    to = recipients.owner(owner)
    if to is None:
        return
    dealer = await accounts.dealer(connection, booking.dealer_id)
    for remind in booking_reminders(booking.starts_at, booking.made_at, owner.zone):
        if remind.at < now - _MISSED:
            continue
        draft = Draft(
            dealer_id=booking.dealer_id, to=to, kind=MessageKind.REMINDER, purpose=Purpose.STATUS, author="worker", case_id=case.id, due_at=remind.at,
            asserts=[asserts("booking", booking.id, BookingState.AGREED)], reference=f"reminder-{booking.id}-{remind.occasion.value}",
        )  # fmt: skip
        await outbox.queue(
            connection, context.wording, draft, now, dealer=dealer.name, kind=booking.kind.value, starts_at=booking.starts_at, ends_at=booking.ends_at,
            zone=owner.zone, now=remind.at,
        )  # fmt: skip


async def expire(context: Context, connection: Connection, dealer_id: int, offer_id: int) -> bool:
    """The hold is over: windows free, case with the desk again, and history says when the owner may be asked anew."""
    now = context.clock()
    try:
        expired = await offers.expire(connection, dealer_id, offer_id, now)
    except NotFound:
        return False
    if expired is None:
        return False
    asked = tuple(sorted(offer.made_at for offer in await offers.of_case(connection, dealer_id, expired.case_id)))
    case = await cases.get(connection, dealer_id, expired.case_id)
    again = ask_again(asked, case.severity, now)
    await history.write(
        connection, dealer_id, "case", case.id, old=case.state.value, new="ask_again", reason=again.reason, actor="worker", now=now
    )
    return True


async def offer_due(context: Context, connection: Connection, wakeup: Wakeup) -> None:
    """The wakeup that stands at the end of an offer's hold."""
    await expire(context, connection, wakeup.dealer_id, wakeup.subject_id)
