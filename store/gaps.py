"""The gap ledger: which sequence numbers of a car are missing, how often we asked, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from store.pool import Connection

_CLOSE = """
UPDATE gaps g SET closed_at = $5, outcome = n.outcome
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[]) AS n (vehicle_id, boot, first_seq, outcome)
WHERE g.vehicle_id = n.vehicle_id AND g.boot = n.boot AND g.first_seq = n.first_seq AND g.closed_at IS NULL
"""
_KEEP = """
INSERT INTO gaps (dealer_id, vehicle_id, boot, first_seq, last_seq, opened_at, asked)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::int[])
ON CONFLICT (vehicle_id, boot, first_seq) WHERE closed_at IS NULL DO UPDATE
  SET last_seq = excluded.last_seq, asked = excluded.asked
"""
_LOST = """
INSERT INTO gaps (dealer_id, vehicle_id, boot, first_seq, last_seq, opened_at, asked, closed_at, outcome)
SELECT d, v, b, f, l, o, a, $8, 'lost_at_the_car'
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::int[]) AS n (d,
  v, b, f, l, o, a)
"""
_OPEN = """
SELECT vehicle_id, boot, first_seq, last_seq, opened_at, asked, closed_at, outcome FROM gaps
WHERE dealer_id = $1 AND ($2::bigint IS NULL OR vehicle_id = $2) AND (closed_at IS NULL OR NOT $3) ORDER BY id DESC
  LIMIT 200
"""

_STILL_OPEN = """
SELECT vehicle_id, boot, first_seq, last_seq, opened_at, asked, closed_at, outcome FROM gaps
WHERE vehicle_id = ANY($1::bigint[]) AND closed_at IS NULL
"""

Row = tuple[int, int, int, int, int, datetime, int]  # dealer, vehicle, boot, first, last, opened at, asked


@dataclass(frozen=True, slots=True)
class Gap:
    """A run of sequence numbers that did not come."""

    vehicle_id: int
    boot: int
    first_seq: int
    last_seq: int
    opened_at: datetime
    asked: int
    closed_at: datetime | None
    outcome: str | None


async def keep(
    connection: Connection,
    arrived: Sequence[tuple[int, int, int]],
    lost: Sequence[Row],
    still_open: Sequence[Row],
    now: datetime,
) -> None:
    """Close what ended (vehicle, boot, first), write down what was lost for good, and what is open."""
    ended = [(*key, "arrived") for key in arrived] + [(row[1], row[2], row[3], "lost_at_the_car") for row in lost]
    if ended:
        await connection.execute(_CLOSE, *_columns(ended), now)
    if still_open:
        await connection.execute(_KEEP, *_columns(still_open))


async def lost_at_once(connection: Connection, rows: Sequence[Row], now: datetime) -> None:
    """Runs that were lost before they ever stood in the ledger."""
    if rows:
        await connection.execute(_LOST, *_columns(rows), now)


async def still_open(connection: Connection, vehicle_ids: Sequence[int]) -> list[Gap]:
    """The open ledger entries of these cars."""
    return [Gap(*row) for row in await connection.fetch(_STILL_OPEN, list(vehicle_ids))]


async def of_dealer(
    connection: Connection, dealer_id: int, vehicle_id: int | None = None, *, only_open: bool = True
) -> list[Gap]:
    """For the desk: open gaps, or the newest of all."""
    return [Gap(*row) for row in await connection.fetch(_OPEN, dealer_id, vehicle_id, only_open)]


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
