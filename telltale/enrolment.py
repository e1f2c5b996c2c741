"""A car's secret at its birth: 32 random bytes for the car, their hashes for us."""

from __future__ import annotations

from datetime import datetime

from schemas.errors import BadInput, NotFound
from store import vehicles
from store.pool import Connection


async def enrol(connection: Connection, vin: str, secret: str, now: datetime) -> int:
    """Let the car sign in with this secret; the vehicle's id."""
    try:
        return await vehicles.enrol(connection, vin, secret, now)
    except NotFound:
        raise BadInput(
            "VIN", f"{vin} is not known yet: say its model with --profile, or import it with its owner"
        ) from None
