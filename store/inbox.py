"""What the house keeps beside a conversation: whose it is, until when it rests, notes, half-written answers, and
answers that are ready.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from schemas.errors import BadInput, NotFound
from store import notifications
from store.pool import Connection, as_dict

_ASSIGN = "UPDATE threads SET assignee_id = $3 WHERE dealer_id = $1 AND id = $2"
_SNOOZE = "UPDATE threads SET snoozed_until = $3 WHERE dealer_id = $1 AND id = $2"
_NOTE = """
INSERT INTO thread_notes (dealer_id, thread_id, staff_id, body, mentions, at) VALUES ($1, $2, $3, $4, $5, $6)
RETURNING id
"""
_ONE_NOTE = """
SELECT n.body, n.mentions, s.name AS author, o.name AS owner, o.id AS owner_id FROM thread_notes n
JOIN threads t ON t.dealer_id = n.dealer_id AND t.id = n.thread_id
JOIN owners o ON o.dealer_id = n.dealer_id AND o.id = t.owner_id
JOIN staff s ON s.dealer_id = n.dealer_id AND s.id = n.staff_id WHERE n.dealer_id = $1 AND n.id = $2
"""
#: `began`: whether colleagues see only now that somebody is answering.
_DRAFT = """
INSERT INTO drafts AS d (dealer_id, thread_id, staff_id, body, at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (dealer_id, thread_id, staff_id) DO UPDATE SET body = $4, at = $5 RETURNING xmax = 0 AS began
"""
_NO_DRAFT = "DELETE FROM drafts WHERE dealer_id = $1 AND thread_id = $2 AND staff_id = $3"
_QUICK = "SELECT id, title, language, body FROM quick_replies WHERE dealer_id = $1 ORDER BY title, language, id"
_ADD_QUICK = "INSERT INTO quick_replies (dealer_id, title, language, body) VALUES ($1, $2, $3, $4) RETURNING id"
_DROP_QUICK = "DELETE FROM quick_replies WHERE dealer_id = $1 AND id = $2"


@dataclass(frozen=True, slots=True)
class Note:
    """A note that names colleagues, as they are told of it."""

    body: str
    mentions: list[int]
    author: str
    owner: str
    owner_id: int


@dataclass(frozen=True, slots=True)
class QuickReply:
    """An answer that is ready, in one language."""

    id: int
    title: str
    language: str
    body: str


async def assign(connection: Connection, dealer_id: int, thread_id: int, to: int | None) -> None:
    """It is this colleague's, or nobody's."""
    await connection.execute(_ASSIGN, dealer_id, thread_id, to)
    await notifications.ring_desk(connection, dealer_id, "thread", thread_id)


async def snooze(connection: Connection, dealer_id: int, thread_id: int, until: datetime | None) -> None:
    """It rests until then, or no longer."""
    await connection.execute(_SNOOZE, dealer_id, thread_id, until)
    await notifications.ring_desk(connection, dealer_id, "thread", thread_id)


async def note(
    connection: Connection,
    dealer_id: int,
    thread_id: int,
    staff_id: int,
    body: str,
    mentions: Sequence[int],
    now: datetime,
) -> int:
    """What a colleague notes; no owner ever reads it in a text."""
    found: int = await connection.fetchval(_NOTE, dealer_id, thread_id, staff_id, body, list(mentions), now)
    await notifications.ring_desk(connection, dealer_id, "thread", thread_id)
    return found


async def one_note(connection: Connection, dealer_id: int, note_id: int) -> Note | None:
    """None when there is no such note."""
    row = await connection.fetchrow(_ONE_NOTE, dealer_id, note_id)
    return Note(**as_dict(row)) if row else None


async def draft(
    connection: Connection, dealer_id: int, thread_id: int, staff_id: int, body: str, now: datetime
) -> None:
    """A half-written answer, one for each colleague; none when it is empty. The others see that it was begun."""
    if body:
        changed = await connection.fetchval(_DRAFT, dealer_id, thread_id, staff_id, body, now)
    else:
        changed = await connection.execute(_NO_DRAFT, dealer_id, thread_id, staff_id) == "DELETE 1"
    if changed:
        await notifications.ring_desk(connection, dealer_id, "thread", thread_id)


async def quick_replies(connection: Connection, dealer_id: int) -> list[QuickReply]:
    """By title."""
    return [QuickReply(**as_dict(row)) for row in await connection.fetch(_QUICK, dealer_id)]


async def add_quick_reply(connection: Connection, dealer_id: int, title: str, language: str, body: str) -> int:
    """BadInput when there is one of that title in that language."""
    try:
        async with connection.transaction():
            found: int = await connection.fetchval(_ADD_QUICK, dealer_id, title, language, body)
    except asyncpg.UniqueViolationError:
        raise BadInput("title", "stands for another answer in this language") from None
    return found


async def drop_quick_reply(connection: Connection, dealer_id: int, quick_id: int) -> None:
    """NotFound when there is none."""
    if await connection.execute(_DROP_QUICK, dealer_id, quick_id) != "DELETE 1":
        raise NotFound("quick reply")
