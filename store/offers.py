"""Offers: windows held for an owner until they answer, or until the hold runs out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import asyncpg

from schemas.booking import OFFER, BookingKind, Offer, OfferEvent, OfferState
from schemas.errors import NotFound, Overtaken
from store import history, notifications, slots
from store.pool import Connection, as_dict

_COLUMNS = "id, dealer_id, case_id, kind, state, made_at, expires_at"
_MAKE = f"""
INSERT INTO offers (dealer_id, case_id, kind, state, made_by, made_at, expires_at)
  VALUES ($1, $2, $3, 'open', $4, $5, $6) RETURNING {_COLUMNS}
"""

_ITS_TEXT = (
    "m.dealer_id = o.dealer_id AND m.case_id = o.case_id AND m.kind = 'offer' AND m.facts->'asserts' @> "
    "jsonb_build_array(jsonb_build_object('noun', 'offer', 'id', o.id))"
)
_UNASKED = f"""
SELECT o.dealer_id, o.id FROM offers o WHERE o.state = 'open' AND NOT EXISTS (
    SELECT 1 FROM messages m WHERE {_ITS_TEXT} AND (m.state IN ('claimed', 'sent', 'delivered') OR (m.state = 'queued'
      AND m.due_at < o.expires_at)))
"""
_REASON = (
    f"SELECT m.reason FROM offers o JOIN messages m ON {_ITS_TEXT} WHERE o.dealer_id = $1 AND o.id = $2 "
    "ORDER BY m.id DESC LIMIT 1"
)
_WAS_ASKED = (
    f"SELECT EXISTS (SELECT 1 FROM offers o JOIN messages m ON {_ITS_TEXT} "
    "AND m.state IN ('claimed', 'sent', 'delivered') WHERE o.dealer_id = $1 AND o.id = $2)"
)
_ASKED_AT = (
    "SELECT sent_at FROM messages WHERE dealer_id = $1 AND case_id = $2 AND kind = 'offer' "
    "AND state IN ('sent', 'delivered') ORDER BY sent_at"
)


async def unasked(connection: Connection, limit: int = 100) -> list[tuple[int, int]]:
    """(dealer, offer) of open offers whose text did not leave, and will not while their windows are held.

    For the sweeper: all dealers'.
    """
    return [
        (row["dealer_id"], row["id"]) for row in await connection.fetch(f"{_UNASKED} ORDER BY o.id LIMIT $1", limit)
    ]


async def will_be_asked(connection: Connection, offer: Offer) -> bool:
    """Whether this offer's text has left, or will in time."""
    return (
        await connection.fetchval(f"{_UNASKED} AND o.dealer_id = $1 AND o.id = $2", offer.dealer_id, offer.id) is None
    )


async def was_asked(connection: Connection, offer: Offer) -> bool:
    """Whether this offer's text has left."""
    return bool(await connection.fetchval(_WAS_ASKED, offer.dealer_id, offer.id))


async def unsent_because(connection: Connection, offer: Offer) -> str:
    """Why its text has not left, in the sender's words."""
    return await connection.fetchval(_REASON, offer.dealer_id, offer.id) or "there was nobody to write to"


async def asked_at(connection: Connection, dealer_id: int, case_id: int) -> tuple[datetime, ...]:
    """When offers for this case reached its owner, oldest first: one that did not leave was no question."""
    return tuple(row["sent_at"] for row in await connection.fetch(_ASKED_AT, dealer_id, case_id))


async def make(
    connection: Connection,
    dealer_id: int,
    case_id: int,
    kind: BookingKind,
    *,
    actor: str,
    now: datetime,
    expires_at: datetime,
) -> Offer:
    """A new offer; Overtaken when the case has an open one."""
    try:
        async with connection.transaction():
            row = await connection.fetchrow(_MAKE, dealer_id, case_id, kind.value, actor, now, expires_at)
    except asyncpg.UniqueViolationError:
        raise Overtaken("offer", "this case has an open offer already") from None
    offer = _offer(row)
    await history.write(
        connection,
        dealer_id,
        "offer",
        offer.id,
        old=None,
        new="open",
        reason=f"{kind.value} offered",
        actor=actor,
        now=now,
    )
    await notifications.ring_desk(connection, dealer_id, "offer", offer.id)
    return offer


async def get(connection: Connection, dealer_id: int, offer_id: int, *, lock: bool = False) -> Offer:
    """That offer, or NotFound."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM offers WHERE dealer_id = $1 AND id = $2" + (" FOR UPDATE" if lock else ""),
        dealer_id,
        offer_id,
    )
    if row is None:
        raise NotFound("offer")
    return _offer(row)


async def of_case(connection: Connection, dealer_id: int, case_id: int) -> list[Offer]:
    """A case's offers, the newest first."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM offers WHERE dealer_id = $1 AND case_id = $2 ORDER BY id DESC", dealer_id, case_id
    )
    return [_offer(row) for row in rows]


async def open_of_owner(connection: Connection, dealer_id: int, owner_id: int) -> Offer | None:
    """The newest offer that waits for this owner's answer: what a digit by text is about."""
    row = await connection.fetchrow(
        """SELECT o.id, o.dealer_id, o.case_id, o.kind, o.state, o.made_at, o.expires_at FROM offers o
           JOIN cases c ON c.dealer_id = o.dealer_id AND c.id = o.case_id
           WHERE o.dealer_id = $1 AND c.owner_id = $2 AND o.state = 'open' ORDER BY o.id DESC LIMIT 1""",
        dealer_id,
        owner_id,
    )
    return _offer(row) if row else None


async def count_open(connection: Connection, dealer_id: int, owner_id: int) -> int:
    """How many offers wait for this owner's answer."""
    return int(
        await connection.fetchval(
            "SELECT count(*) FROM offers o JOIN cases c ON c.dealer_id = o.dealer_id AND c.id = o.case_id "
            "WHERE o.dealer_id = $1 AND c.owner_id = $2 AND o.state = 'open'",
            dealer_id,
            owner_id,
        )
    )


async def holding(connection: Connection, dealer_id: int, staff_id: int) -> list[Offer]:
    """Open offers whose held windows need this driver."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM offers WHERE dealer_id = $1 AND state = 'open' AND id IN (
                SELECT t.offer_id FROM slots t JOIN resources r ON r.dealer_id = t.dealer_id AND r.id = t.resource_id
                WHERE t.dealer_id = $1 AND t.state = 'held' AND r.staff_id = $2) ORDER BY id FOR UPDATE""",
        dealer_id,
        staff_id,
    )
    return [_offer(row) for row in rows]


async def newest_of_owner(connection: Connection, dealer_id: int, owner_id: int) -> Offer | None:
    """The newest offer this owner had, whatever became of it: a digit that comes too late is about this one."""
    row = await connection.fetchrow(
        """SELECT o.id, o.dealer_id, o.case_id, o.kind, o.state, o.made_at, o.expires_at FROM offers o
           JOIN cases c ON c.dealer_id = o.dealer_id AND c.id = o.case_id
           WHERE o.dealer_id = $1 AND c.owner_id = $2 ORDER BY o.id DESC LIMIT 1""",
        dealer_id,
        owner_id,
    )
    return _offer(row) if row else None


async def move(
    connection: Connection, offer: Offer, event: OfferEvent, *, reason: str, actor: str, now: datetime
) -> Offer:
    """Move it by its table; whatever it no longer needs is free again in the same transaction."""
    state = OFFER.next(offer.state, event)
    row = await connection.fetchrow(
        f"UPDATE offers SET state = $4 WHERE dealer_id = $1 AND id = $2 AND state = $3 RETURNING {_COLUMNS}",
        offer.dealer_id,
        offer.id,
        offer.state.value,
        state.value,
    )
    if row is None:
        raise Overtaken("offer", "it has been answered")
    if state is not OfferState.ACCEPTED:
        await slots.release_offer(connection, offer.dealer_id, offer.id)
    await history.write(
        connection,
        offer.dealer_id,
        "offer",
        offer.id,
        old=offer.state.value,
        new=state.value,
        reason=reason,
        actor=actor,
        now=now,
    )
    await notifications.ring_desk(connection, offer.dealer_id, "offer", offer.id)
    return _offer(row)


def _offer(row: Any) -> Offer:
    return Offer(**as_dict(row))
