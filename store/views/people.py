"""Owners and staff as the desk lists them."""

from __future__ import annotations

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
WHERE o.dealer_id = $1 AND ($2 = '' OR o.name ILIKE $3 OR o.phone ILIKE $3 OR o.email ILIKE $3) AND ($4 <> 'unread'
  OR t.needs_reading)
ORDER BY coalesce(t.needs_reading, false) DESC, o.name, o.id LIMIT $5
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
    connection: Connection, dealer_id: int, *, search: str = "", which: str = "all", limit: int = 300
) -> list[OwnerRow]:
    """Those who wrote something unread come first."""
    literal = search.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return [
        OwnerRow(**as_dict(row))
        for row in await connection.fetch(_OWNERS, dealer_id, search, f"%{literal}%", which, limit)
    ]


async def cars(connection: Connection, dealer_id: int, owner_id: int) -> list[dict[str, Any]]:
    return [as_dict(row) for row in await connection.fetch(_CARS, dealer_id, owner_id)]


async def cases(connection: Connection, dealer_id: int, owner_id: int) -> list[dict[str, Any]]:
    return [as_dict(row) for row in await connection.fetch(_CASES, dealer_id, owner_id)]


async def staff(connection: Connection, dealer_id: int) -> list[dict[str, Any]]:
    """This dealer's people and how many open cases each owns."""
    return [as_dict(row) for row in await connection.fetch(_STAFF, dealer_id)]
