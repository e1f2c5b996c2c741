"""What time alone makes due, for all dealers: read by the sweeper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.pool import Connection, as_dict

_OFFERS = "SELECT dealer_id, id FROM offers WHERE state = 'open' AND expires_at <= $1 ORDER BY expires_at LIMIT $2"
_SILENT = """
SELECT v.id, v.dealer_id, v.last_heard_at, a.episode, a.step, a.state, a.severity FROM vehicles v
LEFT JOIN LATERAL (SELECT episode, step, state, severity FROM alerts
                   WHERE dealer_id = v.dealer_id AND vehicle_id = v.id AND rule = $1 AND component = ''
                     ORDER BY episode DESC LIMIT 1) a ON true
WHERE v.enrolled_at IS NOT NULL AND v.revoked_at IS NULL AND v.last_heard_at IS NOT NULL
  AND (v.last_heard_at <= $2 OR a.state IN ('pending', 'active')) AND v.id > $3
ORDER BY v.id LIMIT $4
"""
_UNHEARD = """
SELECT b.dealer_id, b.id AS booking_id, b.case_id, o.name AS owner, v.title AS vehicle, coalesce(b.last_word_at,
  b.starts_at) AS since
FROM bookings b JOIN dealers d ON d.id = b.dealer_id JOIN cases c ON c.dealer_id = b.dealer_id AND c.id = b.case_id
JOIN owners o ON o.dealer_id = b.dealer_id AND o.id = c.owner_id JOIN vehicles v ON v.dealer_id = b.dealer_id
  AND v.id = b.vehicle_id
WHERE b.kind = 'waiting' AND b.state IN ('arrived', 'working')
  AND coalesce(b.last_word_at, b.starts_at) <= $1::timestamptz - make_interval(mins => d.waiting_word_minutes)
  AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.dealer_id = b.dealer_id AND m.case_id = b.case_id
    AND m.kind = 'staff_silence'
                  AND m.queued_at > coalesce(b.last_word_at, b.starts_at))
ORDER BY since LIMIT 100
"""
_UNTOLD = """
SELECT l.dealer_id, l.id AS leg_id, l.driver_id, b.case_id, CASE WHEN b.kind = 'tow' AND l.kind = 'collect' THEN 'tow'
  ELSE l.kind END AS kind, l.address, l.starts_at, l.ends_at, v.title AS vehicle, v.plate
FROM legs l JOIN bookings b ON b.dealer_id = l.dealer_id AND b.id = l.booking_id
  JOIN vehicles v ON v.dealer_id = b.dealer_id AND v.id = b.vehicle_id
WHERE l.state = 'planned' AND l.driver_id IS NOT NULL AND l.ends_at > $1
  AND NOT EXISTS (SELECT 1 FROM messages m
    WHERE m.reference IN ('staff_leg-' || l.id || '-' || l.driver_id,
    'staff_leg-' || l.id || '-' || l.driver_id || '-' || extract(epoch FROM l.starts_at)::bigint))
ORDER BY l.starts_at LIMIT 100 FOR UPDATE OF l SKIP LOCKED
"""
_WAYS = """
SELECT l.dealer_id, l.id AS leg_id, d.place AS house, l.place FROM legs l JOIN dealers d ON d.id = l.dealer_id
WHERE l.state = 'planned' AND d.place <> '' AND l.place <> '' AND l.ends_at > $1
  AND (l.travel_by IS NULL OR l.travel_by = ANY($2::text[]))
ORDER BY l.dealer_id, l.starts_at, l.id LIMIT $3
"""
_WAY = """
UPDATE legs SET travel_minutes = $4, travel_by = $5
WHERE dealer_id = $1 AND id = $2 AND state = 'planned' AND place = $3
"""
_LINES = "SELECT address FROM senders WHERE channel = ANY($1::text[]) ORDER BY address"
_HEARD = "SELECT provider_id FROM replies WHERE channel = 'sms' AND provider_id = ANY($1::text[])"
_LAST_HEARD = "SELECT last_heard_at FROM vehicles WHERE id = $1"
_UNREAD = "SELECT needs_reading FROM threads WHERE dealer_id = $1 AND owner_id = $2"


@dataclass(frozen=True, slots=True)
class Way:
    """A drive ahead of which nobody knows yet how long it takes to get there, or only by estimate."""

    dealer_id: int
    leg_id: int
    house: str
    place: str


@dataclass(frozen=True, slots=True)
class Silent:
    """A car that has not been heard for long, and what stands about it."""

    id: int
    dealer_id: int
    last_heard_at: datetime
    episode: int | None
    step: int | None
    state: str | None
    severity: str | None


@dataclass(frozen=True, slots=True)
class Unheard:
    """A customer in the lounge who has not heard from us for longer than the dealer allows."""

    dealer_id: int
    booking_id: int
    case_id: int
    owner: str
    vehicle: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Untold:
    """A drive whose driver does not know of it yet."""

    dealer_id: int
    leg_id: int
    driver_id: int
    case_id: int
    kind: str
    address: str
    starts_at: datetime
    ends_at: datetime
    vehicle: str
    plate: str | None

    @property
    def reference(self) -> str:
        """The name of the text: one for each drive, driver and time. The name without the time is an older one."""
        return f"staff_leg-{self.leg_id}-{self.driver_id}-{self.starts_at.timestamp():.0f}"


async def untold(connection: Connection, now: datetime) -> list[Untold]:
    """Drives ahead of which their driver was not told; locked, the next first."""
    return [Untold(**as_dict(row)) for row in await connection.fetch(_UNTOLD, now)]


async def unheard(connection: Connection, now: datetime) -> list[Unheard]:
    """Those about whom nobody has been told yet."""
    return [Unheard(**as_dict(row)) for row in await connection.fetch(_UNHEARD, now)]


async def ways(connection: Connection, now: datetime, worse: tuple[str, ...], limit: int = 100) -> list[Way]:
    """Of all dealers, the next first; `worse`: whose word is to be replaced."""
    return [Way(**as_dict(row)) for row in await connection.fetch(_WAYS, now, list(worse), limit)]


async def keep_way(connection: Connection, way: Way, minutes: int | None, by: str) -> None:
    """So long it takes, as `by` says; None: there is no road."""
    await connection.execute(_WAY, way.dealer_id, way.leg_id, way.place, minutes, by)


async def lines(connection: Connection, channels: tuple[str, ...]) -> list[str]:
    """The numbers that owners answer to on these channels."""
    return [row["address"] for row in await connection.fetch(_LINES, list(channels))]


async def heard(connection: Connection, provider_ids: list[str]) -> set[str]:
    """Which of these texts are stored."""
    return {row["provider_id"] for row in await connection.fetch(_HEARD, provider_ids)}


async def expired_offers(connection: Connection, now: datetime, limit: int = 100) -> list[tuple[int, int]]:
    """(dealer, offer) whose hold has run out unanswered."""
    return [(row["dealer_id"], row["id"]) for row in await connection.fetch(_OFFERS, now, limit)]


async def silent(
    connection: Connection, rule: str, heard_before: datetime, after: int, limit: int = 500
) -> list[Silent]:
    """Cars not heard since `heard_before`, and those whose silence is an open alert, by id from `after` on."""
    return [Silent(**as_dict(row)) for row in await connection.fetch(_SILENT, rule, heard_before, after, limit)]


async def last_heard(connection: Connection, vehicle_id: int) -> datetime | None:
    """When a car was last heard."""
    found: datetime | None = await connection.fetchval(_LAST_HEARD, vehicle_id)
    return found


async def has_unread(connection: Connection, dealer_id: int, owner_id: int) -> bool:
    """Whether this owner wrote something that nobody has read yet."""
    return bool(await connection.fetchval(_UNREAD, dealer_id, owner_id))
