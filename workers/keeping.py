"""What is past its limit is taken away, once a day for each dealer, a piece at a time, and history says so.

What day it is is known to three: our clock, the database and the cars (rules/service/retention.py). What no witness
calls past its limit stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from rules.service import audit_chain as chains
from rules.service.retention import Witnesses, day_of, today
from schemas.keeping import WHERE, WHERE_IDS
from schemas.moment import from_epoch
from store import audit, clock, days, history, keeping
from store.keeping import Due
from store.pool import Connection, transaction
from workers.context import Context

log = structlog.get_logger()

EVERY: Final = timedelta(days=1)
BLOCKS: Final = 256  #: of a day of readings at once: 2 MiB
ROWS: Final = 1_000
IMPOSSIBLE: Final = 0  #: the day that all impossible ones share


async def once(context: Context, retention_days: int) -> int:
    """Every dealer for whom it is time; how much went.

    `retention_days`: what the whole house keeps of readings, a day at a time.
    """
    now = context.clock()
    async with transaction(context.pool) as connection:
        told = await clock.witness(connection)
        newest = await days.newest_spoken(connection, await days.attached(connection))
        day = today(
            Witnesses(
                now,
                told.business,
                newest=newest,
                machine=told.machine,
                speed=told.speed,
                word=await days.word(connection),
            )
        )
        found = await keeping.due(connection, now - EVERY)
    gone = 0
    for one in found if day is not None else ():
        gone += await Keeper(context, one, day or 0, retention_days).run(now)
    return gone


class Keeper:
    """One dealer, one day."""

    def __init__(self, context: Context, due: Due, today: int, retention_days: int) -> None:
        self._context, self._dealer, self._days, self._house_days = context, due.dealer_id, due.days, retention_days
        self._today = today
        self.gone = Counter[str]()

    async def run(self, now: datetime) -> int:
        """All kinds. What fails is tried again an hour later; what has gone by then is told all the same."""
        async with transaction(self._context.pool) as connection:
            if not await keeping.begin(connection, self._dealer, now, now - EVERY):  # another worker has it
                return 0
        whole = False
        try:
            if self._dealer != keeping.HOUSE:
                await self._readings()
                await self._positions()
                await self._texts()
            await self._refused()
            await self._audit()
            whole = True
        finally:
            await self._tell(now, whole)
        return self.gone.total()

    def _limit(self, kind: str) -> datetime:
        """What is older than this is past its limit."""
        return from_epoch((self._today - self._days[kind]) * 86_400.0)

    async def _readings(self) -> None:
        if self._days["readings"] >= self._house_days:  # whole days go for all dealers, by the gateway and in two steps
            return
        async with transaction(self._context.pool) as connection:
            needed = await keeping.spared(connection, self._dealer)
        await self._thin("readings", None, {car: day_of(since) for car, since in needed.items()})

    async def _positions(self) -> None:
        await self._thin("positions", WHERE_IDS, {})
        limit = self._limit("positions")
        async with transaction(self._context.pool) as connection:
            self.gone["positions"] += await keeping.where_last(connection, self._dealer, WHERE, limit)

    async def _thin(self, what: str, signals: tuple[int, ...] | None, needed: dict[int, int]) -> None:
        limit = self._limit(what)
        async with transaction(self._context.pool) as connection:
            there, arrived = await days.attached(connection), await keeping.arrived(connection)
            done = await keeping.days_done(connection, self._dealer, what)
            await keeping.forget_days(connection, self._dealer, there)
        for day in [
            IMPOSSIBLE,
            *(day for day in there if day < day_of(limit) and done.get(day) != arrived.get(day, 0)),
        ]:
            spared = [car for car, since in needed.items() if day == IMPOSSIBLE or since <= day]
            block = 0
            thin = partial(
                keeping.thin,
                day=day,
                dealer_id=self._dealer,
                signals=signals,
                spared=spared,
                before=limit,
                blocks=BLOCKS,
            )
            while (went := await self._piece(partial(thin, first_block=block))) is not None:
                self.gone[what] += went
                block += BLOCKS
            if day != IMPOSSIBLE and not spared:
                async with transaction(self._context.pool) as connection:
                    await keeping.day_done(connection, self._dealer, what=what, day=day, arrived=arrived.get(day, 0))

    async def _texts(self) -> None:
        for table in keeping.TEXTS:
            after: int | None = 0
            while after is not None:
                async with transaction(self._context.pool) as connection:
                    went, after = await keeping.words(
                        connection, table, dealer_id=self._dealer, before=self._limit("texts"), after=after, most=ROWS
                    )
                self.gone["texts"] += went

    async def _refused(self) -> None:
        while went := await self._piece(lambda c: keeping.refused(c, self._dealer, self._limit("positions"), ROWS)):
            self.gone["refused messages"] += went

    async def _audit(self) -> None:
        if self._context.house_key is None:
            return
        while True:
            async with transaction(self._context.pool) as connection:
                key = await self._context.house_key.key(connection)
                stays = await audit.first_that_stays(connection, self._dealer, self._limit("audit"))
                begins = await audit.start(connection, self._dealer)
                last = (
                    await audit.at(connection, self._dealer, min(stays - 1, (begins.position if begins else 0) + ROWS))
                    if stays
                    else None
                )
                if last is None:
                    return
                self.gone["audit"] += await audit.cut(
                    connection, chains.start(key, self._dealer, last.position, last.hash)
                )

    async def _piece(self, work: Callable[[Connection], Awaitable[int | None]]) -> int | None:
        async with transaction(self._context.pool) as connection:
            return await work(connection)

    async def _tell(self, now: datetime, whole: bool) -> None:
        gone = {what: count for what, count in self.gone.items() if count}
        async with transaction(self._context.pool) as connection:
            await keeping.done(connection, self._dealer, gone)
            if not whole:
                await keeping.again(connection, self._dealer, now)
            if gone:
                reason = "past its limit: " + ", ".join(f"{count:,} {what}" for what, count in gone.items())
                await history.write(
                    connection,
                    self._dealer,
                    "dealer",
                    self._dealer,
                    old=None,
                    new="taken away",
                    reason=reason,
                    actor="worker",
                    now=now,
                )
        if gone:
            log.info(
                "taken_away", dealer=self._dealer, **{what.replace(" ", "_"): count for what, count in gone.items()}
            )
