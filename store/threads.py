"""The conversation with one owner: what we sent, what came in, and whether a person must read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.consent import Owner
from schemas.thread import Direction, Line, Reply
from store import notifications
from store.pool import Connection

_WROTE = "SELECT last_in_at FROM threads WHERE dealer_id = $1 AND owner_id = $2"
_SPOKEN_TO = """
SELECT owner_id FROM threads WHERE dealer_id = $1 AND owner_id = ANY ($2::bigint[]) AND last_out_at IS NOT NULL
ORDER BY last_out_at DESC, id DESC LIMIT 1
"""
_FIND = "SELECT id FROM threads WHERE dealer_id = $1 AND owner_id = $2"
_MAKE = (
    "INSERT INTO threads (dealer_id, owner_id) VALUES ($1, $2) ON CONFLICT (dealer_id, owner_id) DO NOTHING "
    "RETURNING id"
)
_KEEP = """
INSERT INTO replies (dealer_id, thread_id, owner_id, channel, provider_id, from_address, to_address, body, understood,
  received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (dealer_id, channel, provider_id) DO NOTHING RETURNING id
"""
_UNDERSTOOD = "UPDATE replies SET understood = $3 WHERE dealer_id = $1 AND id = $2"
_CAME_IN = """
UPDATE threads SET last_in_at = greatest(last_in_at, $2), needs_reading = needs_reading OR $3,
  snoozed_until = CASE WHEN $3 THEN NULL ELSE snoozed_until END WHERE id = $1
"""
_NOBODY_READS = "UPDATE replies SET read_at = $3 WHERE dealer_id = $1 AND id = $2"
_READ = "UPDATE threads SET needs_reading = false, snoozed_until = NULL WHERE dealer_id = $1 AND id = $2"
_READ_REPLIES = (
    "UPDATE replies SET read_at = $3, read_by = $4 WHERE dealer_id = $1 AND thread_id = $2 AND read_at IS NULL"
)
_LINES = """
SELECT direction, body, at, kind, state, author, reason FROM (
    SELECT 'out' AS direction, body, coalesce(sent_at, queued_at) AS at, kind, state, author, reason, id FROM messages
    WHERE dealer_id = $1 AND thread_id = $2
    UNION ALL
    SELECT 'in', body, received_at, understood, CASE WHEN read_at IS NULL THEN 'new' ELSE 'read' END, NULL, NULL, id
      FROM replies
    WHERE dealer_id = $1 AND thread_id = $2
    ORDER BY at DESC, direction DESC, id DESC LIMIT $3
) AS newest ORDER BY at, direction, id
"""
_REPLY = """
SELECT o.name, o.id AS owner_id, r.body, r.read_at, c.id AS case_id,
  coalesce(t.assignee_id, c.assignee_id) AS assignee_id
FROM replies r LEFT JOIN threads t ON t.dealer_id = r.dealer_id AND t.id = r.thread_id
  JOIN owners o ON o.dealer_id = r.dealer_id AND o.id = r.owner_id
LEFT JOIN LATERAL (SELECT id, assignee_id FROM cases WHERE dealer_id = $1 AND owner_id = r.owner_id
  AND state NOT IN ('done', 'dismissed')
                   ORDER BY changed_at DESC LIMIT 1) c ON true
WHERE r.dealer_id = $1 AND r.id = $2
"""
_UNREAD = """
SELECT t.id AS thread_id, o.id AS owner_id, o.name, r.body, r.received_at FROM threads t
  JOIN owners o ON o.id = t.owner_id
JOIN LATERAL (SELECT body, received_at FROM replies WHERE thread_id = t.id AND dealer_id = $1 ORDER BY id DESC
  LIMIT 1) r ON true
WHERE t.dealer_id = $1 AND t.needs_reading ORDER BY r.received_at
"""
_STRANGERS = """
SELECT id, channel, from_address, body, received_at FROM replies WHERE dealer_id = $1 AND thread_id IS NULL
  AND read_at IS NULL ORDER BY id
"""
_READ_STRANGER = "UPDATE replies SET read_at = $3, read_by = $4 WHERE dealer_id = $1 AND id = $2 AND thread_id IS NULL"


@dataclass(frozen=True, slots=True)
class ForAPerson:
    """A text that a person must read, and whose case it belongs to."""

    owner: str
    body: str
    read: bool
    case_id: int | None
    assignee_id: int | None  #: whose the conversation is, else the case
    owner_id: int


async def reply(connection: Connection, dealer_id: int, reply_id: int) -> ForAPerson | None:
    """One text of an owner; None when there is none, or when a stranger wrote it."""
    row = await connection.fetchrow(_REPLY, dealer_id, reply_id)
    return (
        None
        if row is None
        else ForAPerson(
            row["name"],
            row["body"],
            read=row["read_at"] is not None,
            case_id=row["case_id"],
            assignee_id=row["assignee_id"],
            owner_id=row["owner_id"],
        )
    )


async def of_owner(connection: Connection, dealer_id: int, owner_id: int) -> int:
    """The owner's thread, made when there is none."""
    found: int | None = await connection.fetchval(_FIND, dealer_id, owner_id)
    if found is None:
        found = await connection.fetchval(_MAKE, dealer_id, owner_id)
    if found is None:  # made by somebody else a moment ago
        found = await connection.fetchval(_FIND, dealer_id, owner_id)
    assert found is not None
    return found


async def spoken_to_last(connection: Connection, people: Sequence[Owner]) -> Owner:
    """Of these, all of one dealer, to whom our newest text went; the first where none did."""
    found = await connection.fetchval(_SPOKEN_TO, people[0].dealer_id, [owner.id for owner in people])
    return next((owner for owner in people if owner.id == found), people[0])


async def wrote_at(connection: Connection, dealer_id: int, owner_id: int) -> datetime | None:
    """When this owner last wrote."""
    found: datetime | None = await connection.fetchval(_WROTE, dealer_id, owner_id)
    return found


async def keep(
    connection: Connection,
    dealer_id: int,
    reply: Reply,
    *,
    owner_id: int | None,
    understood: str,
    for_a_person: bool,
    by_machine: bool = False,
) -> int | None:
    """Store what came in, once: None when this (channel, provider id) is already here. What came `by_machine` is shown,
    and nobody has written.
    """
    thread_id = None if owner_id is None else await of_owner(connection, dealer_id, owner_id)
    found: int | None = await connection.fetchval(
        _KEEP,
        dealer_id,
        thread_id,
        owner_id,
        reply.channel,
        reply.provider_id,
        reply.from_address,
        reply.to_address,
        reply.body,
        understood,
        reply.received_at,
    )
    if found is None:
        return None
    if by_machine:
        await connection.execute(_NOBODY_READS, dealer_id, found, reply.received_at)
    elif thread_id is not None:
        await connection.execute(_CAME_IN, thread_id, reply.received_at, for_a_person)
    await notifications.ring_desk(connection, dealer_id, "reply", found)
    return found


async def wants_a_person(connection: Connection, dealer_id: int, reply_id: int, thread_id: int, at: datetime) -> None:
    """What looked plain could not be done: a person reads it."""
    await connection.execute(_UNDERSTOOD, dealer_id, reply_id, "other")
    await connection.execute(_CAME_IN, thread_id, at, True)
    await notifications.ring_desk(connection, dealer_id, "reply", reply_id)


async def mark_read(
    connection: Connection, dealer_id: int, thread_id: int, staff_id: int | None, now: datetime
) -> None:
    """A person has read all of it."""
    await connection.execute(_READ, dealer_id, thread_id)
    await connection.execute(_READ_REPLIES, dealer_id, thread_id, now, staff_id)
    await notifications.ring_desk(connection, dealer_id, "thread", thread_id)


async def lines(connection: Connection, dealer_id: int, thread_id: int, limit: int = 200) -> list[Line]:
    """The newest lines of a conversation, in the order in which they were written."""
    rows = await connection.fetch(_LINES, dealer_id, thread_id, limit)
    return [
        Line(
            direction=Direction(r["direction"]),
            body=r["body"],
            at=r["at"],
            kind=r["kind"],
            state=r["state"],
            author=r["author"],
            reason=r["reason"],
        )
        for r in rows
    ]


async def unread(connection: Connection, dealer_id: int) -> list[dict[str, object]]:
    """Owners who wrote something that nobody has read: thread_id, owner_id, name, body, received_at."""
    return [dict(row.items()) for row in await connection.fetch(_UNREAD, dealer_id)]


async def strangers(connection: Connection, dealer_id: int) -> list[dict[str, object]]:
    """Unread texts from numbers that nobody knows: id, channel, from_address, body, received_at."""
    return [dict(row.items()) for row in await connection.fetch(_STRANGERS, dealer_id)]


async def mark_stranger_read(
    connection: Connection, dealer_id: int, reply_id: int, staff_id: int, now: datetime
) -> None:
    """A person has read a stranger's text."""
    await connection.execute(_READ_STRANGER, dealer_id, reply_id, now, staff_id)
