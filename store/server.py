"""What the database server says about itself, as far as our role may see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.pool import Connection

_CONNECTIONS = """
SELECT CASE WHEN application_name LIKE 'telltale-%' THEN substr(application_name, 10)
  ELSE 'other' END AS application, count(*) AS connections
FROM pg_stat_activity WHERE datname = current_database() GROUP BY 1
"""
_FACTS = """
SELECT current_setting('max_connections')::integer AS connections_limit, pg_database_size(current_database()) AS bytes,
       coalesce(extract(epoch FROM $1::timestamptz - (SELECT min(xact_start) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid())), 0)::float8
           AS oldest_transaction_s,
       (SELECT count(*) FROM pg_inherits WHERE inhparent = 'readings'::regclass)::integer AS readings_partitions
"""
_LAG = (
    "SELECT coalesce(nullif(application_name, ''), 'unnamed') AS replica, extract(epoch "
    "FROM replay_lag)::float8 AS seconds FROM pg_stat_replication WHERE replay_lag IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class Server:
    """One look at the server. `connections` by the part of Telltale that holds them, `replication_lag_s` by replica."""

    connections: dict[str, int]
    connections_limit: int
    bytes: int
    oldest_transaction_s: float
    readings_partitions: int
    replication_lag_s: dict[str, float]


async def look(connection: Connection, machine: datetime) -> Server:
    """`machine` is machine time, as the server's own clocks are."""
    facts: Any = await connection.fetchrow(_FACTS, machine)
    return Server(
        connections={row["application"]: row["connections"] for row in await connection.fetch(_CONNECTIONS)},
        connections_limit=facts["connections_limit"],
        bytes=facts["bytes"],
        oldest_transaction_s=max(0.0, facts["oldest_transaction_s"]),
        readings_partitions=facts["readings_partitions"],
        replication_lag_s={row["replica"]: row["seconds"] for row in await connection.fetch(_LAG)},
    )
