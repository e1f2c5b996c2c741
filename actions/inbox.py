"""What colleagues do with a conversation beside answering: take it, hand it on, let it rest, note, begin an answer."""

from __future__ import annotations

from datetime import datetime, timedelta

from actions.context import Acting
from rules.service import quick_replies
from schemas.account import Role
from schemas.consent import Owner
from schemas.errors import BadInput
from store import accounts, history, inbox, jobs, owners, threads
from store.pool import Connection

LONGEST_NOTE = 2000
LONGEST_SNOOZE = timedelta(days=60)
ANSWERS = (Role.ADVISOR, Role.MANAGER)


async def assign(acting: Acting, owner_id: int, to: int | None) -> None:
    """It is this colleague's, or nobody's again. BadInput for whoever does not answer owners here."""
    async with acting.transaction() as connection:
        _, thread_id = await _thread(acting, connection, owner_id)
        name = "nobody"
        if to is not None:
            person = await accounts.staff(connection, acting.dealer_id, to)
            if person.disabled_at is not None or person.role not in ANSWERS:
                raise BadInput("staff", f"{person.name} does not answer owners")
            name = person.name
        await inbox.assign(connection, acting.dealer_id, thread_id, to)
        await _note_move(acting, connection, owner_id, what="assigned", reason=f"the conversation is {name}'s")


async def snooze(acting: Acting, owner_id: int, until: datetime | None) -> None:
    """It rests until then; a new word of the owner's wakes it."""
    async with acting.transaction() as connection:
        now = acting.now()
        if until is not None and not now < until <= now + LONGEST_SNOOZE:
            raise BadInput("until", f"lies between now and {LONGEST_SNOOZE.days} days ahead")
        _, thread_id = await _thread(acting, connection, owner_id)
        await inbox.snooze(connection, acting.dealer_id, thread_id, until)


async def note(acting: Acting, owner_id: int, staff_id: int, body: str) -> int:
    """Between colleagues; whoever is named with an @ hears of it."""
    text = body.strip()
    if not 0 < len(text) <= LONGEST_NOTE:
        raise BadInput("note", f"takes 1 to {LONGEST_NOTE} characters")
    async with acting.transaction() as connection:
        _, thread_id = await _thread(acting, connection, owner_id)
        named = quick_replies.mentioned(text, await accounts.staff_of(connection, acting.dealer_id))
        others = [person.id for person in named if person.id != staff_id]
        found = await inbox.note(
            connection,
            acting.dealer_id,
            thread_id=thread_id,
            staff_id=staff_id,
            body=text,
            mentions=others,
            now=acting.now(),
        )
        if others:
            await jobs.put(connection, acting.dealer_id, "note", found, due_at=acting.now())
        return found


async def draft(acting: Acting, owner_id: int, staff_id: int, body: str) -> None:
    """Kept until it is sent or emptied, also when the browser is closed."""
    async with acting.transaction() as connection:
        _, thread_id = await _thread(acting, connection, owner_id)
        await inbox.draft(
            connection,
            acting.dealer_id,
            thread_id=thread_id,
            staff_id=staff_id,
            body=body.strip()[: quick_replies.LONGEST_BODY],
            now=acting.house.machine(),
        )


async def add_quick_reply(acting: Acting, title: str, language: str, body: str) -> int:
    """An answer that is ready, checked as it is saved."""
    title, body = quick_replies.checked(title, body)
    if language not in acting.house.wording.languages:
        raise BadInput("language", f"is one of {', '.join(acting.house.wording.languages)}")
    async with acting.transaction() as connection:
        return await inbox.add_quick_reply(connection, acting.dealer_id, title=title, language=language, body=body)


async def drop_quick_reply(acting: Acting, quick_id: int) -> None:
    async with acting.transaction() as connection:
        await inbox.drop_quick_reply(connection, acting.dealer_id, quick_id)


async def _thread(acting: Acting, connection: Connection, owner_id: int) -> tuple[Owner, int]:
    owner = await owners.get(connection, acting.dealer_id, owner_id)
    return owner, await threads.of_owner(connection, acting.dealer_id, owner_id)


async def _note_move(acting: Acting, connection: Connection, owner_id: int, what: str, reason: str) -> None:
    await history.write(
        connection,
        acting.dealer_id,
        "owner",
        owner_id,
        old=None,
        new=what,
        reason=reason,
        actor=acting.actor,
        now=acting.now(),
    )
