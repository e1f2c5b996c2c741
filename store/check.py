"""What `telltale check` asks the database, and the car that it lets speak: added, looked for, and taken away without
trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas.credentials import mosquitto_hash, secret_hash
from store import notifications
from store.migrate import checksums
from store.pool import Connection

PROBE = "TELLTALECHECK"  #: how the VIN of such a car begins; row security lets only these be deleted (0027_check.sql)
_ABOUT = ("readings", "latest", "checkpoints", "gaps", "quarantine")
_SERVER = """
SELECT current_setting('server_version') AS version, coalesce((SELECT ssl FROM pg_stat_ssl
  WHERE pid = pg_backend_pid()), false) AS tls,
       current_database() AS database, coalesce(host(inet_server_addr()), 'a socket') AS host
"""
_SELF = "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
_APPLIED = "SELECT version FROM schema_migrations ORDER BY version"
_ADD = """
INSERT INTO vehicles (vin, dealer_id, dealer_since, profile, title, secret_hash, mosquitto_hash, enrolled_at)
VALUES ($1, $2, $3, $4, 'telltale check', $5, $6, $3) RETURNING id
"""
_STORED = "SELECT count(*) FROM readings WHERE vehicle_id = $1 AND day >= $2"
_SENDERS = (
    "SELECT d.id, d.name, s.address FROM dealers d LEFT JOIN senders s ON s.dealer_id = d.id "
    "AND s.channel = ANY($1::text[]) ORDER BY d.id, s.address"
)
_ZONES = "SELECT zone FROM dealers UNION SELECT zone FROM owners ORDER BY zone"
_ANSWER = (
    "SELECT dealer_id, id FROM replies WHERE from_address = $1 AND id > $2 AND position($3 in upper(body)) > 0 "
    "ORDER BY id LIMIT 1"
)
_LAST_REPLY = "SELECT coalesce(max(id), 0) FROM replies"
_READ = "UPDATE replies SET read_at = $3 WHERE dealer_id = $1 AND id = $2 AND thread_id IS NULL"


@dataclass(frozen=True, slots=True)
class Server:
    """The server behind a connection."""

    version: str
    tls: bool
    database: str
    host: str


async def server(connection: Connection) -> Server:
    """Which one it is, and whether the way to it is TLS."""
    return Server(*await connection.fetchrow(_SERVER))


async def too_mighty(connection: Connection) -> bool:
    """Whether this role sees past row security: no service's may."""
    superuser, past = await connection.fetchrow(_SELF)
    return bool(superuser or past)


async def migrations(connection: Connection) -> tuple[set[str], set[str]]:
    """Versions that this program brings and the database lacks, and those that it has from a newer one."""
    here, there = set(checksums()), {row["version"] for row in await connection.fetch(_APPLIED)}
    return here - there, there - here


async def senders(connection: Connection, channels: tuple[str, ...]) -> list[tuple[int, str, str | None]]:
    """(dealer, name, number that its texts come from or None), of all dealers."""
    return [(row["id"], row["name"], row["address"]) for row in await connection.fetch(_SENDERS, list(channels))]


async def zones(connection: Connection) -> list[str]:
    """Every time zone that a dealer or an owner has."""
    return [row["zone"] for row in await connection.fetch(_ZONES)]


async def last_reply(connection: Connection) -> int:
    """Answers after this one are new."""
    found: int = await connection.fetchval(_LAST_REPLY)
    return found


async def answer(connection: Connection, number: str, after: int, word: str) -> tuple[int, int] | None:
    """(dealer, reply) of the first text from this number, newer than `after`, with this word in it."""
    row = await connection.fetchrow(_ANSWER, number, after, word.upper())
    return (row["dealer_id"], row["id"]) if row else None


async def mark_read(connection: Connection, dealer_id: int, reply_id: int, now: datetime) -> None:
    """Nobody at the desk needs to read it; a text of an owner stays as it is."""
    await connection.execute(_READ, dealer_id, reply_id, now)


async def add_probe(
    connection: Connection, vin: str, dealer_id: int, *, profile: str, secret: str, now: datetime
) -> int:
    """A car that may speak; its VIN begins with PROBE."""
    assert vin.startswith(PROBE)
    found: int = await connection.fetchval(
        _ADD, vin, dealer_id, now, profile, secret_hash(secret), mosquitto_hash(secret)
    )
    await notifications.ring(connection, notifications.CARS, vehicle=found, what="enrolled")
    return found


async def stored(connection: Connection, vehicle_id: int, since: datetime) -> int:
    """How many of its readings are in the database."""
    found: int = await connection.fetchval(_STORED, vehicle_id, int(since.timestamp() // 86_400))
    return found


async def refused(connection: Connection, vehicle_id: int) -> str | None:
    """Why something that it said was refused."""
    found: str | None = await connection.fetchval(
        "SELECT reason || ': ' || detail FROM quarantine WHERE vehicle_id = $1 LIMIT 1", vehicle_id
    )
    return found


async def clear_probe(connection: Connection, vehicle_id: int) -> int:
    """Take away what there is about it; how many rows that were."""
    gone = 0
    for table in _ABOUT:
        gone += int((await connection.execute(f"DELETE FROM {table} WHERE vehicle_id = $1", vehicle_id)).split()[-1])
    return gone


async def remove_probe(connection: Connection, vehicle_id: int) -> None:
    """The car itself, with whatever has come meanwhile."""
    await clear_probe(connection, vehicle_id)
    await connection.execute("DELETE FROM vehicles WHERE id = $1", vehicle_id)


async def traces(connection: Connection, vehicle_id: int) -> list[str]:
    """Tables in which something of it is left."""
    return [
        table
        for table in _ABOUT
        if await connection.fetchval(f"SELECT EXISTS (SELECT 1 FROM {table} WHERE vehicle_id = $1)", vehicle_id)
    ]


async def forgotten_probes(connection: Connection) -> list[tuple[int, str]]:
    """(id, VIN) of cars that a broken-off check left behind."""
    return [
        (row["id"], row["vin"])
        for row in await connection.fetch("SELECT id, vin FROM vehicles WHERE vin LIKE $1", f"{PROBE}%")
    ]
