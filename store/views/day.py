"""One day of collections and returns, and the customers in the lounge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.alerts import STANDING
from store.pool import Connection, as_dict

_LEGS = f"""
SELECT l.id, l.booking_id, l.kind, l.state, l.driver_id, s.name AS driver, l.address, l.starts_at, l.ends_at,
  l.changed_at,
    b.case_id, b.state AS booking_state, b.kind AS booking_kind, b.vehicle_id, v.title AS vehicle, v.plate,
      o.name AS owner, o.phone, c.severity,
    {STANDING} AS standing
FROM legs l
JOIN bookings b ON b.dealer_id = l.dealer_id AND b.id = l.booking_id
JOIN vehicles v ON v.dealer_id = b.dealer_id AND v.id = b.vehicle_id
JOIN cases c ON c.dealer_id = b.dealer_id AND c.id = b.case_id
LEFT JOIN owners o ON o.dealer_id = c.dealer_id AND o.id = coalesce(c.owner_id, v.owner_id)
LEFT JOIN staff s ON s.dealer_id = l.dealer_id AND s.id = l.driver_id
WHERE l.dealer_id = $1 AND l.state <> 'cancelled' AND (l.starts_at >= $2 AND l.starts_at < $3
    OR $4 AND (l.state IN ('on_the_way', 'collected', 'on_the_way_back', 'at_car')
      OR l.state = 'planned' AND l.starts_at < $2))
  ORDER BY l.starts_at, l.id
"""
_NEXT = """
SELECT min(starts_at) FROM legs WHERE dealer_id = $1 AND starts_at >= $2
  AND state NOT IN ('cancelled', 'at_workshop', 'handed_over')
"""
_VISITS = """
SELECT b.id, b.kind, b.state, b.case_id, b.starts_at, b.ends_at, b.ready_by, b.last_word_at, v.id AS vehicle_id,
  v.title AS vehicle, v.plate,
    o.name AS owner, o.phone, o.language, o.zone, c.severity, c.title, s.name AS assignee, coalesce(t.needs_reading,
      false) AS unread,
    (SELECT min(h.at) FROM history h WHERE h.dealer_id = b.dealer_id AND h.noun = 'booking' AND h.subject_id = b.id
      AND h.new = 'arrived') AS arrived_at
FROM bookings b
JOIN vehicles v ON v.dealer_id = b.dealer_id AND v.id = b.vehicle_id
JOIN cases c ON c.dealer_id = b.dealer_id AND c.id = b.case_id
LEFT JOIN owners o ON o.dealer_id = c.dealer_id AND o.id = coalesce(c.owner_id, v.owner_id)
LEFT JOIN staff s ON s.dealer_id = c.dealer_id AND s.id = c.assignee_id
LEFT JOIN threads t ON t.dealer_id = c.dealer_id AND t.owner_id = o.id
WHERE b.dealer_id = $1 AND b.state <> 'cancelled' AND {which} ORDER BY {order}, b.id
"""
_DAY = _VISITS.format(
    which="b.kind IN ('drop_off', 'waiting', 'shuttle') AND b.starts_at >= $2 AND b.starts_at < $3", order="b.starts_at"
)
_BOOKED = _VISITS.format(which="b.starts_at >= $2 AND b.starts_at < $3", order="b.starts_at")
_LOUNGE = _VISITS.format(
    which="b.kind = 'waiting' AND b.state IN ('arrived', 'working', 'ready')",
    order="coalesce(b.last_word_at, b.starts_at)",
)
_DRIVERS = """
SELECT s.id, s.name FROM staff s WHERE s.dealer_id = $1 AND s.role = 'driver' AND s.disabled_at IS NULL ORDER BY s.name
"""


@dataclass(frozen=True, slots=True)
class LegRow:
    """One drive of the day with all that its driver needs."""

    id: int
    booking_id: int
    kind: str
    state: str
    driver_id: int | None
    driver: str | None
    address: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    case_id: int
    booking_state: str
    booking_kind: str
    vehicle_id: int
    vehicle: str
    plate: str | None
    owner: str | None
    phone: str | None
    severity: str
    standing: list[list[str]]  #: as store.alerts.STANDING


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A customer who comes by, or who waits here."""

    id: int
    kind: str
    state: str
    case_id: int
    starts_at: datetime
    ends_at: datetime
    ready_by: datetime | None
    last_word_at: datetime | None
    vehicle_id: int
    vehicle: str
    plate: str | None
    owner: str | None
    phone: str | None
    language: str | None
    zone: str | None
    severity: str
    title: str
    assignee: str | None
    unread: bool
    arrived_at: datetime | None


async def legs(
    connection: Connection, dealer_id: int, day_from: datetime, day_to: datetime, *, under_way: bool = False
) -> list[LegRow]:
    """The drives that begin in this span, in their order; with `under_way` also those that somebody is driving now, and
    those of days before that nobody has begun.
    """
    return [LegRow(**as_dict(row)) for row in await connection.fetch(_LEGS, dealer_id, day_from, day_to, under_way)]


async def next_drive(connection: Connection, dealer_id: int, since: datetime) -> datetime | None:
    """When the next drive after `since` begins."""
    found: datetime | None = await connection.fetchval(_NEXT, dealer_id, since)
    return found


async def booked(connection: Connection, dealer_id: int, since: datetime, until: datetime) -> list[VisitRow]:
    """Every visit that begins between two instants, however the car comes."""
    return [VisitRow(**as_dict(row)) for row in await connection.fetch(_BOOKED, dealer_id, since, until)]


async def visits(connection: Connection, dealer_id: int, day_from: datetime, day_to: datetime) -> list[VisitRow]:
    """The customers who bring their car themselves in this span."""
    return [VisitRow(**as_dict(row)) for row in await connection.fetch(_DAY, dealer_id, day_from, day_to)]


async def lounge(connection: Connection, dealer_id: int) -> list[VisitRow]:
    """The customers who wait here now; who has heard nothing the longest comes first."""
    return [VisitRow(**as_dict(row)) for row in await connection.fetch(_LOUNGE, dealer_id)]


async def drivers(connection: Connection, dealer_id: int) -> dict[int, str]:
    return {row["id"]: row["name"] for row in await connection.fetch(_DRIVERS, dealer_id)}
