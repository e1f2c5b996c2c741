"""Questions to the server about itself: is it safe to promise anything, and how did an interrupted commit end?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas.errors import Misconfigured, Unavailable
from store.pool import Connection

_NAME = "SELECT pg_current_xact_id()::text"
_COMMITTED = "SELECT pg_xact_status($1::text::xid8)"
_BACKEND = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2"
_SETTINGS = """
SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes'),
  pg_is_in_recovery(),
       current_setting('default_transaction_read_only'), current_setting('server_version_num')::int
"""


async def name(connection: Connection) -> str:
    """The running transaction's name, by which its end can be asked for after the connection is lost."""
    return str(await connection.fetchval(_NAME))


async def committed(connection: Connection, transaction: str) -> bool:
    """Whether that transaction was committed."""
    return bool(await connection.fetchval(_COMMITTED, transaction) == "committed")


@dataclass(frozen=True, slots=True)
class Backend:
    """One server process.

    Its number alone names nobody: after a failover another server may have given it to a fellow gateway's.
    """

    pid: int
    began: datetime  #: to the microsecond, by the server's clock


async def backend(connection: Connection) -> Backend:
    """The server process behind this connection."""
    return Backend(*await connection.fetchrow(_BACKEND))


async def end_backend(connection: Connection, former: Backend) -> None:
    """End our own former server process, should it still hold our locks behind a dead connection; nobody else's."""
    await connection.execute(_END, former.pid, former.began)


async def check_settings(connection: Connection) -> None:
    """Refuse a server on which COMMIT does not mean *on disk*; a server that only reads is waited for."""
    fsync, synchronous, pages, standby, read_only, version = await connection.fetchrow(_SETTINGS)
    for setting, value in (("fsync", fsync), ("synchronous_commit", synchronous), ("full_page_writes", pages)):
        if value == "off":
            raise Misconfigured(
                f"PostgreSQL's {setting}",
                "is off: what is committed could be lost, and we have promised that it is not. Turn it on",
            )
    if version < 150_000:
        raise Misconfigured("PostgreSQL", f"version {version // 10_000} is too old: 15 or newer is needed")
    if standby or read_only == "on":
        raise Unavailable("the database", "it only reads (a standby, or a demoted server)")
