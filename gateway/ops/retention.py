"""Days of readings come and go: tomorrow's leaf is there before it is needed, days past retention leave in two
steps.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from gateway.intake.partitions import Leaves
from gateway.intake.writer import Writer
from rules.service import retention
from rules.service.retention import Plan, Witnesses, date_of, day_of
from schemas.moment import from_epoch
from store import clock, days
from store.pool import Connection

log = structlog.get_logger()

STRAYS_AT_ONCE: Final = 5_000
Tally = Callable[..., None]


class Retention:
    """`now` is this gateway's business clock: one witness among others. `tally` tells the desk what was refused."""

    def __init__(
        self, writer: Writer, now: Callable[[], datetime], keep_days: int, leaves: Leaves, tally: Tally
    ) -> None:
        self._writer, self._now, self._keep_days, self._leaves, self._tally = writer, now, keep_days, leaves, tally
        self._told = ("", 0)  #: what was said last, and on which day of machine time

    async def learn(self) -> None:
        """Which days have a leaf already, also by the work of other gateways."""
        self._leaves.turn(self._now().timestamp())
        self._leaves.exist(await self._writer.read(days.attached))

    async def once(self) -> Plan:
        """One look; what it did."""
        told = await self._writer.read(clock.witness)
        await self._writer.read(partial(days.open_leaf, day=min(day_of(self._now()), day_of(told.business)) + 1))
        await self.learn()
        if 0 not in self._writer.buckets:  # one gateway does it for all
            return Plan()
        attached, detached = await self._writer.read(days.attached), await self._writer.read(days.detached)
        newest = await self._writer.read(partial(days.newest_spoken, days=attached))
        word = await self._writer.read(days.word)
        plan = retention.plan(
            attached,
            detached,
            self._keep_days,
            Witnesses(self._now(), told.business, newest=newest, machine=told.machine, speed=told.speed, word=word),
        )
        await self._carry_out(plan)
        self._say(plan, told.machine)
        return plan

    async def _carry_out(self, plan: Plan) -> None:
        counts = {"attached": 0, "dropped": 0, "detached": 0, "waiting": 0}
        for what, step, which in (
            ("attached", days.attach, plan.attach),
            ("dropped", days.drop, plan.drop),
            ("detached", days.detach, plan.detach),
        ):
            for day in which:
                counts[what if await self._writer.read(partial(_step, step=step, day=day)) else "waiting"] += 1
        strays = 0
        if plan.first_kept is not None:
            limit = from_epoch(plan.first_kept * 86_400.0)
            strays = await self._writer.read(partial(days.drop_strays, received_before=limit, most=STRAYS_AT_ONCE))
        if strays or any(counts.values()):
            first = min((*plan.attach, *plan.drop, *plan.detach), default=None)
            log.info("retention", **counts, strays=strays, first=None if first is None else date_of(first).isoformat())

    def _say(self, plan: Plan, machine: datetime) -> None:
        """Loudly, and once a day."""
        refusal = (plan.refused, day_of(machine))
        if plan.refused and refusal != self._told:
            log.error("retention_refused", reason=plan.refused, hint="telltale retention shows and decides")
            self._tally(None, "retention_refused", "readings", 1, plan.refused)
        self._told = refusal


async def _step(connection: Connection, step: Callable[..., object], day: int) -> bool:
    done: bool = await step(connection, day)  # type: ignore[misc]
    return done
