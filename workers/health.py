"""How the workers are: *live* while every loop turns, *ready* while the bell is heard and the database answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

from monitoring.page import HealthPage, State
from providers.register import CHANNELS, known
from store import cases, jobs, messages, server
from store.pool import Pool, answers, transaction
from workers import metrics

STUCK_S = 600.0  #: a turn that takes longer than this over its time hangs: no statement, provider or retry is that slow


class Health:
    """What `/health/live`, `/health/ready` and `/metrics` say. `clock` is business time, `machine` machine time."""

    def __init__(self, pool: Pool, clock: Callable[[], datetime], machine: Callable[[], datetime]) -> None:
        self._pool, self._clock, self._machine = pool, clock, machine
        self.listening = asyncio.Event()
        for channel in CHANNELS:  # a series must stand at zero before it moves, or nobody sees its first step
            metrics.SENT.labels(channel)
            for why in metrics.GIVEN_UP:
                metrics.FAILED.labels(channel, why)
        self.clock_off: str | None = None  #: how far our clock is from the database's; until they agree nothing is done
        self._next = dict[str, float]()  #: loop -> when it should have turned again

    def turned(self, loop: str, outcome: str, again_s: float) -> None:
        """A loop has come round: it worked, was idle or failed, and will come round again in `again_s`."""
        self._next[loop] = time.monotonic() + again_s
        metrics.TURNS.labels(loop, outcome).inc()
        metrics.LAST_TURN.labels(loop).set(self._machine().timestamp())

    def page(self) -> HealthPage:
        """The page of these workers."""
        return HealthPage("workers", live=self.stuck, ready=self.state, look=self.look)

    def stuck(self) -> list[str]:
        """The loops that hang. One that fails turns: it tries again by itself."""
        now = time.monotonic()
        return [
            f"the loop {loop!r} has not turned for {now - due:.0f} s longer than it should"
            for loop, due in self._next.items()
            if now - due > STUCK_S
        ]

    async def state(self) -> State:
        """Whether work is done at this moment."""
        state = State()
        if not await answers(self._pool):
            state.faults.append("the database is away")
        if self.clock_off is not None:
            state.faults.append(f"this machine's clock is {self.clock_off}")
        if not self.listening.is_set():
            state.faults.append("the bell is not heard")
        return state

    async def look(self) -> None:
        """What waits in the database, before a scrape; what cannot be known is left out rather than told as it was."""
        for gauge in (
            metrics.JOBS,
            metrics.JOBS_AGE,
            metrics.QUEUED,
            metrics.QUEUED_AGE,
            metrics.CLAIMED,
            metrics.CONNECTIONS,
            metrics.LAG,
            metrics.CASES,
        ):
            gauge.clear()
        metrics.DATABASE_UP.set(0)
        now = self._clock()
        async with transaction(self._pool) as connection:
            work = await jobs.backlog(connection, now)
            texts = await messages.backlog(connection, now)
            standing = await cases.standing(connection)
            facts = await server.look(connection, self._machine())
        metrics.DATABASE_UP.set(1)
        for one in work:
            metrics.JOBS.labels(one.topic).set(one.due)
            metrics.JOBS_AGE.labels(one.topic).set((now - one.oldest).total_seconds())
        for text in texts:
            metrics.QUEUED.labels(known(text.channel)).set(text.due)
            metrics.QUEUED_AGE.labels(known(text.channel)).set(
                (now - text.oldest).total_seconds() if text.oldest else 0
            )
            metrics.CLAIMED.labels(known(text.channel)).set(text.claimed)
        for (state, severity), count in standing.items():
            metrics.CASES.labels(state, severity).set(count)
        _server(facts)


def _server(facts: server.Server) -> None:
    for application, count in facts.connections.items():
        metrics.CONNECTIONS.labels(application).set(count)
    for replica, seconds in facts.replication_lag_s.items():
        metrics.LAG.labels(replica).set(seconds)
    metrics.CONNECTIONS_MAX.set(facts.connections_limit)
    metrics.OLDEST_TRANSACTION.set(facts.oldest_transaction_s)
    metrics.SIZE.set(facts.bytes)
    metrics.PARTITIONS.set(facts.readings_partitions)
