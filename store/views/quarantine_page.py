"""Quarantine as the desk shows it: how much of what, and each refused message with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.pool import Connection, as_dict
from store.quarantine import Quarantined

_REASONS = """
SELECT reason, count(*) AS kept, sum(times)::bigint AS times, max(received_at) AS last_at,
  count(*) FILTER (WHERE decided IS NULL) AS undecided
FROM quarantine WHERE dealer_id = $1 AND ($2::bigint IS NULL OR vehicle_id = $2) GROUP BY reason ORDER BY times DESC
"""
_ROWS = """
SELECT q.id, q.vehicle_id, q.vin, q.topic, q.payload, q.reason, q.detail, q.boot, q.seq, q.times, q.received_at,
  q.decided, q.decided_by,
    q.decided_at, q.taken_back_at, v.title AS vehicle, v.plate
FROM quarantine q LEFT JOIN vehicles v ON v.dealer_id = q.dealer_id AND v.id = q.vehicle_id
WHERE q.dealer_id = $1 AND ($2 = '' OR q.reason = $2) AND ($3::bigint IS NULL OR q.vehicle_id = $3) AND ($4
  OR q.decided IS NULL) AND ($6::bigint IS NULL OR q.id < $6)
ORDER BY q.id DESC LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class QuarantineRow(Quarantined):
    """One refused message, with the car that it speaks of."""

    taken_back_at: datetime | None
    vehicle: str | None
    plate: str | None


async def reasons(connection: Connection, dealer_id: int, vehicle_id: int | None = None) -> list[dict[str, Any]]:
    """How much was refused for which reason."""
    return [as_dict(row) for row in await connection.fetch(_REASONS, dealer_id, vehicle_id)]


async def rows(
    connection: Connection,
    dealer_id: int,
    *,
    reason: str = "",
    vehicle_id: int | None = None,
    decided: bool = False,
    before: int | None = None,
    limit: int = 100,
) -> list[QuarantineRow]:
    """The newest first; those that a person has decided only when asked for; `before`: older than that one."""
    return [
        QuarantineRow(**as_dict(row))
        for row in await connection.fetch(_ROWS, dealer_id, reason, vehicle_id, decided, limit, before)
    ]
