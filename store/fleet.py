"""A dealer's cars as its people keep them: added, described, given to an owner. What they say is in `readings`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from schemas.errors import BadInput, NotFound
from schemas.vehicle import Vehicle
from store import history, notifications
from store.pool import Connection, as_dict

_COLUMNS = "id, vin, dealer_id, owner_id, profile, title, plate, enrolled_at, revoked_at, last_heard_at, online"
_ADD = f"""
INSERT INTO vehicles (vin, dealer_id, dealer_since, profile, title, plate) VALUES ($1, $2, $3, $4, $5, $6)
  RETURNING {_COLUMNS}
"""
_LIST = f"""
SELECT {_COLUMNS} FROM vehicles
WHERE dealer_id = $1 AND ($2::text IS NULL OR vin = $2) AND ($3::bigint IS NULL OR owner_id = $3)
  AND ($4::bigint[] IS NULL OR id = ANY ($4)) AND ($5::bigint IS NULL OR id > $5)
ORDER BY id LIMIT $6
"""
_END_EPOCH = "UPDATE ownerships SET until = $3 WHERE dealer_id = $1 AND vehicle_id = $2 AND until IS NULL"
_BEGIN_EPOCH = "INSERT INTO ownerships (dealer_id, vehicle_id, owner_id, since) VALUES ($1, $2, $3, $4)"
_ERASED = "SELECT erased_at IS NOT NULL FROM owners WHERE dealer_id = $1 AND id = $2"
_SET_OWNER = f"UPDATE vehicles SET owner_id = $3 WHERE dealer_id = $1 AND id = $2 RETURNING {_COLUMNS}"
_WAS_OF = (
    "SELECT EXISTS (SELECT 1 FROM ownerships WHERE dealer_id = $1 AND vehicle_id = $2 AND owner_id = $3 "
    "AND until IS NOT NULL)"
)
_EPOCH = "SELECT id FROM ownerships WHERE dealer_id = $1 AND vehicle_id = $2 AND owner_id = $3 AND until IS NULL"
_HAD_ONE = (
    "SELECT EXISTS (SELECT 1 FROM ownerships WHERE dealer_id = $1 AND owner_id = ANY ($2::bigint[]) "
    "AND until IS NOT NULL)"
)
_ADOPT = """
UPDATE cases SET owner_id = $3 WHERE dealer_id = $1 AND vehicle_id = $2 AND owner_id IS NULL
  AND state NOT IN ('done', 'dismissed')
"""


async def add(
    connection: Connection,
    dealer_id: int,
    *,
    vin: str,
    profile: str,
    title: str,
    plate: str | None,
    actor: str,
    now: datetime,
) -> Vehicle:
    """A car that this dealer looks after from now on. A VIN is looked after by one dealer."""
    try:
        async with connection.transaction():
            row = await connection.fetchrow(_ADD, vin, dealer_id, now, profile, title, plate)
    except asyncpg.UniqueViolationError:
        raise BadInput("vin", "is looked after already") from None
    vehicle = Vehicle(**as_dict(row))
    await history.write(
        connection,
        dealer_id,
        "vehicle",
        vehicle.id,
        old=None,
        new="added",
        reason="added by a person",
        actor=actor,
        now=now,
    )
    await notifications.ring_desk(connection, dealer_id, "vehicle", vehicle.id)
    return vehicle


async def get(connection: Connection, dealer_id: int, vehicle_id: int) -> Vehicle:
    """That car, or NotFound."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM vehicles WHERE dealer_id = $1 AND id = $2", dealer_id, vehicle_id
    )
    if row is None:
        raise NotFound("vehicle")
    return Vehicle(**as_dict(row))


async def by_vin(connection: Connection, dealer_id: int, vin: str) -> Vehicle | None:
    """The dealer's car of that VIN."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM vehicles WHERE dealer_id = $1 AND vin = $2", dealer_id, vin
    )
    return Vehicle(**as_dict(row)) if row else None


async def listed(
    connection: Connection,
    dealer_id: int,
    *,
    vin: str | None = None,
    owner_id: int | None = None,
    ids: Sequence[int] | None = None,
    after: int | None = None,
    limit: int = 51,
) -> list[Vehicle]:
    """Cars in the order in which they were added; `ids`: no others than these."""
    among = None if ids is None else list(ids)
    return [
        Vehicle(**as_dict(row)) for row in await connection.fetch(_LIST, dealer_id, vin, owner_id, among, after, limit)
    ]


async def update(connection: Connection, dealer_id: int, vehicle_id: int, changes: dict[str, Any]) -> Vehicle:
    """Change title, plate or model."""
    names = [name for name in ("title", "plate", "profile") if name in changes]
    if names:
        sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(names, 3))
        await connection.execute(
            f"UPDATE vehicles SET {sets} WHERE dealer_id = $1 AND id = $2",
            dealer_id,
            vehicle_id,
            *(changes[name] for name in names),
        )
        await notifications.ring(connection, notifications.CARS, vehicle=vehicle_id, what="ownership")
        await notifications.ring_desk(connection, dealer_id, "vehicle", vehicle_id)
    return await get(connection, dealer_id, vehicle_id)


async def which(connection: Connection, car: Vehicle) -> str:
    """How an owner tells this car from their others: its plate, or its name; empty when it is their only one."""
    if (
        car.owner_id is None
        or await connection.fetchval(
            "SELECT count(*) FROM vehicles WHERE dealer_id = $1 AND owner_id = $2", car.dealer_id, car.owner_id
        )
        < 2
    ):
        return ""
    return car.plate or car.title


async def epoch_of(connection: Connection, dealer_id: int, vehicle_id: int, owner_id: int) -> int | None:
    """Their time with the car, while it lasts."""
    found: int | None = await connection.fetchval(_EPOCH, dealer_id, vehicle_id, owner_id)
    return found


async def had_one(connection: Connection, dealer_id: int, owner_ids: Sequence[int]) -> bool:
    """Whether a car was one of these owners', and is no longer."""
    return bool(await connection.fetchval(_HAD_ONE, dealer_id, list(owner_ids)))


async def was_of(connection: Connection, dealer_id: int, vehicle_id: int, owner_id: int) -> bool:
    """Whether the car was this owner's in an epoch that is over."""
    return bool(await connection.fetchval(_WAS_OF, dealer_id, vehicle_id, owner_id))


async def give(
    connection: Connection, dealer_id: int, vehicle_id: int, owner_id: int | None, *, actor: str, now: datetime
) -> Vehicle:
    """The car changes hands: one ownership epoch ends, another begins. The same owner again changes nothing."""
    before = await get(connection, dealer_id, vehicle_id)
    if before.owner_id == owner_id:
        return before
    await connection.execute(_END_EPOCH, dealer_id, vehicle_id, now)
    if owner_id is not None and await connection.fetchval(_ERASED, dealer_id, owner_id):
        raise NotFound("owner")
    try:
        async with connection.transaction():
            if owner_id is not None:
                await connection.execute(_BEGIN_EPOCH, dealer_id, vehicle_id, owner_id, now)
            row = await connection.fetchrow(_SET_OWNER, dealer_id, vehicle_id, owner_id)
    except asyncpg.ForeignKeyViolationError:
        raise NotFound("owner") from None
    if owner_id is not None:
        await connection.execute(_ADOPT, dealer_id, vehicle_id, owner_id)
    whose = "nobody" if owner_id is None else f"owner {owner_id}"
    await history.write(
        connection,
        dealer_id,
        "vehicle",
        vehicle_id,
        old=None,
        new="ownership",
        reason=f"belongs to {whose} now",
        actor=actor,
        now=now,
    )
    await notifications.ring(connection, notifications.CARS, vehicle=vehicle_id, what="ownership")
    await notifications.ring_desk(connection, dealer_id, "vehicle", vehicle_id)
    return Vehicle(**as_dict(row))
