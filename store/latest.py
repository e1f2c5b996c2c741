"""The newest believed values of each car, for lists and freshness; and hints, which are shown but never judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from schemas.correction import ReadAs
from schemas.signal import BY_PATH
from store.pool import Connection

_KEEP = """
INSERT INTO latest (vehicle_id, dealer_id, ts, values)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::jsonb[])
ON CONFLICT (vehicle_id) DO UPDATE SET ts = greatest(latest.ts, excluded.ts), values = latest.values || excluded.values
"""
_HINT = """
INSERT INTO latest (vehicle_id, dealer_id, ts, values, hint)
SELECT v, d, t, '{}'::jsonb, h FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::jsonb[]) AS n (v, d, t, h)
ON CONFLICT (vehicle_id) DO UPDATE SET hint = excluded.hint
"""
_OF = "SELECT ts, values, hint FROM latest WHERE dealer_id = $1 AND vehicle_id = $2"

AS_SAID: Final = "said:"  #: before the path of a signal that is read in another unit: what the car itself said

Row = tuple[int, int, datetime, dict[str, Any]]  # vehicle, dealer, ts, path -> [value, epoch seconds]


def as_read(values: Mapping[str, Any], read_as: ReadAs) -> dict[str, Any]:
    """The newest values in our units, also those that were said before a unit was accepted, or after it was taken back;
    what the car itself said beside them, under AS_SAID.
    """
    found = dict(values)
    for path, (value, ts) in values.items():
        signal, said = BY_PATH.get(path), values.get(AS_SAID + path)
        if signal is None:
            continue
        raw = said[0] if said is not None and said[1] == ts else value
        unit = read_as.get(signal.id)
        found.pop(AS_SAID + path, None)
        found[path] = [raw, ts] if unit is None else [unit.read(raw), ts]
        if unit is not None:
            found[AS_SAID + path] = [raw, ts]
    return found


async def keep(connection: Connection, rows: Sequence[Row]) -> None:
    """Newer values over older ones, path by path."""
    if rows:
        await connection.execute(_KEEP, *[list(column) for column in zip(*rows, strict=True)])


async def hint(connection: Connection, rows: Sequence[Row]) -> None:
    """What `status` said."""
    if rows:
        await connection.execute(_HINT, *[list(column) for column in zip(*rows, strict=True)])


async def of_vehicle(
    connection: Connection, dealer_id: int, vehicle_id: int
) -> tuple[datetime, dict[str, Any], dict[str, Any]] | None:
    """Newest reading time, values and hint."""
    row = await connection.fetchrow(_OF, dealer_id, vehicle_id)
    return None if row is None else (row["ts"], row["values"], row["hint"])
