"""Things that are counted for the desk: denied publishes, refused messages, broken rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from store.pool import Connection

NOBODY = 0  #: dealer of what belongs to no dealer's car: the whole house may see it, so no name of a car stands in it

_ADD = """
INSERT INTO tallies (dealer_id, name, subject, times, last_at, detail)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::text[])
ON CONFLICT (dealer_id, name, subject) DO UPDATE
  SET times = tallies.times + excluded.times, last_at = excluded.last_at, detail = excluded.detail
"""
_OF = (
    f"SELECT name, subject, times, last_at, detail FROM tallies WHERE dealer_id IN ($1, {NOBODY}) ORDER BY last_at DESC"
)

Row = tuple[int, str, str, int, datetime, str]  # dealer, name, subject, times, last at, detail


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something happened."""

    name: str
    subject: str
    times: int
    last_at: datetime
    detail: str


async def add(connection: Connection, rows: Sequence[Row]) -> None:
    """Count on; each (dealer, name, subject) at most once in `rows`."""
    if rows:
        await connection.execute(_ADD, *[list(column) for column in zip(*rows, strict=True)])


async def of_dealer(connection: Connection, dealer_id: int) -> list[Tally]:
    """Everything that was counted for a dealer, and what belongs to nobody; the newest first."""
    return [Tally(*row) for row in await connection.fetch(_OF, dealer_id)]
