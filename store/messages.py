"""The outbox. A message is written in the transaction of its cause; workers claim it, check it again and hand it over
once.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitoring import tracing
from schemas.message import Draft, Message, MessageKind, MessageState, OwnerRecipient
from store import notifications, threads
from store.pool import Connection, as_dict

_COLUMNS = (
    "id, dealer_id, thread_id, owner_id, staff_id, case_id, kind, purpose, channel, to_address, language, body, "
    "facts, state, reason, reference, attempts, queued_at, due_at, sent_at"
)
_QUEUE = """
INSERT INTO messages (dealer_id, thread_id, owner_id, staff_id, case_id, kind, purpose, channel, to_address, language,
  body, facts,
                      state, reference, author, queued_at, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'queued', $13, $14, $15, $16)
ON CONFLICT (reference) DO NOTHING RETURNING id
"""
_BY_REFERENCE = "SELECT id FROM messages WHERE reference = $1"
_ONE = f"SELECT {_COLUMNS} FROM messages WHERE dealer_id = $1 AND id = $2"
#: One text after the other to the same person, in the order of their times: "collected" never arrives before "on the
#: way".
_DUE = f"""
SELECT {_COLUMNS} FROM messages AS m
WHERE state = 'queued' AND due_at <= $1 AND (retry_at IS NULL OR retry_at <= $2)
  AND NOT EXISTS (SELECT 1 FROM messages AS before WHERE before.to_address = m.to_address
    AND before.state IN ('queued', 'claimed')
                  AND (before.due_at, before.id) < (m.due_at, m.id))
ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_REWORD = "UPDATE messages SET body = $2 WHERE id = $1 AND state = 'queued'"
_CLAIM = (
    "UPDATE messages SET state = 'claimed', claimed_at = $2, attempts = attempts + 1, retry_at = NULL WHERE id = $1 "
    "AND state = 'queued'"
)
_STUCK = f"""
SELECT {_COLUMNS}, claimed_at FROM messages WHERE state = 'claimed' AND claimed_at <= $1
ORDER BY claimed_at LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_RECLAIM = "UPDATE messages SET claimed_at = $3 WHERE id = $1 AND state = 'claimed' AND claimed_at = $2"
_SAME = (
    "SELECT provider_id FROM messages WHERE dealer_id = $1 AND to_address = $2 AND body = $3 AND id <> $4 "
    "AND provider_id IS NOT NULL"
)
_SENT = """
UPDATE messages SET state = 'sent', sent_at = $3, provider_id = $4, reason = NULL
WHERE id = $1 AND state = 'claimed' AND claimed_at = $2 RETURNING thread_id
"""
_HEARD = "UPDATE threads SET last_out_at = greatest(last_out_at, $2) WHERE id = $1"
_PUT_BACK = (
    "UPDATE messages SET state = 'queued', due_at = $2, retry_at = $3, reason = $4, claimed_at = NULL WHERE id = $1 "
    "AND state IN ('queued', 'claimed')"
)
_END = "UPDATE messages SET state = $2, reason = $3 WHERE id = $1 AND state IN ('queued', 'claimed', 'sent')"
_DELIVERED = "UPDATE messages SET state = 'delivered' WHERE reference = $1 AND state = 'sent' RETURNING id"
_LOST = (
    f"UPDATE messages SET state = 'failed', reason = $2 WHERE reference = $1 AND state = 'sent' RETURNING {_COLUMNS}"
)
_EXPLAIN = "UPDATE messages SET reason = $3 WHERE dealer_id = $1 AND id = $2"
_CANCEL_QUEUED = """
UPDATE messages SET state = 'cancelled', reason = $3 WHERE dealer_id = $1 AND owner_id = $2 AND state = 'queued'
  AND kind <> ALL($4::text[]) AND ($5::text[] IS NULL OR lower(to_address) = ANY ($5))
"""
_CANCEL_TO = """
UPDATE messages SET state = 'cancelled', reason = $3 WHERE dealer_id = $1 AND lower(to_address) = ANY ($2::text[])
  AND state = 'queued' AND kind = $4
"""
_WITHDRAW = """
UPDATE messages SET state = 'cancelled', reason = $4 WHERE dealer_id = $1 AND state = 'queued' AND (
    facts->'asserts' @> jsonb_build_array(jsonb_build_object('noun', 'booking', 'id', $2::bigint, 'state',
      jsonb_build_array('agreed')))
    OR EXISTS (SELECT 1 FROM unnest($3::bigint[]) AS leg
      WHERE facts->'asserts' @> jsonb_build_array(jsonb_build_object('noun', 'leg', 'id', leg))))
"""
_CANCEL_ABOUT = """
UPDATE messages SET state = 'cancelled', reason = $4 WHERE dealer_id = $1 AND owner_id = $2 AND state = 'queued'
  AND kind <> 'cancelled'
  AND case_id IN (SELECT id FROM cases WHERE dealer_id = $1 AND vehicle_id = $3)
"""
_UNSAID = """
UPDATE bookings b SET last_word_at = (
    SELECT max(m.sent_at) FROM messages m WHERE m.dealer_id = $1 AND m.case_id = $2 AND m.owner_id IS NOT NULL
      AND m.state IN ('sent', 'delivered'))
WHERE b.dealer_id = $1 AND b.case_id = $2 AND b.state NOT IN ('completed', 'cancelled')
"""
_BACKLOG = """
SELECT channel, count(*) FILTER (WHERE state = 'queued'
  AND due_at <= $1) AS due, min(due_at) FILTER (WHERE state = 'queued' AND due_at <= $1) AS oldest,
       count(*) FILTER (WHERE state = 'claimed') AS claimed
FROM messages WHERE state IN ('queued', 'claimed') GROUP BY channel
"""
_NEXT = "SELECT min(due_at) FROM messages WHERE state = 'queued' AND retry_at IS NULL"
_LATELY = """
SELECT sent_at FROM messages WHERE dealer_id = $1 AND owner_id = $2 AND kind = $3 AND sent_at > $4
  AND state IN ('sent', 'delivered')
ORDER BY sent_at
"""
_WARNINGS = f"""
SELECT {_COLUMNS} FROM messages WHERE dealer_id = $1 AND thread_id = (SELECT id FROM threads WHERE dealer_id = $1
  AND owner_id = $2)
  AND case_id = $3 AND purpose = 'safety' ORDER BY id
"""
_WAITS = (
    "SELECT EXISTS (SELECT 1 FROM messages WHERE dealer_id = $1 AND case_id = $2 AND kind = $3 AND state = 'queued')"
)
_OF_CASE = f"SELECT {_COLUMNS} FROM messages WHERE dealer_id = $1 AND case_id = $2 ORDER BY id"


@dataclass(frozen=True, slots=True)
class Backlog:
    """The texts of one channel that are due or in somebody's hands."""

    channel: str
    due: int
    oldest: datetime | None
    claimed: int


async def queue(
    connection: Connection, draft: Draft, body: str, now: datetime, words: Mapping[str, Any] | None = None
) -> int:
    """Put a text into the outbox and ring on commit; the same `reference` twice is one message, whose id comes back.
    `words`: what it is about, for whoever words it when it leaves.
    """
    to, reference = draft.to, draft.reference or f"m-{secrets.token_hex(12)}"
    thread_id = (
        await threads.of_owner(connection, draft.dealer_id, to.owner_id) if isinstance(to, OwnerRecipient) else None
    )
    owner_id, staff_id = (to.owner_id, None) if isinstance(to, OwnerRecipient) else (None, to.staff_id)
    found: int | None = await connection.fetchval(
        _QUEUE,
        draft.dealer_id,
        thread_id,
        owner_id,
        staff_id,
        draft.case_id,
        draft.kind.value,
        draft.purpose.value,
        to.channel,
        to.address,
        to.language,
        body,
        tracing.carrying({"asserts": list(draft.asserts)} | ({} if words is None else {"words": dict(words)})),
        reference,
        draft.author,
        now,
        draft.due_at or now,
    )
    if found is None:
        earlier: int = await connection.fetchval(_BY_REFERENCE, reference)
        return earlier
    await notifications.ring(connection, notifications.JOBS, topic="message")
    await notifications.ring_desk(connection, draft.dealer_id, "message", found)
    return found


async def get(connection: Connection, dealer_id: int, message_id: int) -> Message | None:
    row = await connection.fetchrow(_ONE, dealer_id, message_id)
    return _message(row) if row else None


async def of_case(connection: Connection, dealer_id: int, case_id: int) -> list[Message]:
    """Every text about a case, oldest first."""
    return [_message(row) for row in await connection.fetch(_OF_CASE, dealer_id, case_id)]


async def warnings(connection: Connection, dealer_id: int, owner_id: int, case_id: int) -> list[Message]:
    """Every text about danger that this owner got, or was to get, about a case, oldest first."""
    return [_message(row) for row in await connection.fetch(_WARNINGS, dealer_id, owner_id, case_id)]


async def due(connection: Connection, now: datetime, machine: datetime) -> Message | None:
    """The next text whose time has come, locked until this transaction ends; other workers skip it."""
    row = await connection.fetchrow(_DUE, now, machine)
    return _message(row) if row else None


async def reword(connection: Connection, message_id: int, body: str) -> None:
    """Its words as they leave: these are the ones that are kept."""
    await connection.execute(_REWORD, message_id, body)


async def claim(connection: Connection, message_id: int, machine: datetime) -> None:
    """It is about to be handed over: from now on only its reference decides whether it went out."""
    await connection.execute(_CLAIM, message_id, machine)


async def stuck(connection: Connection, before: datetime) -> tuple[Message, datetime] | None:
    """A claim older than the provider's time-out: whoever made it may be dead. With the time of the claim."""
    row = await connection.fetchrow(_STUCK, before)
    return (_message(row), row["claimed_at"]) if row else None


async def reclaim(connection: Connection, message_id: int, claimed_at: datetime, machine: datetime) -> bool:
    """Take over a dead worker's claim; False when somebody was quicker."""
    return bool(await connection.execute(_RECLAIM, message_id, claimed_at, machine) == "UPDATE 1")


async def receipts_of_the_same(connection: Connection, message: Message) -> frozenset[str]:
    """The provider's names of other texts that say the same to the same number: "welcome back" may go twice in a
    day.
    """
    rows = await connection.fetch(_SAME, message.dealer_id, message.to_address, message.body, message.id)
    return frozenset(row["provider_id"] for row in rows)


async def sent(connection: Connection, message: Message, claimed_at: datetime, now: datetime, provider_id: str) -> bool:
    """It went out. False when the claim was taken over meanwhile."""
    row = await connection.fetchrow(_SENT, message.id, claimed_at, now, provider_id)
    if row is None:
        return False
    if row["thread_id"] is not None:
        await connection.execute(_HEARD, row["thread_id"], now)
    await notifications.ring_desk(connection, message.dealer_id, "message", message.id)
    return True


async def put_back(
    connection: Connection, message: Message, due_at: datetime, retry_at: datetime | None, reason: str
) -> None:
    """Not now: not before `due_at` (business time) and not before `retry_at` (machine time)."""
    await connection.execute(_PUT_BACK, message.id, due_at, retry_at, reason)
    await _unsaid(connection, message)
    await notifications.ring_desk(connection, message.dealer_id, "message", message.id)


async def end(connection: Connection, message: Message, state: MessageState, reason: str) -> None:
    """Failed for good, or cancelled because it is no longer true or no longer allowed; the reason is shown."""
    await connection.execute(_END, message.id, state.value, reason)
    await _unsaid(connection, message)
    await notifications.ring_desk(connection, message.dealer_id, "message", message.id)


async def _unsaid(connection: Connection, message: Message) -> None:
    """Who waits has not heard this after all: the minutes since our last word count from the last text that did go."""
    if message.owner_id is not None and message.case_id is not None:
        await connection.execute(_UNSAID, message.dealer_id, message.case_id)


async def delivered(connection: Connection, reference: str) -> bool:
    """The provider says that it arrived; never moves back from a final state."""
    return await connection.fetchval(_DELIVERED, reference) is not None


async def lost(connection: Connection, reference: str, reason: str) -> Message | None:
    """The provider took it and could not deliver it. None when it is final already, or none of ours."""
    row = await connection.fetchrow(_LOST, reference, reason)
    if row is None:
        return None
    message = _message(row)
    await _unsaid(connection, message)
    await notifications.ring_desk(connection, message.dealer_id, "message", message.id)
    return message


async def explain(connection: Connection, message: Message, reason: str) -> None:
    """What came of it since, for whoever reads the conversation."""
    await connection.execute(_EXPLAIN, message.dealer_id, message.id, reason)
    await notifications.ring_desk(connection, message.dealer_id, "message", message.id)


async def cancel_queued(
    connection: Connection,
    dealer_id: int,
    owner_id: int,
    reason: str,
    but: Sequence[MessageKind] = (),
    *,
    to: Sequence[str] | None = None,
) -> int:
    """Cancel what still waits for an owner, or only what goes `to` these addresses; returns how many."""
    others = [kind.value for kind in but]
    status = await connection.execute(
        _CANCEL_QUEUED, dealer_id, owner_id, reason, others, None if to is None else list(to)
    )
    return int(status.split()[-1])


async def cancel_to(
    connection: Connection, dealer_id: int, addresses: Sequence[str], kind: MessageKind, reason: str
) -> None:
    """Cancel what still waits for these addresses, whoever's it is."""
    await connection.execute(_CANCEL_TO, dealer_id, list(addresses), reason, kind.value)


async def cancel_about(connection: Connection, dealer_id: int, owner_id: int, vehicle_id: int, reason: str) -> None:
    """Cancel what still waits for an owner about one of their cars; that a visit was called off, they hear all the
    same.
    """
    await connection.execute(_CANCEL_ABOUT, dealer_id, owner_id, vehicle_id, reason)


async def waits(connection: Connection, dealer_id: int, case_id: int, kind: MessageKind) -> bool:
    """Whether a text of this kind about this case has still to leave."""
    return bool(await connection.fetchval(_WAITS, dealer_id, case_id, kind.value))


async def lately(
    connection: Connection, dealer_id: int, owner_id: int, kind: MessageKind, since: datetime
) -> tuple[datetime, ...]:
    """When this owner last got texts of this kind, oldest first."""
    return tuple(row["sent_at"] for row in await connection.fetch(_LATELY, dealer_id, owner_id, kind.value, since))


async def backlog(connection: Connection, now: datetime) -> list[Backlog]:
    """How much is due, by channel."""
    return [Backlog(**as_dict(row)) for row in await connection.fetch(_BACKLOG, now)]


async def next_due(connection: Connection) -> datetime | None:
    """When the earliest waiting text is due (business time)."""
    found: datetime | None = await connection.fetchval(_NEXT)
    return found


def _message(row: Any) -> Message:
    values = {name: value for name, value in as_dict(row).items() if name in Message.model_fields}
    if isinstance(values["facts"], str):
        values["facts"] = json.loads(values["facts"])
    return Message(**values)


async def withdraw_about(
    connection: Connection, dealer_id: int, booking_id: int, leg_ids: Sequence[int], reason: str
) -> None:
    """What waits to be said of a visit's time, or of these drives of it, is not said any more."""
    await connection.execute(_WITHDRAW, dealer_id, booking_id, list(leg_ids), reason)
