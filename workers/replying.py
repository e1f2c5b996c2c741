"""Where texts end and a person must take over: an owner wrote something, or cannot be reached."""

from __future__ import annotations

from actions import links, unreached
from rules.service import extra_work
from rules.service.extra_work import ASKED_OF, PATIENCE
from schemas.errors import NotFound
from schemas.message import MessageKind, MessageState, Purpose
from store import (
    accounts,
    bookings,
    cases,
    estimates,
    feedback,
    inbox,
    jobs,
    message_validity,
    messages,
    owners,
    threads,
)
from store.jobs import Job
from store.pool import Connection
from workers import notices, safety
from workers.context import Context


async def tell_staff(context: Context, connection: Connection, job: Job) -> None:
    """Whoever owns the owner's open case, else all advisors; once per text."""
    found = await threads.reply(connection, job.dealer_id, job.subject_id)
    if found is None or found.read:
        return
    dealer = await accounts.dealer(connection, job.dealer_id)
    people = await notices.advisors(connection, dealer)
    people = [person for person in people if person.id == found.assignee_id] or people
    await notices.to_each(
        context,
        connection,
        people,
        dealer.id,
        MessageKind.STAFF_REPLY,
        str(job.subject_id),
        case_id=found.case_id,
        owner=found.owner,
        body=found.body,
        link=links.conversation(context.desk_url, found.owner_id),
    )


async def tell_note(context: Context, connection: Connection, job: Job) -> None:
    """A colleague named somebody in a note: each of them hears of it, once."""
    found = await inbox.one_note(connection, job.dealer_id, job.subject_id)
    if found is None or not found.body:
        return
    people = [await accounts.staff(connection, job.dealer_id, staff_id) for staff_id in found.mentions]
    await notices.to_each(
        context,
        connection,
        [person for person in people if person.disabled_at is None],
        job.dealer_id,
        MessageKind.STAFF_NOTE,
        str(job.subject_id),
        case_id=None,
        colleague=found.author,
        owner=found.owner,
        body=found.body,
        link=links.conversation(context.desk_url, found.owner_id),
    )


async def tell_unreached(context: Context, connection: Connection, job: Job) -> None:
    """A text to an owner failed for good: it goes their other way, or somebody rings instead."""
    message = await messages.get(connection, job.dealer_id, job.subject_id)
    if message is None or message.owner_id is None:
        return
    if message.kind is MessageKind.SAFETY and message.state is MessageState.FAILED:
        await safety.fall_back(context, connection, message)
    dealer = await accounts.dealer(connection, job.dealer_id)
    owner = await owners.get(connection, job.dealer_id, message.owner_id)
    if job.payload.get("surely") and message.purpose is not Purpose.SAFETY:
        channels, now = context.staff_channels, context.clock()
        false = await message_validity.untrue(connection, job.dealer_id, message.facts.get("asserts", ()), now)
        if false is None and await unreached.other_way(
            connection, context.wording, message=message, owner=owner, channels=channels, now=now
        ):
            return
    people = await notices.advisors(connection, dealer)
    if message.case_id is not None:
        case = await cases.get(connection, job.dealer_id, message.case_id)
        people = [person for person in people if person.id == case.assignee_id] or people
    await notices.to_each(
        context,
        connection,
        people,
        dealer.id,
        MessageKind.STAFF_UNREACHED,
        str(message.id),
        case_id=message.case_id,
        owner=owner.name,
        because=message.reason or "unknown",
        phone=owner.phone or message.to_address,
        link=links.case(context.desk_url, message.case_id),
    )


async def tell_to_ring(context: Context, connection: Connection, job: Job) -> None:
    """Something happened to a visit or an offer that a text alone does not mend: whoever has the case rings."""
    try:
        case = await cases.get(connection, job.dealer_id, job.subject_id)
    except NotFound:
        return
    dealer = await accounts.dealer(connection, job.dealer_id)
    owner = None if case.owner_id is None else await owners.get(connection, job.dealer_id, case.owner_id)
    people = await notices.advisors(connection, dealer)
    people = [person for person in people if person.id == case.assignee_id] or people
    await notices.tell(
        context,
        connection,
        case=case,
        kind=MessageKind.STAFF_RING,
        people=people,
        occasion=str(job.id),
        owner=owner.name if owner else "–",
        because=str(job.payload["because"]),
        phone=(owner.phone or owner.email or "–") if owner else "–",
    )


async def unanswered(context: Context, connection: Connection, job: Job) -> None:
    """Extra work was asked half an hour ago and its car stands on the lift: whoever has the case rings its owner."""
    booking = await bookings.get(connection, job.dealer_id, job.subject_id)
    asked = (await estimates.of_booking(connection, job.dealer_id, booking.id)) if booking.state in ASKED_OF else []
    waits = [
        line for line in extra_work.unanswered(asked) if line.asked_at and line.asked_at + PATIENCE <= context.clock()
    ]
    if waits:
        because = f"they have not answered about: {', '.join(line.title for line in waits)}"
        await jobs.put(connection, job.dealer_id, "ring", booking.case_id, due_at=context.clock(), because=because)


async def tell_score(context: Context, connection: Connection, job: Job) -> None:
    """A low score, or one with words, given on the owner's page: a person reads it, as they would a text."""
    answer = await feedback.of_case(connection, job.dealer_id, job.subject_id)
    case = await cases.get(connection, job.dealer_id, job.subject_id)
    if answer is None or answer.score is None or case.owner_id is None:
        return
    dealer = await accounts.dealer(connection, job.dealer_id)
    owner = await owners.get(connection, job.dealer_id, case.owner_id)
    people = await notices.advisors(connection, dealer)
    people = [person for person in people if person.id == case.assignee_id] or people
    await notices.tell(
        context,
        connection,
        case=case,
        kind=MessageKind.STAFF_REPLY,
        people=people,
        occasion="score",
        owner=owner.name,
        body=f"{answer.score}/5 {answer.words or ''}".strip(),
    )
