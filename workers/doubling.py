"""Two units speak as one car: it is written down, and both are stopped where the dealer wants it so."""

from __future__ import annotations

from datetime import datetime

from schemas.moment import from_epoch
from schemas.vehicle import Vehicle
from store import accounts, fleet, history, vehicles
from store.jobs import Job
from store.pool import Connection
from workers.context import Context

ACTOR = "worker"


async def found(context: Context, connection: Connection, job: Job) -> None:
    """The gateway is certain of it (gateway/fleet/units.py). Whoever was enrolled since then is not stopped for what
    was before.
    """
    now, since = context.clock(), from_epoch(float(job.payload["since"]))
    dealer = await accounts.dealer(connection, job.dealer_id)
    car = await fleet.get(connection, job.dealer_id, job.subject_id)
    said = f"two units speak as this car since {since:%Y-%m-%d %H:%M} UTC"
    await _write(connection, car, new="two units", reason=said, now=now)
    anew = car.enrolled_at is not None and car.enrolled_at > since
    if dealer.two_units == "stop" and car.revoked_at is None and not anew:
        await vehicles.revoke(connection, car.vin, now)
        await _write(
            connection, car, new="revoked", reason=f"{said}: both are stopped until one is enrolled anew", now=now
        )


async def _write(connection: Connection, car: Vehicle, new: str, reason: str, now: datetime) -> None:
    await history.write(
        connection, car.dealer_id, "vehicle", car.id, old=None, new=new, reason=reason, actor=ACTOR, now=now
    )
