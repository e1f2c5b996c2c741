"""Run the workers until cancelled: a few loops of the same shape, woken by bells and by a slow tick."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from monitoring.page import Address
from providers.register import ALIASES, ProviderSettings, open_channels
from providers.roads import open_roads
from rules.service.clocks import apart
from rules.service.wording import Wording
from schemas.case import Case
from schemas.errors import TelltaleError, Unavailable
from store import cases, clock, notifications, sweeps
from store.house_key import KeyHolder
from store.pool import connect, open_pool, transaction
from store.witness import ClocksApart
from workers import (
    driver_notices,
    job_runner,
    keeping,
    lateness,
    missed_replies,
    promoted_rules,
    recalling,
    sending,
    sweeping,
    verifying,
)
from workers.context import Context
from workers.health import Health
from workers.metrics import SWEPT
from workers.sealing import Sealer

log = structlog.get_logger()

SENDERS, HANDS = 4, 2
#: of one process: the bell, two for each sender (its own and its channel's), one for each hand, four for the sweeps
CONNECTIONS = 15
TICK_S = 0.5  #: machine time between two looks when no bell rang
SWEEP_S, SILENCE_S, FORGET_S, PROOF_S, RECONCILE_S, DRIVES_S, PROMISES_S, TRIALS_S = (
    1.0,
    60.0,
    3600.0,
    2.0,
    2.0,
    2.0,
    2.0,
    5.0,
)
WAYS_S = 15.0  #: a drive that was just agreed has an estimate until then
SEAL_S = 1.0  #: history waits no longer for its seal
CLOCK_S = 10.0  #: between two looks at the database's clock
_RAREST_S = 300.0  #: a repair that has waited for days for its proof can wait this long for a look
FETCH_S = 120.0  #: a STOP that our door missed waits no longer than this
_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0


async def run(
    *,
    database_url: str,
    clock: Callable[[], datetime],
    wording: Wording,
    desk_url: str = "",
    providers: ProviderSettings | None = None,
    staff_channel: str = "phone",
    time_lapse: bool = False,
    connections: int = CONNECTIONS,
    secrets: Sequence[str] = (),
    retention_days: int = 400,
    health: Address = Address(),  # noqa: B008
    ready: Callable[..., None] = lambda **facts: None,
) -> None:
    """`database_url` signs in as the worker's role; `ready(health=url)` is called once the loops run and the bell is
    heard. With fewer than 15 `connections` to the database there are fewer senders; with nine there is one. `secrets`:
    TELLTALE_SECRET and the one before.
    """
    pool = await open_pool(database_url, name="workers", size=connections - 1)
    ways = open_channels(providers or ProviderSettings(), pool, clock, time_lapse=time_lapse, public_url=desk_url)
    context = Context(
        pool,
        clock,
        wording=wording,
        channels=ways,
        desk_url=desk_url,
        staff_channel=ALIASES.get(staff_channel, staff_channel),
        roads=open_roads(providers or ProviderSettings()),
        house_key=KeyHolder(*secrets) if secrets else None,
    )
    well = Health(pool, clock, context.machine)
    try:
        async with well.page().open(health) as url:
            async with asyncio.TaskGroup() as tasks:
                if not time_lapse:
                    well.clock_off = "not compared with the database's yet"
                    tasks.create_task(_follow_clock(context, well), name="clock")
                senders = min(SENDERS, (connections - 1 - HANDS - 4) // 2)
                tasks.create_task(
                    serve(
                        context,
                        database_url,
                        partial(ready, health=url),
                        well,
                        senders=senders,
                        retention_days=retention_days,
                    ),
                    name="loops",
                )
    finally:
        for way in set(ways.values()):
            await way.close()
        await context.roads.close()
        await asyncio.wait_for(_close(pool), 5)


async def serve(
    context: Context,
    database_url: str,
    ready: Callable[..., None] = lambda **facts: None,
    health: Health | None = None,
    *,
    senders: int = SENDERS,
    retention_days: int = 400,
) -> None:
    """All loops over one context; separate from `run` so that a proof can hand in one of its own."""
    bell, health = Bell(), health or Health(context.pool, context.clock, context.machine)
    _loop = partial(_turning, health)
    verifier = Verifier(context)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(_listen(database_url, bell, health.listening), name="bell")
        for n in range(senders):
            loops.create_task(_loop(f"sender {n}", lambda: sending.one(context), bell, TICK_S))
        for n in range(HANDS):
            loops.create_task(_loop(f"hand {n}", lambda: job_runner.one(context), bell, TICK_S))
        loops.create_task(_loop("reconcile", lambda: sending.reconcile(context), None, RECONCILE_S))
        loops.create_task(_loop("offers", lambda: _swept("offers", sweeping.offers_once(context)), None, SWEEP_S))
        loops.create_task(_loop("waiting", lambda: _swept("waiting", sweeping.waiting_once(context)), None, SWEEP_S))
        loops.create_task(
            _loop("drives", lambda: _swept("drives", driver_notices.drives_once(context)), None, DRIVES_S)
        )
        loops.create_task(
            _loop("promises", lambda: _swept("promises", lateness.promises_once(context)), None, PROMISES_S)
        )
        loops.create_task(_loop("silence", lambda: _swept("silence", sweeping.silence_once(context)), None, SILENCE_S))
        loops.create_task(_loop("recalls", lambda: _swept("recalls", recalling.recalls_once(context)), None, SILENCE_S))
        loops.create_task(_loop("trials", lambda: _swept("trials", promoted_rules.finds_once(context)), None, TRIALS_S))
        loops.create_task(_loop("words", lambda: _swept("words", sweeping.words_once(context)), None, FORGET_S))
        loops.create_task(_loop("forget", lambda: _swept("forget", sweeping.forget_once(context)), None, FORGET_S))
        loops.create_task(
            _loop("keeping", lambda: _swept("keeping", keeping.once(context, retention_days)), None, FORGET_S / 12)
        )
        loops.create_task(_loop("proofs", verifier.once, None, PROOF_S))
        if context.house_key is not None:
            loops.create_task(_loop("audit", Sealer(context, context.house_key).once, None, SEAL_S))
        if (sms := context.channels.get("sms")) is not None and sms.missed is not None:
            loops.create_task(
                _loop("missed texts", lambda: _swept("missed texts", missed_replies.once(context, sms)), None, FETCH_S)
            )
        await health.listening.wait()
        ready()


class Bell:
    """One ring wakes every loop that waits."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()
        self.rings = 0

    def ring(self, _payload: dict[str, Any] | None = None) -> None:
        """Somebody put work down."""
        self.rings += 1
        for event in self._waiting:
            event.set()

    async def wait(self, seconds: float, heard: int) -> None:
        """Until it rings, at most so long; not at all when it has rung since `rings` was `heard`."""
        if self.rings != heard:
            return
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting.discard(event)


class Verifier:
    """Cases that wait for their car's proof: looked at when the car has been heard since the last look."""

    def __init__(self, context: Context) -> None:
        self._context, self._seen = context, dict[int, datetime | None]()
        self._first: dict[int, float] = {}  # machine time of the first look: the longer it takes, the rarer we look
        self._next: dict[int, float] = {}

    async def once(self) -> bool:
        """Look at each such case once; failures of one do not stop the others."""
        async with transaction(self._context.pool) as connection:
            waiting = await cases.verifying(connection)
        self._seen = {case.id: self._seen[case.id] for case in waiting if case.id in self._seen}
        for known in (self._first, self._next):
            for gone in known.keys() - {case.id for case in waiting}:
                del known[gone]
        for case in waiting:
            if self._next.get(case.id, 0.0) > time.monotonic():
                continue
            try:
                await self._look(case)
            except Unavailable:
                raise
            except Exception:
                log.exception("a repair could not be checked", case=case.id)
        return False

    async def _look(self, case: Case) -> None:
        async with transaction(self._context.pool) as connection:
            heard = await sweeps.last_heard(connection, case.vehicle_id)
            if case.id in self._seen and self._seen[case.id] == heard:
                return
            fresh = await cases.get(connection, case.dealer_id, case.id, lock=True)
            answer = await verifying.check(self._context, connection, fresh)
        self._seen[case.id] = heard
        now = time.monotonic()
        self._next[case.id] = now + min(_RAREST_S, (now - self._first.setdefault(case.id, now)) / 20)
        if answer is not None:
            log.info("repair checked", case=case.id, answer=type(answer).__name__, because=answer.because)


async def _agree(context: Context, health: Health) -> None:
    """What time alone makes due is texted, expired and forgotten for good: not while our clock and the database's
    disagree.
    """
    before = context.clock()
    try:
        async with transaction(context.pool) as connection:
            told = await clock.witness(connection)
    except ClocksApart as error:
        health.clock_off = error.off
        return
    except Unavailable:  # then nothing is done anyhow
        return
    off = None if told.time_lapse else apart(min(max(told.business, before), context.clock()), told.business)
    if (off is None) is not (health.clock_off is None):
        (log.error if off else log.info)(
            "clocks_disagree" if off else "clocks_agree",
            own=context.clock().isoformat(),
            database=told.business.isoformat(),
            off=off,
        )
    health.clock_off = off


async def _follow_clock(context: Context, health: Health) -> None:
    while True:
        await _agree(context, health)
        await asyncio.sleep(CLOCK_S if health.clock_off is None else 1.0)


async def _turning(
    health: Health, name: str, step: Callable[[], Awaitable[bool]], bell: Bell | None, tick_s: float
) -> None:
    """Work while there is work, then wait for the bell or the tick. Nothing but cancellation ends it."""
    pause = _PAUSE_S
    health.turned(name, "started", 0)
    while True:
        if health.clock_off is not None:
            health.turned(name, "idle", CLOCK_S)
            await asyncio.sleep(1.0)
            continue
        heard = bell.rings if bell is not None else 0
        try:
            worked = await step()
            pause = _PAUSE_S
        except asyncio.CancelledError:
            raise
        except Exception as error:
            if not isinstance(error, Unavailable):
                log.exception("a worker stumbled", loop=name, known=isinstance(error, TelltaleError))
            await asyncio.sleep(random.uniform(_PAUSE_S / 2, pause))
            pause = min(pause * 2, _LONGEST_PAUSE_S)
            health.turned(name, "failed", 0)
            continue
        health.turned(name, "worked" if worked else "idle", 0 if worked else tick_s)
        if not worked:
            await (bell.wait(tick_s, heard) if bell is not None else asyncio.sleep(tick_s))


async def _listen(database_url: str, bell: Bell, listening: asyncio.Event) -> None:
    """Hear the bell; when the connection is lost, get another one and ring once, for a bell may have been missed."""
    pause = _PAUSE_S
    while True:
        try:
            await _hear(database_url, bell, listening)
            pause = _PAUSE_S
        except Exception as error:  # cut off while connecting, or nobody there: whatever it is, try again
            log.info("the bell is not heard", error=type(error).__name__)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        await asyncio.sleep(random.uniform(0, pause))


async def _hear(database_url: str, bell: Bell, listening: asyncio.Event) -> None:
    """Until this connection is lost."""
    lost = asyncio.Event()
    connection = await connect(database_url, name="workers-bell")
    try:
        connection.add_termination_listener(partial(_set, lost))
        await notifications.listen(connection, notifications.JOBS, bell.ring)
        listening.set()
        bell.ring()
        await lost.wait()
    finally:
        listening.clear()
        connection.terminate()


def _set(event: asyncio.Event, _connection: object) -> None:
    event.set()


async def _swept(sweep: str, work: Awaitable[int | None]) -> bool:
    """Work that needs no second look at once; how much there was is counted."""
    SWEPT.labels(sweep).inc(await work or 0)
    return False


async def _close(pool: Any) -> None:
    try:
        async with asyncio.timeout(3):
            await pool.close()
    except TimeoutError:
        pool.terminate()
