"""The one row from which all services of a time-lapse read the business clock. A real dealer has none."""

from __future__ import annotations

from datetime import datetime

from store.pool import Connection

_READ = "SELECT anchor, started, speed, seen FROM clock"
_WRITE = """
INSERT INTO clock (anchor, started, speed, seen) VALUES ($1, $2, $3, $1)
ON CONFLICT (only_row) DO UPDATE SET anchor = $1, started = $2, speed = $3, seen = greatest(clock.seen, $1)
"""
_BEAT = "UPDATE clock SET seen = greatest(seen, $1)"


async def read(connection: Connection) -> tuple[datetime, datetime, float, datetime] | None:
    """Anchor, machine time at the anchor, speed, and how far it was last seen."""
    row = await connection.fetchrow(_READ)
    return (row["anchor"], row["started"], row["speed"], row["seen"]) if row else None


async def write(connection: Connection, anchor: datetime, started: datetime, speed: float) -> None:
    await connection.execute(_WRITE, anchor, started, speed)


async def beat(connection: Connection, seen: datetime) -> None:
    """Remember how far we came, so that the next start goes on from here."""
    await connection.execute(_BEAT, seen)
