"""Visits and drives of a span, as a calendar shows them: no owner's name, number or words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.pool import Connection, as_dict

_DRIVES = """
SELECT l.id, l.kind, l.state, l.starts_at, l.ends_at, l.changed_at, l.address, v.title AS vehicle, v.plate,
    s.name AS driver
FROM legs l JOIN bookings b ON b.dealer_id = l.dealer_id AND b.id = l.booking_id
JOIN vehicles v ON v.dealer_id = b.dealer_id AND v.id = b.vehicle_id
LEFT JOIN staff s ON s.dealer_id = l.dealer_id AND s.id = l.driver_id
WHERE l.dealer_id = $1 AND l.starts_at >= $2 AND l.starts_at < $3 AND ($4::bigint IS NULL OR l.driver_id = $4)
ORDER BY l.starts_at, l.id LIMIT 2000
"""
_VISITS = """
SELECT b.id, b.kind, b.state, b.starts_at, b.ends_at, v.title AS vehicle, v.plate,
    coalesce((SELECT max(h.at) FROM history h WHERE h.dealer_id = b.dealer_id AND h.noun = 'booking'
        AND h.subject_id = b.id), b.made_at) AS changed_at
FROM bookings b JOIN vehicles v ON v.dealer_id = b.dealer_id AND v.id = b.vehicle_id
WHERE b.dealer_id = $1 AND b.starts_at >= $2 AND b.starts_at < $3 ORDER BY b.starts_at, b.id LIMIT 2000
"""


@dataclass(frozen=True, slots=True)
class DriveRow:
    """One drive."""

    id: int
    kind: str
    state: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    address: str
    vehicle: str
    plate: str | None
    driver: str | None


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit."""

    id: int
    kind: str
    state: str
    starts_at: datetime
    ends_at: datetime
    vehicle: str
    plate: str | None
    changed_at: datetime


async def drives(
    connection: Connection, dealer_id: int, since: datetime, until: datetime, driver_id: int | None
) -> list[DriveRow]:
    """Of one driver, or of all."""
    return [DriveRow(**as_dict(row)) for row in await connection.fetch(_DRIVES, dealer_id, since, until, driver_id)]


async def visits(connection: Connection, dealer_id: int, since: datetime, until: datetime) -> list[VisitRow]:
    """All of the house."""
    return [VisitRow(**as_dict(row)) for row in await connection.fetch(_VISITS, dealer_id, since, until)]
