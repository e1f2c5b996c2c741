"""What time alone moves, in case nobody rang: holds that ran out, cars that fell silent, what need not be kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import structlog

from actions import links, offers
from rules.catalogue import BY_NAME
from rules.detectors.no_data import QUIET_FOR, Standing, silence, step_for
from schemas.alert import AlertState, AlertStep, Evidence
from schemas.message import MessageKind, asserts
from schemas.moment import minutes_between
from schemas.verdict import Severity
from store import accounts, alerts, cases, finding, idempotency, stages, sweeps
from store import offers as stored_offers
from store.alerts import Moved
from store.pool import transaction
from workers import notices
from workers.context import Context

log = structlog.get_logger()

SILENT = BY_NAME["silent_vehicle"]
KEYS_KEPT = timedelta(days=30)
_BATCH = 500


async def offers_once(context: Context) -> int:
    """Offers that never left are given up, and those whose hold ran out expire; each in its own transaction, so that
    one that cannot holds up no other.
    """
    async with transaction(context.pool) as connection:
        unasked, due = await stored_offers.unasked(connection), await sweeps.expired_offers(connection, context.clock())
    done = 0
    for dealer_id, offer_id in unasked:
        async with transaction(context.pool) as connection:
            done += await offers.give_up(connection, dealer_id, offer_id=offer_id, actor="worker", now=context.clock())
    for dealer_id, offer_id in due:
        async with transaction(context.pool) as connection:
            done += await offers.expire(connection, dealer_id, offer_id=offer_id, actor="worker", now=context.clock())
    return done


async def waiting_once(context: Context) -> int:
    """A customer who waits and hears nothing: the people at the desk are told, once for each silence."""
    now = context.clock()
    async with transaction(context.pool) as connection:
        found = await sweeps.unheard(connection, now)
        for one in found:
            dealer = await accounts.dealer(connection, one.dealer_id)
            case = await cases.get(connection, one.dealer_id, one.case_id)
            people = await notices.advisors(connection, dealer)
            people = [person for person in people if person.id == case.assignee_id] or people
            await notices.tell(
                context,
                connection,
                case=case,
                kind=MessageKind.STAFF_SILENCE,
                people=people,
                occasion=f"{one.booking_id}-{one.since.timestamp():.0f}",
                owner=one.owner,
                minutes=minutes_between(one.since, now),
                link=links.waiting(context.desk_url),
                asserts=[asserts("booking", one.booking_id, "arrived", "working")],
            )
    return len(found)


async def silence_once(context: Context) -> int:
    """Judge every car that was long not heard, and those that spoke again; only this rule, for readings judge all
    others.
    """
    moved, after, now = 0, 0, context.clock()
    while True:
        async with transaction(context.pool) as connection:
            stage = stages.stage_of(SILENT.name, SILENT.stage, await stages.stages(connection))
            if stage == "off":
                return moved
            cars = await sweeps.silent(connection, SILENT.name, heard_before=now - QUIET_FOR, after=after, limit=_BATCH)
            steps = [
                Moved(car.dealer_id, car.id, now.timestamp(), step)
                for car in cars
                for step in judged_silence(car, now, shadow=stage == "shadow")
            ]
            await alerts.move(connection, steps, now)
        moved += len(steps)
        if len(cars) < _BATCH:
            return moved
        after = cars[-1].id


async def words_once(context: Context) -> int:
    """Cars and owners that were there before search was get their words, some at a time."""
    written = 0
    while True:
        async with transaction(context.pool) as connection:
            found = await finding.fill(connection, _BATCH)
        written += found
        if not found:
            return written


async def forget_once(context: Context) -> None:
    """Answers to repeated requests are kept for a month."""
    async with transaction(context.pool) as connection:
        await idempotency.forget(connection, context.clock(), KEYS_KEPT)


def judged_silence(car: sweeps.Silent, now: datetime, *, shadow: bool = False) -> tuple[AlertStep, ...]:
    """The rule about silence over one car; each step keeps when the car had been heard, so that it can be judged
    again."""
    standing = None
    if car.state is not None:
        standing = Standing(AlertState(car.state), car.episode or 0, car.step or 0, Severity(car.severity or "advice"))
    steps = step_for(
        SILENT.name, SILENT.version, component="", standing=standing, verdict=silence(car.last_heard_at, now), now=now
    )
    return with_facts(steps, {"last_heard_at": car.last_heard_at.isoformat()}, shadow=shadow)


def with_facts(steps: Iterable[AlertStep], facts: Mapping[str, str], *, shadow: bool) -> tuple[AlertStep, ...]:
    """What the sweeper knew stands in each of its steps: no reading tells it again."""
    return tuple(
        step.model_copy(update={"evidence": Evidence(because=step.because, facts=dict(facts)), "shadow": shadow})
        for step in steps
    )
