"""Feeds: which are switched on, which of their cars is which of ours, and what they brought until it is judged."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from schemas.errors import NotFound
from schemas.vehicle import bucket_of
from store import notifications
from store.pool import Connection

_ON = """
SELECT id, dealer_id, kind, root, key_hash, signing, made_at FROM feeds
WHERE off_at IS NULL AND ($1::bigint IS NULL OR dealer_id = $1) ORDER BY id
"""
_BY_HTTPS = """
SELECT id, dealer_id, kind, root, key_hash, signing, made_at FROM feeds
WHERE id = $1 AND off_at IS NULL AND key_hash IS NOT NULL
"""
_CROWD = "SELECT count(*) FROM (SELECT FROM feed_messages LIMIT $1) AS found"
_CROWD_OF = "SELECT count(*) FROM (SELECT FROM feed_messages WHERE feed_id = $2 LIMIT $1) AS found"
_CARS = """
SELECT f.feed_id, f.identity, v.id, v.vin, f.units
FROM feed_cars f JOIN vehicles v ON v.id = f.vehicle_id AND v.dealer_id = f.dealer_id
JOIN unnest($1::bigint[], $2::text[]) AS asked (feed_id, identity) USING (feed_id, identity)
"""
_TOLD = """
INSERT INTO feed_cars (dealer_id, feed_id, identity, vehicle_id, mapped_at)
SELECT f.dealer_id, f.id, told.identity, v.id, $4
FROM unnest($1::bigint[], $2::text[], $3::text[]) AS told (feed_id, identity, vin)
JOIN feeds f ON f.id = told.feed_id JOIN vehicles v ON v.vin = told.vin AND v.dealer_id = f.dealer_id
ON CONFLICT (feed_id, identity) DO NOTHING
"""
_KEEP = """
INSERT INTO feed_messages (dealer_id, feed_id, vehicle_id, bucket, vin, way, body, received_at)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::smallint[], $5::text[], $6::text[], $7::bytea[],
  $8::timestamptz[])
"""
_WAITING = """
SELECT id, bucket, vin, way, body FROM feed_messages
WHERE bucket = ANY($1::smallint[]) AND NOT id = ANY($2::bigint[]) ORDER BY id LIMIT $3
"""
_LIST = """
SELECT f.feed_id, f.identity, v.vin, f.units, f.mapped_at
FROM feed_cars f JOIN vehicles v ON v.id = f.vehicle_id JOIN feeds s ON s.id = f.feed_id AND s.off_at IS NULL
WHERE f.dealer_id = $1 ORDER BY f.feed_id, f.identity
"""


@dataclass(frozen=True, slots=True)
class Source:
    """One feed of one dealer."""

    id: int
    dealer_id: int
    kind: str
    root: str | None
    key_hash: bytes | None
    signing: bytes | None
    made_at: datetime


@dataclass(frozen=True, slots=True)
class FeedCar:
    """Which car of ours one of a feed is."""

    vehicle_id: int
    vin: str
    units: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """A message in our own contract, of a car that a feed spoke of."""

    source: Source
    car: FeedCar
    way: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Waiting:
    """One that a gateway has to judge."""

    id: int
    bucket: int
    vin: str
    way: str
    body: bytes


Key = tuple[int, str]  #: a feed's id, and what it calls a car


async def switched_on(connection: Connection, dealer_id: int | None = None) -> list[Source]:
    """All feeds, or a dealer's."""
    return [Source(*row) for row in await connection.fetch(_ON, dealer_id)]


async def by_https(connection: Connection, feed_id: int) -> Source | None:
    """The feed of this number, if it comes by HTTPS and is switched on."""
    found = await connection.fetchrow(_BY_HTTPS, feed_id)
    return Source(*found) if found is not None else None


async def crowd(connection: Connection, feed_id: int | None, most: int) -> int:
    """How many messages of a feed, or of all, wait to be judged; nobody counts further than `most`."""
    found: int = (
        await connection.fetchval(_CROWD, most)
        if feed_id is None
        else await connection.fetchval(_CROWD_OF, most, feed_id)
    )
    return found


async def cars(connection: Connection, asked: Collection[Key]) -> dict[Key, FeedCar]:
    """Those of these that somebody has mapped to a car that the same dealer looks after."""
    rows = await connection.fetch(_CARS, [feed for feed, _ in asked], [identity for _, identity in asked])
    return {(feed, identity): FeedCar(vehicle, vin, units) for feed, identity, vehicle, vin, units in rows}


async def told(connection: Connection, vins: Mapping[Key, str], now: datetime) -> None:
    """Platforms that say which VIN a car has: mapped where the dealer looks after it, and nobody has mapped it."""
    done = await connection.execute(
        _TOLD, [feed for feed, _ in vins], [identity for _, identity in vins], list(vins.values()), now
    )
    if done != "INSERT 0 0":
        await notifications.ring(connection, notifications.CARS, what="mapped")


async def keep(connection: Connection, rows: Sequence[Kept], now: datetime) -> None:
    """For the gateways of these cars, whom the bell tells."""
    if rows:
        columns = zip(
            *[
                (r.source.dealer_id, r.source.id, r.car.vehicle_id, bucket_of(r.car.vin), r.car.vin, r.way, r.body, now)
                for r in rows
            ],
            strict=True,
        )
        await connection.execute(_KEEP, *[list(column) for column in columns])
        await notifications.ring(connection, notifications.CARS, what="feed")


async def waiting(connection: Connection, buckets: Collection[int], but: Collection[int], limit: int) -> list[Waiting]:
    """What is to be judged of these buckets, in the order in which it came."""
    return [Waiting(*row) for row in await connection.fetch(_WAITING, sorted(buckets), list(but), limit)]


async def judged(connection: Connection, ids: Sequence[int]) -> None:
    """Their readings are stored, or refused with a reason."""
    await connection.execute("DELETE FROM feed_messages WHERE id = ANY($1::bigint[])", list(ids))


async def add(
    connection: Connection,
    dealer_id: int,
    kind: str,
    *,
    root: str | None,
    key_hash: bytes | None,
    signing: bytes | None = None,
    now: datetime,
) -> int:
    """Switch a feed on; whose topics they are already is for the caller to ask (`with_root`)."""
    made: int = await connection.fetchval(
        "INSERT INTO feeds (dealer_id, kind, root, key_hash, signing, made_at) VALUES ($1, $2, $3, $4, $5, $6) "
        "RETURNING id",
        dealer_id,
        kind,
        root,
        key_hash,
        signing,
        now,
    )
    await notifications.ring(connection, notifications.CARS, what="feeds")
    return made


async def with_root(connection: Connection, root: str) -> int | None:
    """The feed whose topics begin so, or whose root lies above or below: nobody hears another's cars."""
    found: int | None = await connection.fetchval(
        "SELECT id FROM feeds WHERE off_at IS NULL "
        "AND (starts_with(root || '/', $1 || '/') OR starts_with($1 || '/', root || '/')) LIMIT 1",
        root,
    )
    return found


async def switch_off(connection: Connection, dealer_id: int, feed_id: int, now: datetime) -> None:
    """It is listened to no longer; who its cars are is kept."""
    done = await connection.execute(
        "UPDATE feeds SET off_at = $3 WHERE dealer_id = $1 AND id = $2 AND off_at IS NULL", dealer_id, feed_id, now
    )
    if done != "UPDATE 1":
        raise NotFound("feed")
    await notifications.ring(connection, notifications.CARS, what="feeds")


async def map_car(
    connection: Connection, source: Source, identity: str, vin: str, *, units: Mapping[str, str], now: datetime
) -> bool:
    """From now on this is that car; False when the feed's dealer looks after no such car."""
    vehicle = await connection.fetchval(
        "SELECT id FROM vehicles WHERE vin = $1 AND dealer_id = $2", vin, source.dealer_id
    )
    if vehicle is None:
        return False
    await connection.execute(
        "INSERT INTO feed_cars (dealer_id, feed_id, identity, vehicle_id, units, mapped_at) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (feed_id, identity) "
        "DO UPDATE SET vehicle_id = excluded.vehicle_id, units = excluded.units, mapped_at = excluded.mapped_at",
        source.dealer_id,
        source.id,
        identity,
        vehicle,
        dict(units),
        now,
    )
    await notifications.ring(connection, notifications.CARS, what="mapped")
    return True


async def unmap(connection: Connection, source: Source, identity: str) -> None:
    """Nobody's again."""
    done = await connection.execute(
        "DELETE FROM feed_cars WHERE dealer_id = $1 AND feed_id = $2 AND identity = $3",
        source.dealer_id,
        source.id,
        identity,
    )
    if done != "DELETE 1":
        raise NotFound("mapping")


async def mapped(connection: Connection, dealer_id: int) -> list[tuple[int, str, str, Mapping[str, str], datetime]]:
    """(feed, identity, VIN, units, since) of a dealer's feeds."""
    return [tuple(row) for row in await connection.fetch(_LIST, dealer_id)]
