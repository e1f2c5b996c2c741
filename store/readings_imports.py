"""Imports of history: how far each file has come, and what its cars need once it is in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from schemas.alert import AlertState
from schemas.mapping import Progress, ReadingsImport, Refusals
from schemas.reading import Mark, Reading
from store import notifications
from store.pool import Connection
from store.readings import _ROW, FIRST_LEAF, _reading

_BEGIN = """
INSERT INTO readings_imports (dealer_id, fingerprint, file, started_at) VALUES ($1, $2, $3, $4)
  ON CONFLICT (dealer_id, fingerprint) DO NOTHING
"""
_OF = """
SELECT id, dealer_id, file, fingerprint, started_at, done_at, records, stored, known, late, refused
  FROM readings_imports
WHERE dealer_id = $1 AND fingerprint = $2
"""
_ADVANCE = "UPDATE readings_imports SET records = $2, stored = $3, known = $4, late = $5, refused = $6 WHERE id = $1"
_DONE = "UPDATE readings_imports SET done_at = $2 WHERE id = $1 AND done_at IS NULL RETURNING id"
_PLATES = """
SELECT upper(regexp_replace(plate, '[^[:alnum:]]', '', 'g')) AS plate, vin FROM vehicles
WHERE dealer_id = $1 AND upper(regexp_replace(plate, '[^[:alnum:]]', '', 'g')) = ANY($2::text[])
"""
# Above a checkpoint no ordinary row is of a day before its own, so only the leaves of some days are looked at for each
# car.
_NEWEST = f"""
SELECT {_ROW} FROM unnest($1::bigint[]) AS n (vehicle) JOIN checkpoints c ON c.vehicle_id = n.vehicle CROSS
  JOIN LATERAL (
    SELECT * FROM readings WHERE vehicle_id = n.vehicle AND boot = -1 AND seq > 0 AND day BETWEEN c.day AND c.day + 2
      AND day >= {FIRST_LEAF}
    AND mark & {int(Mark.IMPORTED)} <> 0 ORDER BY ts DESC LIMIT 30
) AS r
"""
# What stands at the end, and what people know of already: they are told once, as something late.
_WAKE = """
WITH told AS (
    SELECT id, dealer_id, jsonb_build_object('state', state, 'severity', severity, 'late', true) AS payload FROM alerts
    WHERE dealer_id = $1 AND vehicle_id = ANY($2::bigint[]) AND received_at >= $3 AND NOT shadow AND (state = $4
      OR case_id IS NOT NULL) ORDER BY id
), woken AS (
    INSERT INTO wakeups (dealer_id, topic, subject_id, payload, due_at) SELECT dealer_id, 'alert', id, payload, $5
      FROM told RETURNING id
)
SELECT count(*) FROM woken
"""
_ACTIVE = """
SELECT count(*) FROM alerts WHERE dealer_id = $1 AND vehicle_id = ANY($2::bigint[]) AND received_at >= $3 AND NOT shadow
  AND state = $4
"""


async def begin(connection: Connection, dealer_id: int, fingerprint: str, file: str, now: datetime) -> ReadingsImport:
    """The import of this file with this mapping: a new one, or as far as it came before."""
    await connection.execute(_BEGIN, dealer_id, fingerprint, file, now)
    row = await connection.fetchrow(_OF, dealer_id, fingerprint)
    progress = Progress(
        row["id"],
        row["records"],
        stored=row["stored"],
        known=row["known"],
        late=row["late"],
        refused=Refusals(row["refused"]),
    )
    return ReadingsImport(
        row["dealer_id"],
        row["file"],
        fingerprint=row["fingerprint"],
        started_at=row["started_at"],
        done_at=row["done_at"],
        progress=progress,
    )


async def advance(connection: Connection, to: Progress) -> None:
    """In the transaction that stores these rows."""
    await connection.execute(_ADVANCE, to.id, to.records, to.stored, to.known, to.late, to.refused.reasons)


async def done(connection: Connection, one: ReadingsImport, vehicles: Sequence[int], now: datetime) -> int:
    """It is in: what its cars are ill of at the end comes before the desk, all at once.

    Returns how many alerts stand.
    """
    async with connection.transaction():
        if await connection.fetchval(_DONE, one.progress.id, now) is not None:
            woken = await connection.fetchval(
                _WAKE, one.dealer_id, list(vehicles), one.started_at, AlertState.ACTIVE.value, now
            )
            if woken:
                await notifications.ring(connection, notifications.JOBS, topic="alert")
    return int(
        await connection.fetchval(_ACTIVE, one.dealer_id, list(vehicles), one.started_at, AlertState.ACTIVE.value)
    )


async def by_plates(connection: Connection, dealer_id: int, plates: Sequence[str]) -> list[tuple[str, str]]:
    """(plate, VIN) of the dealer's cars with these plates, which are compared by their letters and digits alone."""
    return [(row["plate"], row["vin"]) for row in await connection.fetch(_PLATES, dealer_id, list(plates))]


async def newest(connection: Connection, vehicles: Sequence[int]) -> list[Reading]:
    """The newest imported rows of these cars, which stand at their checkpoint or above it."""
    return [_reading(row) for row in await connection.fetch(_NEWEST, list(vehicles))]
