"""Owners: people who may be texted, if they agreed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from schemas.consent import Owner
from schemas.errors import NotFound
from store import notifications
from store.pool import Connection, as_dict

_COLUMNS = ", ".join(Owner.model_fields)  # a column each
FIELDS = (
    "name",
    "phone",
    "email",
    "channel",
    "language",
    "zone",
    "quiet_from",
    "quiet_to",
    "address",
    "place",
    "access_notes",
    "contact",
)
_AT = f"""
SELECT {_COLUMNS} FROM owners WHERE dealer_id = $1 AND (phone = ANY ($2) OR lower(email) = ANY ($2)) ORDER BY id
"""
_LIST = f"""
SELECT {_COLUMNS} FROM owners
WHERE dealer_id = $1 AND ($2::bigint[] IS NULL OR id = ANY ($2)) AND ($3::text IS NULL OR (name, id) > ($3, $4))
ORDER BY name, id LIMIT $5
"""


async def create(connection: Connection, dealer_id: int, values: dict[str, Any], now: datetime) -> Owner:
    """A new owner from FIELDS. Two people may share one number or mailbox."""
    names = [name for name in FIELDS if name in values]
    places = ", ".join(f"${n}" for n in range(3, 3 + len(names)))
    row = await connection.fetchrow(
        f"INSERT INTO owners (dealer_id, created_at, {', '.join(names)}) VALUES ($1, $2, {places}) "
        f"RETURNING {_COLUMNS}",
        dealer_id,
        now,
        *(values[name] for name in names),
    )
    owner = Owner(**as_dict(row))
    await notifications.ring_desk(connection, dealer_id, "owner", owner.id)
    return owner


async def get(connection: Connection, dealer_id: int, owner_id: int) -> Owner:
    """That owner, or NotFound."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM owners WHERE dealer_id = $1 AND id = $2", dealer_id, owner_id
    )
    if row is None:
        raise NotFound("owner")
    return Owner(**as_dict(row))


async def at(connection: Connection, dealer_id: int, addresses: Sequence[str]) -> list[Owner]:
    """Who is reached at one of these numbers or mailboxes (in small letters), the oldest row first."""
    rows = await connection.fetch(_AT, dealer_id, list(addresses))
    return [Owner(**as_dict(row)) for row in rows]


async def listed(
    connection: Connection,
    dealer_id: int,
    *,
    ids: Sequence[int] | None = None,
    after: tuple[str, int] | None = None,
    limit: int = 51,
) -> list[Owner]:
    """Owners by name; `ids`: no others than these."""
    rows = await connection.fetch(_LIST, dealer_id, None if ids is None else list(ids), *(after or (None, None)), limit)
    return [Owner(**as_dict(row)) for row in rows]


async def update(connection: Connection, dealer_id: int, owner_id: int, changes: dict[str, Any]) -> Owner:
    """Change what stands in FIELDS."""
    names = [name for name in FIELDS if name in changes]
    if names:
        sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(names, 3))
        await connection.execute(
            f"UPDATE owners SET {sets} WHERE dealer_id = $1 AND id = $2",
            dealer_id,
            owner_id,
            *(changes[name] for name in names),
        )
        await notifications.ring_desk(connection, dealer_id, "owner", owner_id)
    return await get(connection, dealer_id, owner_id)


async def on_demo_phone(connection: Connection, dealer_id: int) -> int:
    """How many owners are reached by the demo phone: in a real house, not at all."""
    return int(
        await connection.fetchval("SELECT count(*) FROM owners WHERE dealer_id = $1 AND channel = 'phone'", dealer_id)
    )


async def off_demo_phone(connection: Connection, dealer_id: int, channel: str) -> list[int]:
    """From the demo phone to a channel that leaves the house, whoever has an address there; who that was."""
    needs = "email" if channel == "email" else "phone"
    rows = await connection.fetch(
        f"UPDATE owners SET channel = $2 WHERE dealer_id = $1 AND channel = 'phone' AND {needs} IS NOT NULL "
        "RETURNING id",
        dealer_id,
        channel,
    )
    if rows:
        await notifications.ring_desk(connection, dealer_id, "owner", 0)
    return [row["id"] for row in rows]
