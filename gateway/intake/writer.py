"""The gateway's hand on the database: one connection that writes and holds the leases, one that reads; both come
back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

import structlog

from gateway.intake.batch import Batch
from gateway.log_sampling import Seldom
from schemas.errors import Overtaken, Unavailable
from store import alerts, days, leases, readings, transactions
from store.pool import Connection, connect

log = structlog.get_logger()

Result = TypeVar("Result")
PAUSE_S = 0.1
LONGEST_PAUSE_S = 1.0
WRITE_TIMEOUT_S = 30.0  #: a statement that takes longer is a dead connection


def machine_now() -> datetime:
    """Machine time as a date, for leases."""
    return datetime.now(UTC)


class LostLease(Overtaken):
    """Another gateway took this {noun} while the database was away; this one leaves and starts anew."""


class Writer:
    """`holder` names this gateway in the leases."""

    def __init__(self, url: str, holder: str, share: str) -> None:
        self._url, self.holder, self.share = url, holder, share
        self.buckets: set[int] = set()
        self._writing: Connection | None = None
        self._reading: Connection | None = None
        self._backend: transactions.Backend | None = None  #: the server process of the last connection that held leases
        self._leaves: dict[int, str] = {}
        self._turn = asyncio.Lock()
        self._read_turn = asyncio.Lock()
        self.tried = time.monotonic()  #: machine time of the last attempt to write, whatever came of it
        self.down_since: float | None = None  #: machine time since when the database is away
        self._seldom = Seldom()  #: a full disk takes what needs no room and refuses the rest, in turn
        self.waits = 0.0  #: seconds spent on the database, for the bench

    # -- reading ------------------------------------------------------------------------------------------------------

    async def read(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Do a read, or a write that nothing waits for and that may be repeated, on the reading connection until the
        database answers.
        """
        pause = PAUSE_S
        async with self._read_turn:
            while True:
                try:
                    if self._reading is None or self._reading.is_closed():
                        self._reading = await connect(self._url, name="gateway-reader")
                    return await work(self._reading)
                except Exception as error:
                    if not (isinstance(error, Unavailable) or readings.is_lost_connection(error)):
                        raise
                    self._away(error)
                    if self._reading is not None:
                        self._reading.terminate()
                        self._reading = None
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_S, pause * 2)

    # -- writing ------------------------------------------------------------------------------------------------------

    async def write(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Something that is not a batch, on the writing connection, once; Unavailable when the database is away."""
        async with self._turn:
            self.tried = time.monotonic()
            try:
                async with asyncio.timeout(WRITE_TIMEOUT_S):
                    done = await work(await self._connection())
            except Exception as error:
                if not (isinstance(error, Unavailable) or readings.is_lost_connection(error)):
                    raise
                self._away(error)
                self._drop()
                raise Unavailable("the database", type(error).__name__) from error
            self.down_since = None
            return done

    async def save(self, batch: Batch, versions: dict[str, int]) -> dict[tuple[int, int, int], str]:
        """Commit the batch, however long it takes.

        Returns the rows that the database refuses; then nothing is stored.
        """
        pause, taken_away = PAUSE_S, False
        async with self._turn:
            while True:
                self.tried = time.monotonic()
                try:
                    connection = await self._connection()
                    if batch.tried and await self._landed(connection, batch):
                        return {}
                    batch.tried = True
                    started = time.monotonic()
                    async with asyncio.timeout(WRITE_TIMEOUT_S):
                        await self._commit(connection, batch, versions)
                    self.waits += time.monotonic() - started
                    self.down_since = None
                    return {}
                except Exception as error:
                    if readings.is_bad_row(error):
                        bad = await self._bad_rows(batch)
                        if bad:
                            return bad
                        continue
                    if days.is_taken_away(error) and not taken_away:
                        taken_away = True
                        self._leaves.clear()
                        continue
                    if not (isinstance(error, Unavailable) or readings.is_lost_connection(error)):
                        raise
                    self._away(error)
                    self._drop()
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_S, pause * 2)

    async def _commit(self, connection: Connection, batch: Batch, versions: dict[str, int]) -> None:
        leaves = {day: await self._leaf(connection, day) for day in batch.rows}
        if batch.only_rows:  # one COPY is a transaction by itself
            ((day, rows),) = batch.rows.items()
            await readings.copy_in(connection, leaves[day], rows)
            return
        async with connection.transaction():
            batch.xid = None if batch.rows else await transactions.name(connection)
            for day in sorted(batch.rows):
                await readings.copy_in(connection, leaves[day], batch.rows[day])
            if batch.more:
                await batch.write_rest(connection, versions)

    async def _landed(self, connection: Connection, batch: Batch) -> bool:
        """Whether the last try was committed after all. Its server process is gone, so the answer is final."""
        if batch.rows:
            day, rows = next(iter(batch.rows.items()))
            return await readings.exists(connection, readings.key_of(rows[0]), day)
        return batch.xid is not None and await transactions.committed(connection, batch.xid)

    async def _bad_rows(self, batch: Batch) -> dict[tuple[int, int, int], str]:
        """Which rows they are, by halving, with nothing stored in the end."""
        connection = await self._connection()
        found: dict[tuple[int, int, int], str] = {}
        trial = connection.transaction()
        await trial.start()
        try:
            for day, rows in batch.rows.items():
                for n, why in await readings.copy_survivors(connection, await self._leaf(connection, day), rows):
                    found[readings.key_of(rows[n])] = why
        finally:
            with suppress(Exception):
                await trial.rollback()
        if not found and not await self._drop_bad_steps(connection, batch):
            raise RuntimeError("the database refused a batch without a bad row in it")
        return found

    async def _drop_bad_steps(self, connection: Connection, batch: Batch) -> bool:
        """Alert steps that the database refuses are our bug: counted, taken out, so that they stop no reading."""
        good, trial = [], connection.transaction()
        await trial.start()
        for moved in batch.moved:
            try:
                async with connection.transaction():
                    await alerts.move(connection, [moved], batch.now)
                good.append(moved)
            except Exception as error:
                if not readings.is_bad_row(error):
                    raise
                log.error("alert_step_refused", vehicle=moved.vehicle_id, rule=moved.step.rule, reason=str(error))
                batch.count(moved.dealer_id, "alert_step_refused", moved.step.rule, 1, str(error)[:300])
        await trial.rollback()
        dropped = len(good) < len(batch.moved)
        batch.moved = good
        return dropped

    async def _leaf(self, connection: Connection, day: int) -> str:
        leaf = self._leaves.get(day)
        if leaf is None:
            leaf = self._leaves[day] = await days.open_leaf(connection, day)
        return leaf

    # -- connection and leases ----------------------------------------------------------------------------------------

    async def _connection(self) -> Connection:
        """The writing connection, with every lease we hold; made anew if need be."""
        if self._writing is not None and not self._writing.is_closed():
            return self._writing
        fresh = await connect(self._url, name="gateway")
        try:
            if self._backend is not None:
                await transactions.end_backend(fresh, self._backend)
            await transactions.check_settings(fresh)
            for bucket in sorted(self.buckets):
                await self._take_back(fresh, bucket)
            self._backend = await transactions.backend(fresh)
        except BaseException:
            fresh.terminate()
            raise
        if self.down_since is not None:
            log.info("database_back", after_s=round(time.monotonic() - self.down_since, 1))
        self._leaves.clear()
        self._writing = fresh
        return fresh

    async def _take_back(self, connection: Connection, bucket: int) -> None:
        for _ in range(50):
            back = await leases.take_back(connection, bucket, self.holder)
            if back:
                return
            if back is None:
                break
            await asyncio.sleep(0.1)
        raise LostLease(f"bucket {bucket:02d}")

    async def take(self, buckets: list[int]) -> list[int]:
        """Try to lease these; returns those that we have now."""

        async def all_of(connection: Connection) -> list[int]:
            got = []
            for bucket in buckets:
                if await leases.take(connection, bucket, self.holder, self.share, machine_now()):
                    self.buckets.add(bucket)
                    got.append(bucket)
            return got

        return await self.write(all_of)

    async def give(self, bucket: int) -> None:
        """Let a bucket go; its last batch is committed."""
        self.buckets.discard(bucket)
        await self.write(lambda connection: leases.give(connection, bucket, self.holder))

    def _away(self, error: BaseException) -> None:
        if self.down_since is None:
            self.down_since = time.monotonic()
            self._seldom.say(
                log.warning,
                "database_away",
                reason=type(error).__name__,
                hint="nothing is acknowledged until it is back",
            )

    def _drop(self) -> None:
        if self._writing is not None:
            self._writing.terminate()
            self._writing = None

    async def close(self) -> None:
        for connection in (self._writing, self._reading):
            if connection is not None:
                with suppress(Exception):
                    await connection.close(timeout=2)
