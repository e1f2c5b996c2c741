"""The time of bays, drivers, loaners and trucks in a span, with the visit that takes it; and what is overdue now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.pool import Connection, as_dict

_ABOUT = "v.title AS vehicle, v.plate, o.name AS owner, o.phone"
_BLOCKS = f"""
SELECT s.id, s.resource_id, r.kind, r.name AS resource, s.use, s.state, lower(s.during) AS starts_at,
  upper(s.during) AS ends_at, s.booking_id,
    b.kind AS booking_kind, b.state AS booking_state, b.ready_by, c.id AS case_id, {_ABOUT}
FROM slots s
JOIN resources r ON r.dealer_id = s.dealer_id AND r.id = s.resource_id
LEFT JOIN bookings b ON b.dealer_id = s.dealer_id AND b.id = s.booking_id
LEFT JOIN offers f ON f.dealer_id = s.dealer_id AND f.id = s.offer_id
LEFT JOIN cases c ON c.dealer_id = s.dealer_id AND c.id = coalesce(b.case_id, f.case_id)
LEFT JOIN vehicles v ON v.dealer_id = s.dealer_id AND v.id = c.vehicle_id
LEFT JOIN owners o ON o.dealer_id = s.dealer_id AND o.id = coalesce(c.owner_id, v.owner_id)
WHERE s.dealer_id = $1 AND s.during && tstzrange($2, $3) AND (s.state = 'booked' OR s.state = 'held'
  AND s.expires_at > $4)
ORDER BY r.kind, r.name, lower(s.during), s.id LIMIT 2000
"""
_OVERDUE = f"""
SELECT b.id AS booking_id, b.case_id, late.what, late.since, late.movable, {_ABOUT}
FROM (
    SELECT dealer_id, id, CASE WHEN state = 'agreed' THEN 'bring' ELSE 'ready' END AS what, CASE
      WHEN state = 'agreed' THEN ends_at ELSE ready_by END AS since, true AS movable
    FROM bookings WHERE dealer_id = $1 AND (
      state = 'agreed' AND kind IN ('drop_off', 'waiting', 'shuttle') AND ends_at <= $2
      OR state IN ('arrived', 'working') AND ready_by <= $2)
    UNION ALL
    SELECT dealer_id, booking_id, kind, ends_at, state = 'planned' FROM legs WHERE dealer_id = $1 AND ends_at <= $2
      AND state IN ('planned', 'on_the_way', 'collected', 'on_the_way_back')
    UNION ALL
    SELECT o.dealer_id, o.booking_id, 'loaner', coalesce((SELECT max(h.at) FROM history h WHERE h.dealer_id = $1
        AND h.noun = 'booking' AND h.subject_id = o.booking_id AND h.new IN ('completed', 'cancelled')), o.recorded_at),
        false
    FROM handovers o JOIN bookings d ON d.dealer_id = o.dealer_id AND d.id = o.booking_id
    WHERE o.dealer_id = $1 AND o.kind = 'loaner_out' AND d.state IN ('completed', 'cancelled')
      AND NOT EXISTS (SELECT FROM handovers i WHERE i.dealer_id = $1 AND i.booking_id = o.booking_id
                      AND i.kind = 'loaner_in')
    UNION ALL
    SELECT b.dealer_id, b.id, 'labour', b.starts_at, true FROM bookings b WHERE b.dealer_id = $1 AND b.state = 'agreed'
      AND EXISTS (SELECT FROM slots s WHERE s.dealer_id = $1 AND s.booking_id = b.id AND s.use = 'labour')
      AND NOT EXISTS (SELECT FROM slots s WHERE s.dealer_id = $1 AND s.booking_id = b.id AND s.use = 'labour'
        AND s.state = 'booked')
    UNION ALL
    SELECT dealer_id, booking_id, 'wait', due_at, true FROM pauses WHERE dealer_id = $1 AND state = 'open'
      AND due_at <= $2
    UNION ALL
    SELECT s.dealer_id, s.booking_id, 'loaner', max(upper(s.during)), false FROM slots s WHERE s.dealer_id = $1
      AND s.use = 'loaner' AND s.state = 'booked'
    GROUP BY s.dealer_id, s.booking_id HAVING max(upper(s.during)) <= $2
) AS late (dealer_id, booking_id, what, since, movable)
JOIN bookings b ON b.dealer_id = late.dealer_id AND b.id = late.booking_id
JOIN cases c ON c.dealer_id = b.dealer_id AND c.id = b.case_id
JOIN vehicles v ON v.dealer_id = b.dealer_id AND v.id = b.vehicle_id
LEFT JOIN owners o ON o.dealer_id = c.dealer_id AND o.id = coalesce(c.owner_id, v.owner_id)
ORDER BY late.since, b.id LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class BlockRow:
    """A piece of one resource's time: booked, or held for an offer."""

    id: int
    resource_id: int
    kind: str
    resource: str
    use: str
    state: str
    starts_at: datetime
    ends_at: datetime
    booking_id: int | None
    booking_kind: str | None
    booking_state: str | None
    ready_by: datetime | None
    case_id: int | None
    vehicle: str | None
    plate: str | None
    owner: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class OverdueRow:
    """Something whose time has passed: `what` is collect, bring, visit, ready, return, loaner, wait or labour."""

    booking_id: int
    case_id: int
    what: str
    since: datetime
    movable: bool  #: another time can still be chosen; a driver who is under way is rung
    vehicle: str
    plate: str | None
    owner: str | None
    phone: str | None


async def blocks(
    connection: Connection, dealer_id: int, since: datetime, until: datetime, now: datetime
) -> list[BlockRow]:
    """What is taken between two instants, by kind of resource and its name."""
    return [BlockRow(**as_dict(row)) for row in await connection.fetch(_BLOCKS, dealer_id, since, until, now)]


async def overdue(connection: Connection, dealer_id: int, now: datetime) -> list[OverdueRow]:
    """What should have happened by now and has not; the longest first."""
    return [OverdueRow(**as_dict(row)) for row in await connection.fetch(_OVERDUE, dealer_id, now)]
