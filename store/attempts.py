"""Tries that are counted before they are looked at, shared by all processes. Machine time.

Each key has one instant, `until`: a try moves it by the limit's share (15 minutes / 5 tries = 3 minutes), and is
refused when that would carry it beyond the limit's span from now. One statement decides and counts, so that of many at
once no more than allowed pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from store.pool import Connection

#: Sweeps a little of what is over on the way; rows in the order of their keys, so that two who count the same never
#: wait for each other.
_COUNT = """
WITH over AS (
    DELETE FROM attempts WHERE key IN (SELECT key FROM attempts WHERE until <= $2 AND key <> ALL ($1::bytea[])
      LIMIT 20 FOR UPDATE SKIP LOCKED)
), tried AS (
    SELECT key, share, within FROM unnest($1::bytea[], $3::interval[], $4::interval[]) AS t (key, share, within)
      ORDER BY key
)
INSERT INTO attempts AS a (key, until) SELECT key, $2::timestamptz + share FROM tried
ON CONFLICT (key) DO UPDATE SET until = greatest(a.until, $2) + (excluded.until - $2)
    WHERE greatest(a.until, $2) + (excluded.until - $2) <= $2 + (SELECT within FROM tried t WHERE t.key = a.key)
RETURNING key
"""
_UNTIL = "SELECT key, until FROM attempts WHERE key = ANY ($1::bytea[])"
_BACK = "UPDATE attempts SET until = until - $2::interval WHERE key = $1"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` tries within `within`, for whatever has this key."""

    key: bytes
    most: int
    within: timedelta

    @property
    def share(self) -> timedelta:
        """What one try costs."""
        return self.within / self.most


async def count(connection: Connection, limits: Sequence[Limit], now: datetime) -> timedelta | None:
    """Count one try against all of these; None when it may go on, else how long to wait. What is refused is not counted
    anywhere.
    """
    try:
        async with connection.transaction():
            keys, shares, spans = (
                [limit.key for limit in limits],
                [limit.share for limit in limits],
                [limit.within for limit in limits],
            )
            if len(await connection.fetch(_COUNT, keys, now, shares, spans)) < len(limits):
                raise _Refused
    except _Refused:
        until: dict[bytes, datetime] = {
            row["key"]: row["until"] for row in await connection.fetch(_UNTIL, [limit.key for limit in limits])
        }
        return max(until.get(limit.key, now) + limit.share - limit.within - now for limit in limits)
    return None


async def give_back(connection: Connection, limits: Sequence[Limit]) -> None:
    """The try was no guess after all."""
    for limit in sorted(limits, key=lambda limit: limit.key):
        await connection.execute(_BACK, limit.key, limit.share)


class _Refused(Exception):
    """One of the limits is used up: nothing is counted."""
