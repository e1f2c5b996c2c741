"""A car's memory as of one place, so that a restart folds minutes of readings and not years."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.pool import Connection

_SAVE = """
INSERT INTO checkpoints (vehicle_id, dealer_id, place, boot, upto, ts, day, frontier, versions, memory)
SELECT v, d, p, b, u, t, y, f, $10::jsonb, m
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::int[],
  $8::jsonb[], $9::bytea[])
    AS n (v, d, p, b, u, t, y, f, m)
ON CONFLICT (vehicle_id) DO UPDATE
  SET dealer_id = excluded.dealer_id, place = excluded.place, boot = excluded.boot, upto = excluded.upto,
    ts = excluded.ts, day = excluded.day, frontier = excluded.frontier, versions = excluded.versions,
      memory = excluded.memory
WHERE excluded.place >= checkpoints.place
"""
_LOAD = """
SELECT vehicle_id, place, boot, upto, ts, day, frontier, versions, memory FROM checkpoints
  WHERE vehicle_id = ANY($1::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything up to `place` is in `memory`; `sequence` says what has arrived."""

    vehicle_id: int
    place: int
    boot: int
    upto: int
    ts: datetime
    day: int
    sequence: dict[str, Any]
    versions: dict[str, int]
    memory: bytes


Row = tuple[
    int, int, int, int, int, datetime, int, dict[str, Any], bytes
]  # vehicle, dealer, place, boot, upto, ts, day, frontier, memory


async def save(connection: Connection, rows: Sequence[Row], versions: Mapping[str, int]) -> None:
    """Write these checkpoints in one statement."""
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        await connection.execute(_SAVE, *columns, dict(versions))


async def load(connection: Connection, vehicle_ids: Sequence[int]) -> list[Checkpoint]:
    """The checkpoints of these cars, in one query."""
    return [Checkpoint(*row) for row in await connection.fetch(_LOAD, list(vehicle_ids))]
