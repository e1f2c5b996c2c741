"""Connections: a pool per role, an acquire that never waits forever, and the transaction of one dealer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import Any, TypeAlias

import asyncpg
import structlog
from pydantic_core import from_json, to_json

from schemas.errors import Unavailable
from store import witness
from store.connecting import CONNECT_S, dial

log = structlog.get_logger()

ACQUIRE_S = 2.0  #: an acquire without a time-out waits forever when the pool is exhausted (measured)
#: what opens a transaction locks nothing and reads no table: a line on which that takes so long is dead, whatever a
#: statement may take
BEGIN_S = 2.0
#: a statement that the server itself should have broken off so long ago is not coming back: the line is dead, or the
#: server is
STALL_S = 2.0
_EXPIRING = (
    "25006",
    "25P03",
    "57P",
    "08",
)  #: demoted, timed out, shut down, or a lost connection: the pool's others are as bad
#: serialization, deadlock, lock or statement time-out, no room (connections, disk, memory), a disk that failed or has
#: spoilt a page: no fault of the call
_BUSY = ("40001", "40P01", "55P03", "57014", "53", "58", "XX001", "XX002")
_LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

_CLASHED = ("40001", "40P01")

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


_waiting = Counter[int]()  # by the pool's id: asyncpg's pools take no attributes and no weak references
_refused = Counter[int]()
_commits: ContextVar[Commits | None] = ContextVar("commits", default=None)


class Clashed(Unavailable):
    """Two pieces of work got in each other's way, and {part} ended this one: nothing of it was done, and it may be done
    again at once.
    """


class Commits:
    """How many transactions a piece of work has ended well."""

    def __init__(self) -> None:
        self.count = 0


@contextmanager
def counting_commits() -> Iterator[Commits]:
    """What the block commits, and the tasks that it starts: whoever has committed nothing may begin again."""
    commits = Commits()
    before = _commits.set(commits)
    try:
        yield commits
    finally:
        _commits.reset(before)
        if outer := _commits.get():
            outer.count += commits.count


def _as_json(value: Any) -> str:
    """What the standard library would write, in a sixth of its time."""
    return to_json(value).decode()


async def _prepare(connection: Connection) -> None:
    """JSON columns are Python values, on every connection."""
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=_as_json, decoder=from_json, schema="pg_catalog")


async def connect(url: str, *, name: str, statement_timeout_ms: int = 30_000) -> Connection:
    """One connection of its own, for the gateway's writer and for commands."""
    connection: Connection | None = None
    try:
        connection = await dial(url, timeout=CONNECT_S, server_settings=_server_settings(name, statement_timeout_ms))
        await _prepare(connection)
    except _LOST as error:
        if connection is not None:
            connection.terminate()
        raise Unavailable("the database", type(error).__name__) from error
    return connection


@asynccontextmanager
async def line(url: str, *, name: str) -> AsyncIterator[Connection]:
    """A connection for as long as the block lasts, for who listens.

    Unavailable when it cannot be had or is cut, also right after it was made.
    """
    connection = await connect(url, name=name)
    try:
        yield connection
    except _LOST as error:
        if not is_passing(error):
            raise
        raise Unavailable("the database", type(error).__name__) from error
    finally:
        connection.terminate()


async def _leave(connection: Connection) -> None:
    """Nothing to wipe."""


async def open_pool(
    url: str, *, name: str, size: int = 8, statement_timeout_ms: int = 10_000, spotless: bool = False
) -> Pool:
    """A pool of at most `size` connections for one role.

    `spotless`: whoever uses it leaves nothing in a session (SET LOCAL only, transaction locks only), so that the
    round trip with which asyncpg wipes every connection it gets back is saved.
    """
    try:
        pool = await asyncpg.create_pool(
            url,
            connect=dial,
            min_size=1,
            max_size=size,
            timeout=CONNECT_S,
            command_timeout=statement_timeout_ms / 1000 + STALL_S,
            init=_prepare,
            server_settings=_server_settings(name, statement_timeout_ms),
            **({"reset": _leave} if spotless else {}),
        )
    except _LOST as error:
        raise Unavailable("the database", type(error).__name__) from error
    assert pool is not None
    return pool


def _server_settings(name: str, statement_timeout_ms: int) -> dict[str, str]:
    return {
        "application_name": f"telltale-{name}",
        # A machine that lost its power says no good-bye: its locks (a gateway's leases are locks) are free after 25 s,
        # not after two hours.
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "25000",
        "statement_timeout": str(statement_timeout_ms),
        "idle_in_transaction_session_timeout": "30000",
        "lock_timeout": "5000",
        "timezone": "UTC",
    }


@asynccontextmanager
async def transaction(pool: Pool, dealer_id: int | None = None) -> AsyncIterator[Connection]:
    """One transaction; with `dealer_id` it sees that dealer's rows only (row-level security).

    Raises Unavailable when no connection is free within two seconds, or the one that is does not answer within two, or
    the server is gone, and then expires the pool so that the next caller gets a fresh connection; also while this
    machine's clock and the database's contradict each other (store/witness.py).
    """
    _waiting[id(pool)] += 1
    try:
        connection = await pool.acquire(timeout=ACQUIRE_S)
    except (*_LOST, Unavailable) as error:
        _refused[id(pool)] += 1
        raise error if isinstance(error, Unavailable) else Unavailable("the database", type(error).__name__) from error
    finally:
        _waiting[id(pool)] -= 1
    work = connection.transaction()
    try:
        await _begin(connection, work)
        try:
            if dealer_id is not None:
                async with asyncio.timeout(BEGIN_S):
                    await connection.execute("SELECT set_config('app.dealer', $1, true)", str(dealer_id))
            yield connection
        except BaseException as error:
            await _undo(connection, work, error)
            raise
        await work.commit()
        if commits := _commits.get():
            commits.count += 1
    except _LOST as error:
        if isinstance(error, asyncpg.DataCorruptedError | asyncpg.IndexCorruptedError):
            log.critical("database_corrupted", reason=str(error), hint="stop, and restore: docs/howto/operate.md")
        if _others_are_as_bad(error):
            await pool.expire_connections()
        elif not _may_be_repeated(error):
            raise
        raise (Clashed if _clashed(error) else Unavailable)("the database", type(error).__name__) from error
    finally:
        with suppress(*_LOST):  # a dead connection is thrown away: what happened is decided above
            await pool.release(connection, timeout=ACQUIRE_S)


async def _begin(connection: Connection, work: asyncpg.transaction.Transaction) -> None:
    """On a line that went silent while it lay in the pool nothing comes back, and nobody waits until a statement would
    have had its time.
    """
    try:
        async with asyncio.timeout(BEGIN_S):
            await witness.agree(connection)
            await work.start()
    except TimeoutError:
        connection.terminate()  # else giving it back would wait for it, too
        raise


async def _undo(connection: Connection, work: asyncpg.transaction.Transaction, error: BaseException) -> None:
    """Roll back; but on a line that has gone dead a ROLLBACK would wait for the statement that never comes back."""
    try:
        if not isinstance(error, TimeoutError):
            async with asyncio.timeout(ACQUIRE_S):
                await work.rollback()
            return
    except _LOST:
        pass
    connection.terminate()


def _others_are_as_bad(error: BaseException) -> bool:
    """Whether the pool's other connections lead to the same dead end: a server that is gone, demoted, or silent."""
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate).startswith(_EXPIRING) or isinstance(error, asyncpg.InvalidCachedStatementError)
    return True


def _clashed(error: BaseException) -> bool:
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _CLASHED


def _may_be_repeated(error: BaseException) -> bool:
    """Whether it is the server's state and not the work: the same may succeed when it comes again."""
    return isinstance(error, asyncpg.PostgresError) and str(error.sqlstate).startswith(_BUSY)


def is_passing(error: BaseException) -> bool:
    """Whether the database's state of this moment is to blame and not the work: for whoever catches what `transaction`
    would have made Unavailable.
    """
    return isinstance(error, Unavailable) or (
        isinstance(error, _LOST) and (_others_are_as_bad(error) or _may_be_repeated(error))
    )


def waiting(pool: Pool) -> int:
    """How many wait for a connection of this pool right now."""
    return _waiting[id(pool)]


def refused(pool: Pool) -> int:
    """How many have waited in vain since the start."""
    return _refused[id(pool)]


async def answers(pool: Pool) -> bool:
    """Whether the database does a transaction for us at this moment."""
    try:
        async with asyncio.timeout(3), transaction(pool) as connection:
            await connection.execute("SELECT 1")
    except (Unavailable, *_LOST):
        return False
    return True


def as_dict(row: asyncpg.Record) -> dict[str, Any]:
    """A row as a plain dict, for the models."""
    return dict(row.items())
