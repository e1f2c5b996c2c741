"""A rule that was on trial may speak: what it has found by then comes before the desk as one batch, as fast as the
workshop can take it.

Looked up from the rows again and again, not once when the stage was moved: so nothing is forgotten that a gateway
wrote in the second before it heard of the move, or that waited while the workers were away.
"""

from __future__ import annotations

import structlog

from actions import links
from rules.catalogue import BY_NAME
from rules.service import pacing
from schemas.account import Dealer
from schemas.message import MessageKind
from schemas.slot import ResourceKind
from schemas.verdict import Severity
from store import accounts, slots, stages, trials
from store.pool import Connection, transaction
from store.stages import Stage
from store.trials import Waiting
from workers import notices
from workers.context import Context

log = structlog.get_logger()


async def finds_once(context: Context) -> int:
    """Whatever may come before the desk now, of every dealer; each in its own transaction."""
    async with transaction(context.pool) as connection:
        moved = await stages.stages(connection)
        rules = [rule.name for rule in BY_NAME.values() if stages.stage_of(rule.name, rule.stage, moved) == "live"]
        dealers = await trials.dealers_waiting(connection, rules)
    done = 0
    for dealer_id in dealers:
        async with transaction(context.pool) as connection:
            done += await _wake(
                context, connection, dealer=await accounts.dealer(connection, dealer_id), rules=rules, moved=moved
            )
    return done


async def _wake(
    context: Context, connection: Connection, dealer: Dealer, rules: list[str], moved: dict[str, Stage]
) -> int:
    now = context.clock()
    waiting = await trials.waiting(connection, dealer.id, rules)
    bays = sum(one.kind is ResourceKind.BAY for one in await slots.resources(connection, dealer.id))
    today = await trials.cars_put_before_the_desk(connection, dealer.id, *pacing.day_of(dealer, now))
    places = pacing.visits_a_day(dealer, bays, now) - today
    found = [
        pacing.Found(one.id, one.vehicle_id, severity=Severity(one.severity), first_at=one.first_at, joins=one.joins)
        for one in waiting
    ]
    turn = [one.id for one in pacing.in_turn(found, places)]
    if not turn:
        return 0
    done = await trials.speak(connection, dealer.id, turn, now)
    spoken = [one for one in waiting if one.id in turn]
    for rule in dict.fromkeys(one.rule for one in spoken):
        await _say_so(context, connection, dealer=dealer, rule=rule, waiting=waiting, moved=moved.get(rule))
    log.info("after_trial", dealer=dealer.id, put_before_the_desk=done, waiting=len(waiting) - done)
    return done


async def _say_so(
    context: Context, connection: Connection, dealer: Dealer, rule: str, waiting: list[Waiting], moved: Stage | None
) -> None:
    """One word for the whole batch, when it begins: not one for each car."""
    cars = len({one.vehicle_id for one in waiting if one.rule == rule})
    since = f"{moved.at.timestamp():.0f}" if moved is not None else "0"
    people = await notices.advisors(connection, dealer)
    await notices.to_each(
        context,
        connection,
        people,
        dealer.id,
        MessageKind.STAFF_TRIAL,
        f"{rule}-{since}",
        case_id=None,
        rule=rule,
        severity=Severity.SOON.value,
        more=cars,
        link=links.trials(context.desk_url),
    )
