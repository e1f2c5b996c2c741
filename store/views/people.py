"""Owners and staff as the desk lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.pool import Connection, as_dict

_OWNERS = """
SELECT o.id, o.name, o.phone, o.email, o.channel, o.language, o.stopped_at, coalesce(t.needs_reading, false) AS unread,
  t.last_in_at,
    (SELECT string_agg(v.title, ', ' ORDER BY v.title) FROM vehicles v WHERE v.dealer_id = o.dealer_id
      AND v.owner_id = o.id) AS cars,
    (SELECT c.given FROM consents c WHERE c.dealer_id = o.dealer_id AND c.owner_id = o.id AND c.purpose = 'service'
      ORDER BY c.id DESC LIMIT 1) AS service
FROM owners o LEFT JOIN threads t ON t.dealer_id = o.dealer_id AND t.owner_id = o.id
WHERE o.dealer_id = $1 AND ($2::bigint[] IS NULL OR o.id = ANY ($2)) AND ($3 <> 'unread' OR t.needs_reading)
  AND ($4::text IS NULL OR (o.name, o.id) > ($4, $5::bigint))
ORDER BY o.name, o.id LIMIT $6
"""
_COUNT = """
SELECT count(*) FROM owners o WHERE o.dealer_id = $1 AND ($2::bigint[] IS NULL OR o.id = ANY ($2))
  AND ($3 <> 'unread' OR EXISTS (SELECT 1 FROM threads t WHERE t.dealer_id = o.dealer_id AND t.owner_id = o.id
    AND t.needs_reading))
"""
_CARS = (
    "SELECT id, title, plate, vin, last_heard_at FROM vehicles WHERE dealer_id = $1 AND owner_id = $2 ORDER BY title"
)
_CASES = """
SELECT c.id, c.state, c.severity, c.title, c.opened_at, v.title AS vehicle FROM cases c
JOIN vehicles v ON v.dealer_id = c.dealer_id AND v.id = c.vehicle_id
WHERE c.dealer_id = $1 AND coalesce(c.owner_id, v.owner_id) = $2 ORDER BY c.id DESC LIMIT 20
"""
_STAFF = """
SELECT s.id, s.name, s.email, s.phone, s.role, s.language, s.created_at, s.disabled_at,
  s.joined_at IS NOT NULL AS joined,
    (SELECT count(*) FROM cases c WHERE c.dealer_id = s.dealer_id AND c.assignee_id = s.id
      AND c.state NOT IN ('done', 'dismissed')) AS cases
FROM staff s WHERE s.dealer_id = $1 ORDER BY s.disabled_at IS NOT NULL, s.role, s.name
"""


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """One owner of the list."""

    id: int
    name: str
    phone: str | None
    email: str | None
    channel: str
    language: str
    stopped_at: datetime | None
    unread: bool
    last_in_at: datetime | None
    cars: str | None
    service: bool | None  #: the newest word on service texts; None: never asked


async def owners(
    connection: Connection,
    dealer_id: int,
    *,
    ids: Sequence[int] | None = None,
    which: str = "all",
    after: tuple[str, int] | None = None,
    limit: int = 300,
) -> list[OwnerRow]:
    """Owners by name. `ids`: no others than these; `after`: (name, id) of the last one that was seen."""
    given = None if ids is None else list(ids)
    return [
        OwnerRow(**as_dict(row))
        for row in await connection.fetch(_OWNERS, dealer_id, given, which, *(after or (None, None)), limit)
    ]


async def count(connection: Connection, dealer_id: int, *, ids: Sequence[int] | None, which: str) -> int:
    """How many that is on all pages."""
    return int(await connection.fetchval(_COUNT, dealer_id, None if ids is None else list(ids), which))


async def cars(connection: Connection, dealer_id: int, owner_id: int) -> list[dict[str, Any]]:
    return [as_dict(row) for row in await connection.fetch(_CARS, dealer_id, owner_id)]


async def cases(connection: Connection, dealer_id: int, owner_id: int) -> list[dict[str, Any]]:
    return [as_dict(row) for row in await connection.fetch(_CASES, dealer_id, owner_id)]


async def staff(connection: Connection, dealer_id: int) -> list[dict[str, Any]]:
    """This dealer's people and how many open cases each owns."""
    return [as_dict(row) for row in await connection.fetch(_STAFF, dealer_id)]
