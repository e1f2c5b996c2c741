"""Recalls: a car's open campaigns become alerts of advice, and end when the work is done."""

from __future__ import annotations

from datetime import datetime

from rules.catalogue import BY_NAME
from rules.detectors.no_data import Standing, recalls, step_for
from schemas.alert import AlertState, AlertStep
from schemas.verdict import Clear, Severity
from store import alerts, stages
from store import recalls as campaigns
from store.alerts import Moved
from store.pool import transaction
from workers.context import Context
from workers.sweeping import with_facts

RECALL = BY_NAME["recall"]
_BATCH = 500


async def recalls_once(context: Context) -> int:
    """Judge every campaign that opened or closed since the last look."""
    now, moved = context.clock(), 0
    while True:
        async with transaction(context.pool) as connection:
            stage = stages.stage_of(RECALL.name, RECALL.stage, await stages.stages(connection))
            if stage == "off":
                return moved
            found = await campaigns.due(connection, RECALL.name, _BATCH)
            steps = [
                Moved(car.dealer_id, car.id, now.timestamp(), step)
                for car in found
                for step in judged_recall(car, now, shadow=stage == "shadow")
            ]
            await alerts.move(connection, steps, now)
        moved += len(steps)
        if len(found) < _BATCH or not steps:
            return moved


def judged_recall(car: campaigns.Recalled, now: datetime, *, shadow: bool = False) -> tuple[AlertStep, ...]:
    """The rule about recalls over one car and campaign; each step keeps whether the campaign was open, so that it can
    be judged again."""
    standing = None
    if car.state is not None:
        standing = Standing(AlertState(car.state), car.episode or 0, car.step or 0, Severity(car.severity or "advice"))
    verdict = recalls([car.name])[car.name] if car.open else Clear(f"the work of {car.name} is done")
    steps = step_for(RECALL.name, RECALL.version, component=car.name, standing=standing, verdict=verdict, now=now)
    return with_facts(steps, {"campaign": car.name, "campaign_open": "yes" if car.open else "no"}, shadow=shadow)
