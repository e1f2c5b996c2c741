"""A car's secret at its birth: 32 random bytes for the car, their sha256 for us."""

from __future__ import annotations

import hashlib
from datetime import datetime

from schemas.errors import BadInput, NotFound
from store import vehicles
from store.pool import Connection


async def enrol(connection: Connection, vin: str, secret: str, now: datetime) -> int:
    """Let the car sign in with this secret; the vehicle's id."""
    try:
        return await vehicles.enrol(connection, vin, hash_of(secret), now)
    except NotFound:
        raise BadInput("VIN", f"{vin} is not known yet: say its model with --profile, or import it with its owner") from None


def hash_of(secret: str) -> bytes:
    """What is stored; sha256 is enough for 32 random bytes."""
    return hashlib.sha256(secret.encode()).digest()
