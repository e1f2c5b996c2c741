"""What time alone makes due, for all dealers: read by the sweeper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.pool import Connection, as_dict

_OFFERS = "SELECT dealer_id, id FROM offers WHERE state = 'open' AND expires_at <= $1 ORDER BY expires_at LIMIT $2"
_SILENT = """
SELECT v.id, v.dealer_id, v.last_heard_at, a.episode, a.step, a.state, a.severity FROM vehicles v
LEFT JOIN LATERAL (SELECT episode, step, state, severity FROM alerts
                   WHERE dealer_id = v.dealer_id AND vehicle_id = v.id AND rule = $1 AND component = '' ORDER BY episode DESC LIMIT 1) a ON true
WHERE v.enrolled_at IS NOT NULL AND v.revoked_at IS NULL AND v.last_heard_at IS NOT NULL
  AND (v.last_heard_at <= $2 OR a.state IN ('pending', 'active')) AND v.id > $3
ORDER BY v.id LIMIT $4
"""
_LAST_HEARD = "SELECT last_heard_at FROM vehicles WHERE id = $1"
_UNREAD = "SELECT needs_reading FROM threads WHERE dealer_id = $1 AND owner_id = $2"


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


async def expired_offers(connection: Connection, now: datetime, limit: int = 100) -> list[tuple[int, int]]:
    """(dealer, offer) whose hold has run out unanswered."""
    return [(row["dealer_id"], row["id"]) for row in await connection.fetch(_OFFERS, now, limit)]


async def silent(connection: Connection, rule: str, heard_before: datetime, after: int, limit: int = 500) -> list[Silent]:
    """Cars not heard since `heard_before`, and those whose silence is an open alert, by id from `after` on."""
    return [Silent(**as_dict(row)) for row in await connection.fetch(_SILENT, rule, heard_before, after, limit)]


async def last_heard(connection: Connection, vehicle_id: int) -> datetime | None:
    """When a car was last heard."""
    found: datetime | None = await connection.fetchval(_LAST_HEARD, vehicle_id)
    return found


async def has_unread(connection: Connection, dealer_id: int, owner_id: int) -> bool:
    """Whether this owner wrote something that nobody has read yet."""
    return bool(await connection.fetchval(_UNREAD, dealer_id, owner_id))
