"""Cars: added, described, given to an owner; and allowed to speak, or no longer."""

from __future__ import annotations

import secrets as randomness
from dataclasses import dataclass
from typing import Any

from actions.context import Acting, House
from actions.ownership import give
from schemas.errors import BadInput
from schemas.vehicle import Vehicle, bucket_of, topic
from store import fleet, history, vehicles


@dataclass(frozen=True)
class Credentials:
    """What a telematics unit needs to speak. The password is shown once; we keep its hashes."""

    vehicle: Vehicle
    username: str
    password: str
    client_id: str
    bucket: int
    topics: dict[str, str]


async def add(
    acting: Acting, *, vin: str, profile: str, title: str, plate: str | None = None, owner_id: int | None = None
) -> Vehicle:
    """A car that we look after from now on."""
    _check_profile(acting.house, profile)
    async with acting.transaction() as connection:
        now = acting.now()
        car = await fleet.add(
            connection,
            acting.dealer_id,
            vin=vin,
            profile=profile,
            title=title,
            plate=plate,
            actor=acting.actor,
            now=now,
        )
        return car if owner_id is None else await give(acting, connection, car, owner_id)


async def update(acting: Acting, vehicle_id: int, changes: dict[str, Any]) -> Vehicle:
    """Title, plate, model, or owner. A car that changes hands takes no word of its former owner along."""
    if "profile" in changes:
        _check_profile(acting.house, changes["profile"])
    async with acting.transaction() as connection:
        car = await fleet.update(connection, acting.dealer_id, vehicle_id, changes)
        if "owner_id" not in changes or changes["owner_id"] == car.owner_id:
            return car
        return await give(acting, connection, car, changes["owner_id"])


async def enrol(acting: Acting, vehicle_id: int) -> Credentials:
    """New credentials; older ones end at once."""
    async with acting.transaction() as connection:
        car = await fleet.get(connection, acting.dealer_id, vehicle_id)
        password, now = randomness.token_bytes(32).hex(), acting.now()
        await vehicles.enrol(connection, car.vin, password, now)
        await history.write(
            connection,
            acting.dealer_id,
            "vehicle",
            car.id,
            old=None,
            new="enrolled",
            reason="new credentials",
            actor=acting.actor,
            now=now,
        )
        car = await fleet.get(connection, acting.dealer_id, vehicle_id)
    ways = ("up/telemetry", "up/diagnostics", "up/status", "down/acks", "down/asks", "down/alerts")
    return Credentials(
        car,
        car.vin,
        password=password,
        client_id=car.vin,
        bucket=bucket_of(car.vin),
        topics={way: topic(car.vin, way) for way in ways},
    )


async def revoke(acting: Acting, vehicle_id: int, reason: str) -> Vehicle:
    """It may no longer speak; a live connection is cut within seconds."""
    async with acting.transaction() as connection:
        car = await fleet.get(connection, acting.dealer_id, vehicle_id)
        await vehicles.revoke(connection, car.vin, acting.now())
        await history.write(
            connection,
            acting.dealer_id,
            "vehicle",
            car.id,
            old=None,
            new="revoked",
            reason=reason or "revoked",
            actor=acting.actor,
            now=acting.now(),
        )
        return await fleet.get(connection, acting.dealer_id, vehicle_id)


def _check_profile(house: House, profile: str) -> None:
    if profile not in house.profiles:
        raise BadInput("profile", f"{profile} is not a vehicle model we know: {', '.join(sorted(house.profiles))}")
