"""The same fold over stored rows: why an alert was raised, and what a rule would have done last quarter."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from rules.engine.judge import Judge
from rules.engine.retraction import Again, without
from schemas.alert import AlertState, AlertStep
from schemas.errors import BadInput
from schemas.moment import from_epoch
from schemas.reading import Mark, Reading
from store import replays
from store.pool import Connection
from workers import reviewing

HIT_WITHIN = timedelta(days=60)  #: a repair so soon after the alert counts as "it was right"
FLAP_S = 86_400.0
MONTH_DAYS = 30.44


async def folded(
    connection: Connection, judge: Judge, profile: str, vehicle_id: int, upto: int
) -> AsyncIterator[tuple[Reading, tuple[AlertStep, ...]]]:
    """A car's rows up to that place with what each moved: the very fold of the gateway, with what people took back at
    its place.
    """
    memory = judge.memory(profile)
    async for row in replays.rows(connection, vehicle_id, upto):
        if row.mark and row.mark & Mark.TAKES_BACK:
            place = row.place or 0
            again = Again(judge, profile, await replays.taken_back(connection, vehicle_id, place))
            async for before in replays.rows(connection, vehicle_id, place - 1):
                again.take(before)
            memory, steps = without(memory, again, row)
        else:
            steps = judge.step(memory, row)
        yield row, steps


async def explain(connection: Connection, judge: Judge, alert_id: int) -> dict[str, Any]:
    """Judge again what the alert rests on, the car's stored rows or what the sweeper knew, and compare each of its
    steps, byte for byte, with what was committed. Where rows are not kept any more, there is no verdict
    (`same_verdict` is None): neither the same nor another."""
    alert, committed = await replays.alert(connection, alert_id)
    again, count, against = list[AlertStep](), 0, None
    if alert["rule"] in reviewing.SWEPT:
        review = await reviewing.review(connection, alert, committed)
        again, against = review.steps, review.against
    else:
        upto = max((step["place"] for step in committed), default=0)
        async for _, steps in folded(
            connection, judge, profile=alert["profile"], vehicle_id=alert["vehicle_id"], upto=upto
        ):
            count += 1
            again += [
                s
                for s in steps
                if (s.rule, s.component, s.episode) == (alert["rule"], alert["component"], alert["episode"])
            ]
    was, now = [_bytes(step) for step in committed], [_bytes(_committed_form(step)) for step in again]
    same: bool | None = bool(was) and was == now and against is None
    differs = against or (None if was == now else _first_difference(was, now))
    if not same and alert["rule"] not in reviewing.SWEPT and (gone := await _gone(connection, alert["vehicle_id"])):
        same, differs = None, gone
    newest = committed[-1] if committed else None
    return {
        "alert": alert_id,
        "vin": alert["vin"],
        "rule": alert["rule"],
        "component": alert["component"],
        "episode": alert["episode"],
        "rule_version": alert["rule_version"],
        "current_rule_version": judge.versions.get(alert["rule"]),
        "rows_folded": count,
        "steps": [
            {"state": s["state"], "severity": s["severity"], "at": s["ts"].isoformat(), "because": s["because"]}
            for s in committed
        ],
        "because": newest["because"] if newest else None,
        "same_verdict": same,
        "differs": differs,
    }


async def _gone(connection: Connection, vehicle_id: int) -> str | None:
    """Why a car's rows cannot be folded from the first on."""
    oldest = await replays.oldest_place(connection, vehicle_id)
    if oldest == 1:
        return None
    kept = (
        "none of the car's messages are kept"
        if oldest is None
        else f"the car's first {oldest - 1} messages are not kept any more"
    )
    return f"{kept}, so it cannot be judged again; its steps and its evidence stand"


def _committed_form(step: AlertStep) -> dict[str, Any]:
    """A step as its row in `alert_steps` says it."""
    fields = step.model_dump(mode="json", exclude={"shadow"})
    return {**fields, "ts": from_epoch(step.ts)}


def _bytes(step: dict[str, Any]) -> str:
    return json.dumps({**step, "ts": step["ts"].isoformat()}, sort_keys=True)


def _first_difference(was: Sequence[str], now: Sequence[str]) -> str:
    for one, other in zip(was, now, strict=False):
        if one != other:
            return f"committed {one} — folded again {other}"
    return f"{len(was)} steps were committed, {len(now)} come out now"


async def backtest(
    connection: Connection,
    judge_of: Callable[[Sequence[str]], Judge],
    names: Sequence[str],
    since: datetime,
    dealer_id: int | None = None,
    tick: Callable[[int], None] = lambda done: None,
) -> dict[str, Any]:
    """Run these rules (and what mutes them) over everything stored; what became active since then is counted.

    Hit: the car was repaired within 60 days. False: it was not, and the 60 days are over or the alert went away by
    itself.
    """
    judge = judge_of(names)
    unknown = [name for name in names if name not in judge.versions]
    if unknown:
        raise BadInput("RULE", f"there is no rule {', '.join(unknown)}")
    cars = await replays.cars(connection, dealer_id, since)
    repairs = await replays.repairs(connection, [car.id for car in cars])
    fired: list[tuple[replays.Car, AlertStep]] = []
    closed: set[tuple[int, str, str, int]] = set()
    first, last, rows = None, since.timestamp(), 0
    for done, car in enumerate(cars, start=1):
        async for row, steps in folded(
            connection,
            judge,
            profile=car.profile,
            vehicle_id=car.id,
            upto=await replays.newest_place(connection, car.id),
        ):
            rows += 1
            if row.ts >= since.timestamp():
                first, last = min(first or row.ts, row.ts), max(last, row.ts)
            for step in steps:
                key = (car.id, step.rule, step.component, step.episode)
                if step.rule in names and step.state is AlertState.RESOLVED:
                    closed.add(key)
                if step.state is AlertState.WITHDRAWN:  # it rested on a message that was no truth
                    fired = [(c, s) for c, s in fired if (c.id, s.rule, s.component, s.episode) != key]
                if (
                    step.rule in names
                    and step.state is AlertState.ACTIVE
                    and step.ts >= since.timestamp()
                    and not _known(fired, car, step)
                ):
                    fired.append((car, step))
        tick(done)
    return _told(
        names,
        judge,
        cars=cars,
        fired=fired,
        repairs=repairs,
        closed=closed,
        span=(first or since.timestamp(), last),
        rows=rows,
    )


def _known(fired: list[tuple[replays.Car, AlertStep]], car: replays.Car, step: AlertStep) -> bool:
    return any(
        c.id == car.id and (s.rule, s.component, s.episode) == (step.rule, step.component, step.episode)
        for c, s in fired
    )


def _told(
    names: Sequence[str],
    judge: Judge,
    cars: Sequence[replays.Car],
    fired: Sequence[tuple[replays.Car, AlertStep]],
    repairs: dict[int, list[datetime]],
    closed: set[tuple[int, str, str, int]],
    span: tuple[float, float],
    rows: int,
) -> dict[str, Any]:
    days = max((span[1] - span[0]) / 86_400, 1 / 24)
    months = max(len(cars) * days / MONTH_DAYS, 1e-9)
    by_rule: dict[str, dict[str, Any]] = {}
    per_day: Counter[str] = Counter()
    for name in names:
        own = [(car, step) for car, step in fired if step.rule == name]
        hits = sum(_hit(step, repairs.get(car.id, [])) for car, step in own)
        false = sum(
            not _hit(step, repairs.get(car.id, []))
            and (
                (car.id, step.rule, step.component, step.episode) in closed
                or span[1] - step.ts > HIT_WITHIN.total_seconds()
            )
            for car, step in own
        )
        by_rule[name] = {
            "rule_version": judge.versions[name],
            "would_fire": len(own),
            "vehicles": len({car.id for car, _ in own}),
            "flapped": _flapped(own),
            "hits": hits,
            "false": false,
            "undecided": len(own) - hits - false,
            "per_vehicle_month": round(len(own) / months, 4),
        }
        per_day.update(f"{from_epoch(step.ts):%Y-%m-%d}" for _, step in own)
    return {
        "rules": by_rule,
        "would_fire": len(fired),
        "per_vehicle_month": round(len(fired) / months, 4),
        "vehicles": len(cars),
        "days": round(days, 2),
        "rows_folded": rows,
        "workshop_load": {
            "visits_per_day": round(len({(c.id, from_epoch(s.ts).date()) for c, s in fired}) / days, 3),
            "busiest_day": max(per_day.values(), default=0),
        },
        "broken": {name: {"count": b.count, "last": b.last} for name, b in judge.broken.items()},
    }


def _hit(step: AlertStep, repaired: Sequence[datetime]) -> bool:
    at = from_epoch(step.ts)
    return any(at <= when <= at + HIT_WITHIN for when in repaired)


def _flapped(own: Sequence[tuple[replays.Car, AlertStep]]) -> int:
    """Alerts that came again within a day of the one before, or said so themselves."""
    newest: dict[tuple[int, str], float] = {}
    count = 0
    for car, step in own:
        before = newest.get((car.id, step.component))
        count += (before is not None and step.ts - before < FLAP_S) or step.because.startswith("intermittent")
        newest[car.id, step.component] = step.ts
    return count
