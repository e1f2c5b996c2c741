"""Which gateway carries which bucket. A session-level advisory lock on the writer's own connection is the lease:
when that connection dies, the lease and every chance to commit under it die together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from store.pool import Connection

_SPACE = 7_411  # first key of our advisory locks
_TRY = "SELECT pg_try_advisory_lock($1, $2)"
_FREE = "SELECT pg_advisory_unlock($1, $2)"
_HOLDER = "SELECT holder FROM leases WHERE bucket = $1"
_TAKEN = "UPDATE leases SET holder = $2, share = $3, taken_at = $4, beat_at = $4, wanted_by = NULL WHERE bucket = $1"
_GIVEN = "UPDATE leases SET holder = NULL, share = NULL WHERE bucket = $1 AND holder = $2"
_WANT = """
UPDATE leases SET wanted_by = $2 WHERE bucket = ANY($1::int[])
AND (wanted_by IS NULL OR split_part(wanted_by, '/', 2)::int <= split_part($2, '/', 2)::int)
"""
_WANTED = "SELECT bucket, wanted_by FROM leases WHERE bucket = ANY($1::int[]) AND wanted_by IS NOT NULL"
_BEAT = "UPDATE leases SET beat_at = $2 WHERE bucket = ANY($1::int[])"
_ALL = "SELECT bucket, holder, share, taken_at, beat_at, wanted_by FROM leases ORDER BY bucket"


@dataclass(frozen=True, slots=True)
class Lease:
    """One bucket and its gateway."""

    bucket: int
    holder: str | None
    share: str | None
    taken_at: datetime | None
    beat_at: datetime | None
    wanted_by: str | None


async def take(connection: Connection, bucket: int, holder: str, share: str, now: datetime) -> bool:
    """Take the bucket for as long as this connection lives; False when another gateway has it."""
    if not await connection.fetchval(_TRY, _SPACE, bucket):
        return False
    await connection.execute(_TAKEN, bucket, holder, share, now)
    return True


async def take_back(connection: Connection, bucket: int, holder: str) -> bool | None:
    """Hold the bucket again on a new connection; False while another connection has it, None when another gateway had
    it meanwhile: what this one remembers of its cars is out of date.
    """
    if not await connection.fetchval(_TRY, _SPACE, bucket):
        return False
    if await connection.fetchval(_HOLDER, bucket) == holder:
        return True
    await connection.fetchval(_FREE, _SPACE, bucket)
    return None


async def give(connection: Connection, bucket: int, holder: str) -> None:
    """Let another gateway have it; only after the last batch of the bucket is committed."""
    await connection.execute(_GIVEN, bucket, holder)
    await connection.fetchval(_FREE, _SPACE, bucket)


async def want(connection: Connection, buckets: Iterable[int], share: str) -> None:
    """Ask whoever holds them to let go. A coarser share does not overwrite the wish of a finer one."""
    await connection.execute(_WANT, list(buckets), share)


async def wanted(connection: Connection, buckets: Iterable[int]) -> dict[int, str]:
    """Which of ours another gateway asks for, and with which share."""
    return {row["bucket"]: row["wanted_by"] for row in await connection.fetch(_WANTED, list(buckets))}


async def beat(connection: Connection, buckets: Sequence[int], now: datetime) -> None:
    """A commit of its own: proof that we can still write. `now` is machine time."""
    await connection.execute(_BEAT, list(buckets), now)


async def all_of_them(connection: Connection) -> list[Lease]:
    """Every bucket, for desk and tests."""
    return [Lease(*row) for row in await connection.fetch(_ALL)]
