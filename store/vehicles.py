"""Cars: who they are, whose they are, and whether they may speak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.credentials import mosquitto_hash, secret_hash
from schemas.errors import NotFound, Overtaken
from schemas.vehicle import BUCKETS as BUCKETS
from store import notifications
from store.pool import Connection

_IDENTITIES = "SELECT id, vin, dealer_id, profile, secret_hash, revoked_at, enrolled_at FROM vehicles"
_PAGE = f"{_IDENTITIES} WHERE id > $1 ORDER BY id LIMIT $2"
_PAGE_OF = f"{_IDENTITIES} WHERE bucket_of(vin) = $3 AND id > $1 ORDER BY id LIMIT $2"
_CHANGED = (
    "SELECT id, vin, dealer_id, profile, secret_hash, revoked_at, enrolled_at, changed FROM vehicles "
    "WHERE changed > $1 ORDER BY changed LIMIT $2"
)
_NEWEST_CHANGE = "SELECT coalesce(max(changed), 0) FROM vehicles"
_ENROL = """
UPDATE vehicles SET secret_hash = $2, mosquitto_hash = $3, enrolled_at = $4, revoked_at = NULL WHERE vin = $1
  RETURNING id, dealer_id
"""
_REVOKE = "UPDATE vehicles SET revoked_at = $2 WHERE vin = $1 AND revoked_at IS NULL RETURNING id, dealer_id"
_PASSWORDS = """
SELECT vin, CASE WHEN revoked_at IS NULL THEN coalesce(mosquitto_hash, '') END FROM vehicles
WHERE secret_hash IS NOT NULL AND ($1::bigint IS NULL OR id = $1)
"""
_KNOWN = "SELECT 1 FROM vehicles WHERE vin = $1"
_HEARD = """
UPDATE vehicles v SET last_heard_at = greatest(v.last_heard_at, n.at), online = n.online
FROM unnest($1::bigint[], $2::timestamptz[], $3::boolean[]) AS n (id, at, online)
WHERE v.id = n.id AND (v.last_heard_at IS NULL OR n.at > v.last_heard_at OR (n.at = v.last_heard_at AND NOT n.online))
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """What the gateway must know of a car before it says anything."""

    id: int
    vin: str
    dealer_id: int
    profile: str
    secret_hash: bytes | None
    revoked_at: datetime | None
    enrolled_at: datetime | None = None


async def identities(connection: Connection, vehicle_id: int | None = None) -> list[Identity]:
    """All cars, or one."""
    if vehicle_id is None:
        rows = await connection.fetch(_IDENTITIES)
    else:
        rows = await connection.fetch(_IDENTITIES + " WHERE id = $1", vehicle_id)
    return [Identity(*row) for row in rows]


async def page(connection: Connection, *, bucket: int | None, after: int, limit: int) -> list[Identity]:
    """Some cars of a bucket (or of all) by their ids, those beyond `after`."""
    if bucket is None:
        return [Identity(*row) for row in await connection.fetch(_PAGE, after, limit)]
    return [Identity(*row) for row in await connection.fetch(_PAGE_OF, after, limit, bucket)]


async def changed_after(connection: Connection, *, after: int, limit: int) -> list[tuple[Identity, int]]:
    """Some cars that have changed, each with the number of its last change, those beyond `after`."""
    return [(Identity(*row[:-1]), row[-1]) for row in map(tuple, await connection.fetch(_CHANGED, after, limit))]


async def newest_change(connection: Connection) -> int:
    """How far the numbers of changes have come."""
    return int(await connection.fetchval(_NEWEST_CHANGE))


async def by_vins(connection: Connection, vins: Sequence[str]) -> list[Identity]:
    """Those of these VINs that are known."""
    return [Identity(*row) for row in await connection.fetch(_IDENTITIES + " WHERE vin = ANY($1::text[])", vins)]


async def passwords(connection: Connection, vehicle_id: int | None = None) -> dict[str, str | None]:
    """VIN -> mosquitto's hash of its secret, of all cars or one.

    None: it may not sign in; "": enrolled before such hashes were kept.
    """
    return {row[0]: row[1] for row in await connection.fetch(_PASSWORDS, vehicle_id)}


async def enrol(connection: Connection, vin: str, secret: str, now: datetime) -> int:
    """Let the car sign in with this secret, of which only hashes are kept; an older one ends.

    Returns the vehicle's id.
    """
    row = await connection.fetchrow(_ENROL, vin, secret_hash(secret), mosquitto_hash(secret), now)
    if row is None:
        raise NotFound("vehicle")
    await notifications.ring(connection, notifications.CARS, vehicle=row["id"], what="enrolled")
    return int(row["id"])


async def revoke(connection: Connection, vin: str, now: datetime) -> int:
    """Cut the car off, within seconds also when it is connected."""
    row = await connection.fetchrow(_REVOKE, vin, now)
    if row is None:
        if await connection.fetchval(_KNOWN, vin):
            raise Overtaken("vehicle", "it is revoked already")
        raise NotFound("vehicle")
    await notifications.ring(connection, notifications.CARS, vehicle=row["id"], what="revoked")
    return int(row["id"])


async def heard(connection: Connection, cars: list[tuple[int, datetime, bool]]) -> None:
    """When these cars were last heard, and whether they are there; what is older than what we know says nothing."""
    if cars:
        ids, at, online = zip(*cars, strict=True)
        await connection.execute(_HEARD, list(ids), list(at), list(online))
