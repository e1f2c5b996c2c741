"""Reminders of a booking, and offers whose hold runs out: what a job of the desk asks for."""

from __future__ import annotations

from datetime import timedelta

from actions import offers, outbox, recipients
from rules.service.permission import decent
from rules.service.reminders import booking_reminders
from schemas.booking import BookingState
from schemas.errors import NotFound
from schemas.message import Draft, MessageKind, Purpose, asserts
from store import accounts, bookings, cases, fleet, owners
from store.jobs import Job
from store.pool import Connection
from workers.context import Context

_MISSED = timedelta(minutes=15)  #: later than this a reminder reminds of nothing


async def plan(context: Context, connection: Connection, job: Job) -> None:
    """Queue the reminders of a new booking; each says only what is still true when it goes."""
    try:
        booking = await bookings.get(connection, job.dealer_id, job.subject_id)
        case = await cases.get(connection, job.dealer_id, booking.case_id)
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
    car = await fleet.get(connection, booking.dealer_id, case.vehicle_id)
    for remind in booking_reminders(booking.starts_at, booking.made_at, owner.zone):
        leaves_at = decent(owner, remind.at)  # its words are about the day on which it is read
        if remind.at < now - _MISSED or leaves_at >= booking.starts_at:
            continue
        draft = Draft(
            dealer_id=booking.dealer_id,
            to=to,
            kind=MessageKind.REMINDER,
            purpose=Purpose.STATUS,
            author="worker",
            case_id=case.id,
            due_at=remind.at,
            asserts=[asserts("booking", booking.id, BookingState.AGREED, at=booking.starts_at)],
            reference=f"reminder-{booking.id}-{remind.occasion.value}-{job.id}",
        )
        await outbox.queue(
            connection,
            context.wording,
            draft,
            now,
            dealer=dealer.name,
            which=await fleet.which(connection, car),
            kind=booking.kind.value,
            starts_at=booking.starts_at,
            ends_at=booking.ends_at,
            zone=booking.zone,
            reader_zone=owner.zone,
            now=leaves_at,
        )


async def offer_due(context: Context, connection: Connection, job: Job) -> None:
    """The job that stands at the end of an offer's hold."""
    await offers.expire(connection, job.dealer_id, offer_id=job.subject_id, actor="worker", now=context.clock())
