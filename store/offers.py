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
INSERT INTO offers (dealer_id, case_id, kind, state, made_by, made_at, expires_at) VALUES ($1, $2, $3, 'open', $4, $5, $6) RETURNING {_COLUMNS}
"""


async def make(connection: Connection, dealer_id: int, case_id: int, kind: BookingKind, *, actor: str, now: datetime, expires_at: datetime) -> Offer:
    """A new offer; Overtaken when the case has an open one."""
    try:
        async with connection.transaction():
            row = await connection.fetchrow(_MAKE, dealer_id, case_id, kind.value, actor, now, expires_at)
    except asyncpg.UniqueViolationError:
        raise Overtaken("offer", "this case has an open offer already") from None
    offer = _offer(row)
    await history.write(connection, dealer_id, "offer", offer.id, old=None, new="open", reason=f"{kind.value} offered", actor=actor, now=now)
    await notifications.ring_desk(connection, dealer_id, "offer", offer.id)
    return offer


async def get(connection: Connection, dealer_id: int, offer_id: int, *, lock: bool = False) -> Offer:
    """That offer, or NotFound."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM offers WHERE dealer_id = $1 AND id = $2" + (" FOR UPDATE" if lock else ""), dealer_id, offer_id
    )
    if row is None:
        raise NotFound("offer")
    return _offer(row)


async def of_case(connection: Connection, dealer_id: int, case_id: int) -> list[Offer]:
    """A case's offers, the newest first."""
    rows = await connection.fetch(f"SELECT {_COLUMNS} FROM offers WHERE dealer_id = $1 AND case_id = $2 ORDER BY id DESC", dealer_id, case_id)
    return [_offer(row) for row in rows]


async def open_of_owner(connection: Connection, dealer_id: int, owner_id: int) -> Offer | None:
    """The newest offer that waits for this owner's answer: what a digit by text is about."""
    row = await connection.fetchrow(
        """SELECT o.id, o.dealer_id, o.case_id, o.kind, o.state, o.made_at, o.expires_at FROM offers o
           JOIN cases c ON c.dealer_id = o.dealer_id AND c.id = o.case_id
           WHERE o.dealer_id = $1 AND c.owner_id = $2 AND o.state = 'open' ORDER BY o.id DESC LIMIT 1""",
        dealer_id, owner_id,
    )  # fmt: skip
    return _offer(row) if row else None


async def holding(connection: Connection, dealer_id: int, staff_id: int) -> list[Offer]:
    """Open offers whose held windows need this driver."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM offers WHERE dealer_id = $1 AND state = 'open' AND id IN (
                SELECT t.offer_id FROM slots t JOIN resources r ON r.dealer_id = t.dealer_id AND r.id = t.resource_id
                WHERE t.dealer_id = $1 AND t.state = 'held' AND r.staff_id = $2) ORDER BY id FOR UPDATE""",
        dealer_id, staff_id,
    )  # fmt: skip
    return [_offer(row) for row in rows]


async def newest_of_owner(connection: Connection, dealer_id: int, owner_id: int) -> Offer | None:
    """The newest offer this owner had, whatever became of it: a digit that comes too late is about this one."""
    row = await connection.fetchrow(
        """SELECT o.id, o.dealer_id, o.case_id, o.kind, o.state, o.made_at, o.expires_at FROM offers o
           JOIN cases c ON c.dealer_id = o.dealer_id AND c.id = o.case_id
           WHERE o.dealer_id = $1 AND c.owner_id = $2 ORDER BY o.id DESC LIMIT 1""",
        dealer_id, owner_id,
    )  # fmt: skip
    return _offer(row) if row else None


async def move(connection: Connection, offer: Offer, event: OfferEvent, *, reason: str, actor: str, now: datetime) -> Offer:
    """Move it by its table; whatever it no longer needs is free again in the same transaction."""
    state = OFFER.next(offer.state, event)
    row = await connection.fetchrow(
        f"UPDATE offers SET state = $4 WHERE dealer_id = $1 AND id = $2 AND state = $3 RETURNING {_COLUMNS}",
        offer.dealer_id, offer.id, offer.state.value, state.value,
    )  # fmt: skip
    if row is None:
        raise Overtaken("offer", "it has been answered")
    if state is not OfferState.ACCEPTED:
        await slots.release_offer(connection, offer.dealer_id, offer.id)
    await history.write(connection, offer.dealer_id, "offer", offer.id, old=offer.state.value, new=state.value, reason=reason, actor=actor, now=now)
    await notifications.ring_desk(connection, offer.dealer_id, "offer", offer.id)
    return _offer(row)


def _offer(row: Any) -> Offer:
    return Offer(**as_dict(row))
