"""Where texts end and a person must take over: an owner wrote something, or cannot be reached."""

from __future__ import annotations

from actions import links
from schemas.message import MessageKind
from store import accounts, cases, feedback, messages, owners, threads
from store.jobs import Wakeup
from store.pool import Connection
from workers import notices
from workers.context import Context


async def tell_staff(context: Context, connection: Connection, wakeup: Wakeup) -> None:
    """Whoever owns the owner's open case, else all advisors; once per text."""
    found = await threads.reply(connection, wakeup.dealer_id, wakeup.subject_id)
    if found is None or found.read:
        return
    dealer = await accounts.dealer(connection, wakeup.dealer_id)
    people = await notices.advisors(connection, dealer)
    people = [person for person in people if person.id == found.assignee_id] or people
    await notices.to_each(
        context, connection, people, dealer.id, MessageKind.STAFF_REPLY, str(wakeup.subject_id), case_id=found.case_id,
        owner=found.owner, body=found.body, link=links.case(context.desk_url, found.case_id),
    )  # fmt: skip


async def tell_unreached(context: Context, connection: Connection, wakeup: Wakeup) -> None:
    """A text to an owner failed for good: somebody rings instead."""
    message = await messages.get(connection, wakeup.dealer_id, wakeup.subject_id)
    if message is None or message.owner_id is None:
        return
    dealer = await accounts.dealer(connection, wakeup.dealer_id)
    owner = await owners.get(connection, wakeup.dealer_id, message.owner_id)
    people = await notices.advisors(connection, dealer)
    if message.case_id is not None:
        case = await cases.get(connection, wakeup.dealer_id, message.case_id)
        people = [person for person in people if person.id == case.assignee_id] or people
    await notices.to_each(
        context, connection, people, dealer.id, MessageKind.STAFF_UNREACHED, str(message.id), case_id=message.case_id, owner=owner.name,
        because=message.reason or "unknown", phone=owner.phone or message.to_address, link=links.case(context.desk_url, message.case_id),
    )  # fmt: skip


async def tell_score(context: Context, connection: Connection, wakeup: Wakeup) -> None:
    """A low score, or one with words, given on the owner's page: a person reads it, as they would a text."""
    said = await feedback.of_case(connection, wakeup.dealer_id, wakeup.subject_id)
    case = await cases.get(connection, wakeup.dealer_id, wakeup.subject_id)
    if said is None or said.score is None or case.owner_id is None:
        return
    dealer = await accounts.dealer(connection, wakeup.dealer_id)
    owner = await owners.get(connection, wakeup.dealer_id, case.owner_id)
    people = await notices.advisors(connection, dealer)
    people = [person for person in people if person.id == case.assignee_id] or people
    await notices.tell(context, connection, case, MessageKind.STAFF_REPLY, people, "score", owner=owner.name, body=f"{said.score}/5 {said.words or ''}".strip())
