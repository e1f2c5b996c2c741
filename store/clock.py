"""The one row from which all services of a time-lapse read the business clock. A real dealer has none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.pool import Connection

_READ = "SELECT anchor, started, speed, seen FROM clock"
_WRITE = """
INSERT INTO clock (anchor, started, speed, seen) VALUES ($1, $2, $3, $1)
ON CONFLICT (only_row) DO UPDATE SET anchor = $1, started = $2, speed = $3, seen = greatest(clock.seen, $1)
"""
#: The one place where the server is asked for its own time: as a witness beside others, never as the time to go by.
_WITNESS = "SELECT clock_timestamp() AS machine, (SELECT seen FROM clock) AS seen, (SELECT speed FROM clock) AS speed"
_BEAT = "UPDATE clock SET seen = greatest(seen, $1)"


@dataclass(frozen=True, slots=True)
class Witness:
    """What the database tells about time, beside whatever clock a service goes by."""

    machine: datetime  #: the server's own clock
    business: datetime  #: the same in a real house; in a time-lapse how far it was last seen
    speed: float  #: business seconds in a machine second
    time_lapse: bool


async def witness(connection: Connection) -> Witness:
    """Another clock than our own."""
    machine, seen, speed = await connection.fetchrow(_WITNESS)
    return Witness(machine, seen or machine, speed or 1.0, seen is not None)


async def read(connection: Connection) -> tuple[datetime, datetime, float, datetime] | None:
    """Anchor, machine time at the anchor, speed, and how far it was last seen."""
    row = await connection.fetchrow(_READ)
    return (row["anchor"], row["started"], row["speed"], row["seen"]) if row else None


async def write(connection: Connection, anchor: datetime, started: datetime, speed: float) -> None:
    await connection.execute(_WRITE, anchor, started, speed)


async def beat(connection: Connection, seen: datetime) -> None:
    """Remember how far we came, so that the next start goes on from here."""
    await connection.execute(_BEAT, seen)
