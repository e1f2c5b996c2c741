"""Cars as the desk shows them: a searchable list, and one car whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.moment import from_epoch
from store.pool import Connection, as_dict
from store.readings import FIRST_LEAF, days_between

_LIST = """
SELECT v.id, v.vin, v.title, v.plate, v.profile, v.last_heard_at, v.online, v.enrolled_at, v.revoked_at,
  o.id AS owner_id, o.name AS owner,
    c.id AS case_id, c.state AS case_state, c.severity
FROM vehicles v
LEFT JOIN owners o ON o.dealer_id = v.dealer_id AND o.id = v.owner_id
LEFT JOIN cases c ON c.dealer_id = v.dealer_id AND c.vehicle_id = v.id AND c.state NOT IN ('done', 'dismissed')
WHERE v.dealer_id = $1 AND ($2::bigint[] IS NULL OR v.id = ANY ($2))
    AND ($3 <> 'silent' OR v.last_heard_at IS NULL OR v.last_heard_at < $4)
    AND ($3 <> 'case' OR c.id IS NOT NULL)
    AND ($5::text IS NULL OR (v.title, v.id) > ($5, $6::bigint))
ORDER BY v.title, v.id LIMIT $7
"""
_COUNT = """
SELECT count(*) FROM vehicles v
WHERE v.dealer_id = $1 AND ($2::bigint[] IS NULL OR v.id = ANY ($2))
    AND ($3 <> 'silent' OR v.last_heard_at IS NULL OR v.last_heard_at < $4)
    AND ($3 <> 'case' OR EXISTS (SELECT 1 FROM cases c WHERE c.dealer_id = v.dealer_id AND c.vehicle_id = v.id
      AND c.state NOT IN ('done', 'dismissed')))
"""
_CASES = """
SELECT id, state, severity, title, opened_at, changed_at FROM cases WHERE dealer_id = $1 AND vehicle_id = $2
  ORDER BY id DESC LIMIT 20
"""
_UNIT = "SELECT frontier -> 'units' -> -1 FROM checkpoints WHERE dealer_id = $1 AND vehicle_id = $2"
_BESIDE = "SELECT frontier -> 'beside' FROM checkpoints WHERE dealer_id = $1 AND vehicle_id = $2"
_TAKEN_OVER = """
SELECT t.times, t.last_at FROM tallies t JOIN vehicles v ON v.dealer_id = t.dealer_id AND v.vin = t.subject
WHERE t.dealer_id = $1 AND v.id = $2 AND t.name = 'refused_connect:taken_over' AND t.last_at > $3
    AND t.last_at > coalesce(v.enrolled_at, t.last_at - interval '1 second')
"""
CERTAIN = 30  #: that two units speak, as the gateway counts it (gateway/fleet/units.py)
_GAPS = """
SELECT boot, first_seq, last_seq, opened_at, asked, closed_at, outcome FROM gaps WHERE dealer_id = $1
  AND vehicle_id = $2
ORDER BY closed_at IS NOT NULL, id DESC LIMIT 20
"""
_VALUES = f"""
SELECT extract(epoch FROM r.ts)::float8 AS ts, r.vals[array_position(r.ids, $3::smallint)]::float8 AS value
  FROM readings r
WHERE r.dealer_id = $1 AND r.vehicle_id = $2 AND r.ts >= $4 AND r.ts <= $5 AND (r.day BETWEEN $7 AND $8
  OR r.day < {FIRST_LEAF})
    AND $3::smallint = ANY (r.ids) ORDER BY r.ts DESC LIMIT $6
"""
_CODES = f"""
SELECT diagnostics, ts FROM readings WHERE dealer_id = $1 AND vehicle_id = $2 AND ts >= $3 AND (day >= $4
  OR day < {FIRST_LEAF})
    AND diagnostics IS NOT NULL ORDER BY ts DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class CarRow:
    """One car of the list."""

    id: int
    vin: str
    title: str
    plate: str | None
    profile: str
    last_heard_at: datetime | None
    online: bool
    enrolled_at: datetime | None
    revoked_at: datetime | None
    owner_id: int | None
    owner: str | None
    case_id: int | None
    case_state: str | None
    severity: str | None


@dataclass(frozen=True, slots=True)
class Doubled:
    """Two units with one identity: since when both have spoken and when last, and how often a session was not opened
    because it was opened again and again.
    """

    since: datetime | None
    last: datetime | None
    refused: int
    refused_at: datetime | None


async def cars(
    connection: Connection,
    dealer_id: int,
    *,
    ids: Sequence[int] | None = None,
    which: str = "all",
    silent_since: datetime,
    after: tuple[str, int] | None = None,
    limit: int = 300,
) -> list[CarRow]:
    """Cars by title. `which`: all, silent (nothing heard since `silent_since`) or case (somebody works on it); `ids`:
    no others than these; `after`: (title, id) of the last one that was seen.
    """
    found = await connection.fetch(
        _LIST, dealer_id, _list_of(ids), which, silent_since, *(after or (None, None)), limit
    )
    return [CarRow(**as_dict(row)) for row in found]


async def count(
    connection: Connection, dealer_id: int, *, ids: Sequence[int] | None, which: str, silent_since: datetime
) -> int:
    """How many that is on all pages."""
    return int(await connection.fetchval(_COUNT, dealer_id, _list_of(ids), which, silent_since))


def _list_of(ids: Sequence[int] | None) -> list[int] | None:
    return None if ids is None else list(ids)


async def cases(connection: Connection, dealer_id: int, vehicle_id: int) -> list[dict[str, Any]]:
    return [as_dict(row) for row in await connection.fetch(_CASES, dealer_id, vehicle_id)]


async def unit(connection: Connection, dealer_id: int, vehicle_id: int) -> tuple[datetime, bool] | None:
    """Since when the car speaks with another unit than before, and whether that was enrolled; None: it is its first."""
    found = await connection.fetchval(_UNIT, dealer_id, vehicle_id)
    return (from_epoch(found[1]), bool(found[2])) if found else None


async def two_units(connection: Connection, dealer_id: int, vehicle_id: int, since: datetime) -> Doubled | None:
    """Whether another unit has spoken as this car after `since`, or its session was opened again and again."""
    spoke, row = None, await connection.fetchrow(_TAKEN_OVER, dealer_id, vehicle_id, since)
    beside = await connection.fetchval(_BESIDE, dealer_id, vehicle_id)
    if beside is not None and beside[0] >= CERTAIN and from_epoch(beside[2]) > since:
        spoke = from_epoch(beside[1]), from_epoch(beside[2])
    if spoke is None and row is None:
        return None
    return Doubled(*(spoke or (None, None)), *((row["times"], row["last_at"]) if row else (0, None)))


async def gaps(connection: Connection, dealer_id: int, vehicle_id: int) -> list[dict[str, Any]]:
    """Open gaps first, then how the last ones were closed."""
    return [as_dict(row) for row in await connection.fetch(_GAPS, dealer_id, vehicle_id)]


async def values(
    connection: Connection,
    dealer_id: int,
    vehicle_id: int,
    signal_id: int,
    since: datetime,
    until: datetime,
    limit: int = 20_000,
) -> list[tuple[float, float]]:
    """(epoch seconds, value) of one signal, oldest first; when there are too many, the newest."""
    found = await connection.fetch(
        _VALUES, dealer_id, vehicle_id, signal_id, since, until, limit, *days_between(since, until)
    )
    return [(row["ts"], row["value"]) for row in reversed(found)]


async def codes(
    connection: Connection, dealer_id: int, vehicle_id: int, since: datetime
) -> tuple[datetime, dict[str, Any]] | None:
    """The newest list of trouble codes that the car sent."""
    row = await connection.fetchrow(_CODES, dealer_id, vehicle_id, since, days_between(since, since)[0])
    return (row["ts"], row["diagnostics"]) if row else None
