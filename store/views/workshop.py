"""The cars in the building and those that come today, with their bay, what they say, and what their work waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.pool import Connection, as_dict

_CARS = """
SELECT b.id, b.case_id, b.kind, b.state, b.starts_at, b.ends_at, b.ready_by, b.finding, v.id AS vehicle_id,
  v.title AS vehicle, v.plate, c.title, c.note, c.severity,
    (SELECT r.name FROM slots s JOIN resources r ON r.dealer_id = s.dealer_id AND r.id = s.resource_id
      WHERE s.dealer_id = b.dealer_id AND s.booking_id = b.id AND s.use = 'work' AND s.state = 'booked'
      ORDER BY (s.during @> $2::timestamptz) DESC, lower(s.during) DESC LIMIT 1) AS bay,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(a.rule, a.component, a.severity, a.because) ORDER BY
        array_position(ARRAY['now', 'soon', 'advice'], a.severity), a.id), '[]') FROM alerts a
        WHERE a.dealer_id = b.dealer_id AND a.case_id = c.id AND a.state <> 'withdrawn' AND NOT a.shadow) AS alerts,
    (SELECT min(h.at) FROM history h WHERE h.dealer_id = b.dealer_id AND h.noun = 'booking' AND h.subject_id = b.id
      AND h.new = CASE b.state WHEN 'working' THEN 'working' WHEN 'ready' THEN 'ready' ELSE 'arrived' END) AS since,
    (SELECT jsonb_build_object('id', l.id, 'state', l.state, 'driver_id', l.driver_id, 'driver', s.name,
        'address', l.address) FROM legs l LEFT JOIN staff s ON s.dealer_id = l.dealer_id AND s.id = l.driver_id
      WHERE l.dealer_id = b.dealer_id AND l.booking_id = b.id AND l.kind = 'visit' AND l.state <> 'cancelled') AS road,
    p.awaits, p.what, p.due_at, p.made_at AS paused_at
FROM bookings b
JOIN vehicles v ON v.dealer_id = b.dealer_id AND v.id = b.vehicle_id
JOIN cases c ON c.dealer_id = b.dealer_id AND c.id = b.case_id
LEFT JOIN pauses p ON p.dealer_id = b.dealer_id AND p.booking_id = b.id AND p.state = 'open'
WHERE b.dealer_id = $1 AND (b.state IN ('arrived', 'working', 'ready')
  OR b.state = 'agreed' AND b.starts_at < $3)
ORDER BY coalesce(p.due_at, b.ready_by, b.starts_at), b.id LIMIT 500
"""


@dataclass(frozen=True, slots=True)
class CarRow:
    """One car that is here, or is expected."""

    id: int  #: of its visit
    case_id: int
    kind: str
    state: str
    starts_at: datetime
    ends_at: datetime
    ready_by: datetime | None
    finding: str | None
    vehicle_id: int
    vehicle: str
    plate: str | None
    title: str
    note: str
    severity: str
    bay: str | None
    alerts: list[list[str]]  #: [rule, component, severity, because], the most urgent first
    since: datetime | None  #: when it came to where it is now
    road: dict[str, Any] | None  #: of a mobile repair: the way to the car, its id, state, driver and address
    awaits: str | None
    what: str | None
    due_at: datetime | None
    paused_at: datetime | None


async def cars(connection: Connection, dealer_id: int, now: datetime, day_to: datetime) -> list[CarRow]:
    """Those in the building, and those that should come before `day_to`; whose time is first comes first."""
    return [CarRow(**as_dict(row)) for row in await connection.fetch(_CARS, dealer_id, now, day_to)]
