"""The numbers of a dealer in a time, as page, file and API give them: one reading, so that none differs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from dealer_api.app_keys import Call
from rules.service import funnel
from rules.service.funnel import Number, OfRule, Passage
from rules.service.load import Load, load
from rules.service.opening import open_times
from schemas.errors import BadInput
from schemas.journey import Journey
from schemas.moment import from_local, local
from schemas.slot import ResourceKind
from store import slots, trials
from store.trials import Tried
from store.views import numbers as rows

LONGEST = 366  #: days that are counted at once
USUAL = 30


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days of the dealer, the last one included."""

    first: date
    last: date
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Numbers:
    """All of it. `shadow` are the finds of rules on trial, which nobody was told of."""

    period: Period
    journeys: list[Journey]
    funnel: tuple[Passage, ...]
    numbers: tuple[Number, ...]
    rules: tuple[OfRule, ...]
    shadow: list[Tried]
    stopped: list[rows.Stopped]
    loads: list[Load]
    score: float | None

    def cases_of(self, key: str) -> tuple[str, tuple[int, ...]]:
        """What a number is called, and the cases that it counts. Raises BadInput for a number that is none."""
        found = {one.key: (one.title, one.cases) for one in self.numbers}
        for passage in self.funnel:
            name, title = passage.stop.step.value, passage.stop.title
            found |= {
                f"reached-{name}": (title, passage.reached),
                f"lost-{name}": (f"Closed before: {title}", passage.lost),
                f"open-{name}": (f"Still to come: {title}", passage.open),
                f"late-{name}": (f"Took longer than it should: {title}", passage.late),
            }
        for rule in self.rules:
            found |= {
                f"rule-{rule.rule}-{what}": (f"{rule.rule}: {what}", cases)
                for what, cases in (
                    ("found", rule.found),
                    ("repaired", rule.repaired),
                    ("proved", rule.proved),
                    ("dismissed", rule.dismissed),
                )
            }
        if key not in found:
            raise BadInput("of", "is none of the numbers")
        return found[key]


def period(caller: Call, first: str, last: str) -> Period:
    """From two dates, either of which may be left out; raises BadInput naming the one that is none."""
    today = local(caller.house.now(), caller.dealer.zone).date()
    end = _date(last, "until") or today
    begin = _date(first, "since") or min(end, today) - timedelta(days=USUAL - 1)
    if begin > end:
        raise BadInput("until", "is not before the first day")
    if (end - begin).days >= LONGEST:
        raise BadInput("since", f"is at most {LONGEST} days before the last one")
    return Period(
        begin,
        end,
        since=from_local(begin, time(0), caller.dealer.zone, fold=0),
        until=from_local(end + timedelta(days=1), time(0), caller.dealer.zone, fold=0),
    )


async def read(caller: Call, when: Period) -> Numbers:
    """Every number, from one look at the rows."""
    dealer = caller.dealer
    async with caller.house.at(dealer.id) as connection:
        journeys = await rows.journeys(connection, dealer.id, when.since, when.until)
        stopped = await rows.stopped(connection, dealer.id, when.since, when.until)
        resources = await slots.resources(connection, dealer.id)
        taken = await slots.taken(connection, dealer.id, when.since, when.until)
        tried = await trials.tried(connection, dealer.id)
    opening = open_times(dealer, when.since, when.until)
    return Numbers(
        when,
        journeys,
        funnel=funnel.funnel(journeys),
        numbers=funnel.numbers(journeys, patience=timedelta(minutes=dealer.waiting_word_minutes)),
        rules=funnel.by_rule(journeys),
        shadow=tried,
        stopped=stopped,
        loads=[
            load(kind, opening, [taken.get(one.id, []) for one in resources if one.kind is kind])
            for kind in ResourceKind
            if any(one.kind is kind for one in resources)
        ],
        score=funnel.mean_score(journeys),
    )


def _date(text: str, field: str) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise BadInput(field, "is a date, as in 2026-11-23") from None
    if not 2000 <= found.year <= 2100:
        raise BadInput(field, "lies between 2000 and 2100")
    return found
