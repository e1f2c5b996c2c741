"""What replaying needs: an alert with its steps whoever its dealer is, cars that were heard, and what was repaired on
them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.errors import NotFound
from schemas.reading import Mark, Reading
from store.pool import Connection, as_dict
from store.readings import _ROW, FIRST_LEAF, _reading, days_between

_ALERT = """
SELECT a.dealer_id, a.vehicle_id, a.rule, a.component, a.episode, a.rule_version, a.shadow, v.profile, v.vin
FROM alerts a JOIN vehicles v ON v.id = a.vehicle_id WHERE a.id = $1
"""
_STEPS = """
SELECT rule, rule_version, component, episode, step, state, severity, because, ts, place, late, evidence
  FROM alert_steps
WHERE dealer_id = $1 AND vehicle_id = $2 AND rule = $3 AND component = $4 AND episode = $5 ORDER BY step
"""
# The first of a car's rows decides nothing about its partition, so all leaves are looked at; a page keeps memory flat.
_PLACES = (
    f"SELECT {_ROW} FROM readings r WHERE r.vehicle_id = $1 AND r.place > $2 AND r.place <= $3 ORDER BY r.place "
    "LIMIT 5000"
)
_TAKEN_BACK = f"""
SELECT -seq AS id FROM readings WHERE vehicle_id = $1 AND boot = -1 AND seq < 0 AND mark & {int(Mark.TAKES_BACK)} <> 0
  AND place <= $2
"""
# Above a checkpoint no row is of a day before its own, but those that have no day of their own.
_NEWEST = f"""
SELECT greatest((SELECT place FROM checkpoints WHERE vehicle_id = $1), (
    SELECT max(place) FROM readings WHERE vehicle_id = $1 AND (day >= coalesce((SELECT day FROM checkpoints
      WHERE vehicle_id = $1), 0) OR day < {FIRST_LEAF})))
"""
_OLDEST = "SELECT min(place) FROM readings WHERE vehicle_id = $1"
_HEARD_BEFORE = "SELECT max(received_at) FROM readings WHERE vehicle_id = $1 AND received_at <= $2"
_CARS = f"""
SELECT v.id, v.dealer_id, v.profile, v.vin FROM vehicles v
WHERE ($1::bigint IS NULL OR v.dealer_id = $1)
  AND EXISTS (SELECT 1 FROM readings r WHERE r.vehicle_id = v.id AND r.ts >= $2 AND (r.day >= $3
    OR r.day < {FIRST_LEAF})) ORDER BY v.id
"""
_REPAIRS = "SELECT vehicle_id, repaired_at FROM cases WHERE vehicle_id = ANY($1::bigint[]) AND repaired_at IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Car:
    """A car whose rows can be folded again."""

    id: int
    dealer_id: int
    profile: str
    vin: str


async def alert(connection: Connection, alert_id: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The alert and its committed steps, or NotFound."""
    row = await connection.fetchrow(_ALERT, alert_id)
    if row is None:
        raise NotFound("alert")
    steps = await connection.fetch(
        _STEPS, row["dealer_id"], row["vehicle_id"], row["rule"], row["component"], row["episode"]
    )
    return as_dict(row), [as_dict(step) for step in steps]


async def newest_place(connection: Connection, vehicle_id: int) -> int:
    """The running number of the last judged row; 0 when none is."""
    return int(await connection.fetchval(_NEWEST, vehicle_id) or 0)


async def oldest_place(connection: Connection, vehicle_id: int) -> int | None:
    """The running number of the first judged row that is still kept; None when none is."""
    found: int | None = await connection.fetchval(_OLDEST, vehicle_id)
    return found


async def heard_before(connection: Connection, vehicle_id: int, at: datetime) -> datetime | None:
    """When the newest message came of those that had come by then."""
    found: datetime | None = await connection.fetchval(_HEARD_BEFORE, vehicle_id, at)
    return found


async def rows(connection: Connection, vehicle_id: int, upto: int) -> AsyncIterator[Reading]:
    """A car's rows in the order in which they were judged, up to that place."""
    after = -1
    while found := await page(connection, vehicle_id, after, upto):
        for row in found:
            yield row
            after = row.place or 0


async def page(connection: Connection, vehicle_id: int, after: int, upto: int) -> list[Reading]:
    """Some thousand of these rows."""
    return [_reading(row) for row in await connection.fetch(_PLACES, vehicle_id, after, upto)]


async def taken_back(connection: Connection, vehicle_id: int, upto: int) -> set[int]:
    """Numbers in quarantine of the rows that count as never said from that place on."""
    return {row["id"] for row in await connection.fetch(_TAKEN_BACK, vehicle_id, upto)}


async def cars(connection: Connection, dealer_id: int | None, since: datetime) -> list[Car]:
    """The cars that were heard at or after `since`."""
    return [
        Car(**as_dict(row)) for row in await connection.fetch(_CARS, dealer_id, since, days_between(since, since)[0])
    ]


async def repairs(connection: Connection, vehicles: list[int]) -> dict[int, list[datetime]]:
    """When each of these cars was repaired."""
    found: dict[int, list[datetime]] = {}
    for row in await connection.fetch(_REPAIRS, vehicles):
        found.setdefault(row["vehicle_id"], []).append(row["repaired_at"])
    return found
