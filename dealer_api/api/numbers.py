"""The numbers, over the API: the funnel, how well promises were kept, and what came of each rule."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel

from dealer_api import numbers
from dealer_api.app_keys import call
from dealer_api.bodies import Query, asked, reply


class NumbersQuery(Query):
    """Whole days where the dealer is, as in 2026-11-23; without them the last thirty."""

    since: str = ""
    until: str = ""


class Passed(BaseModel):
    """One step of the funnel, counted in cases; minutes are the median since the step before."""

    step: str
    title: str
    who: str
    within_minutes: int | None
    reached: int
    lost: int
    open: int
    late: int
    minutes: float | None


class Counted(BaseModel):
    """`count` of `of`; `between` is the share's 95 % interval in percent."""

    key: str
    title: str
    count: int
    of: int | None
    between: tuple[int, int] | None


class RuleCounted(BaseModel):
    """What came of a rule's finds, in cases."""

    rule: str
    found: int
    repaired: int
    proved: int
    dismissed: int


class NumbersWhole(BaseModel):
    """All numbers of a time."""

    since: str
    until: str
    cases: int
    funnel: list[Passed]
    numbers: list[Counted]
    rules: list[RuleCounted]
    opt_outs: int
    mean_score: float | None
    taken_percent: dict[str, int]


async def show(request: web.Request) -> web.Response:
    caller, query = call(request), asked(request, NumbersQuery)
    found = await numbers.read(caller, numbers.period(caller, query.since, query.until))
    return reply(
        NumbersWhole(
            since=found.period.first.isoformat(),
            until=found.period.last.isoformat(),
            cases=len(found.journeys),
            funnel=[
                Passed(
                    step=one.stop.step.value,
                    title=one.stop.title,
                    who=one.stop.who,
                    within_minutes=None if one.stop.within is None else int(one.stop.within.total_seconds() // 60),
                    reached=len(one.reached),
                    lost=len(one.lost),
                    open=len(one.open),
                    late=len(one.late),
                    minutes=None if one.took is None else round(one.took.total_seconds() / 60, 1),
                )
                for one in found.funnel
            ],
            numbers=[
                Counted(key=one.key, title=one.title, count=one.count, of=one.of, between=one.between)
                for one in found.numbers
            ],
            rules=[
                RuleCounted(
                    rule=one.rule,
                    found=len(one.found),
                    repaired=len(one.repaired),
                    proved=len(one.proved),
                    dismissed=len(one.dismissed),
                )
                for one in found.rules
            ],
            opt_outs=len(found.stopped),
            mean_score=None if found.score is None else round(found.score, 2),
            taken_percent={one.kind.value: one.percent for one in found.loads},
        )
    )
