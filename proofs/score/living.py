"""One car lives its days: physics → sampling → readings → the real judge, and the baselines beside it.

The cars, their confounders and their faults are `simulator/population.py`; all of it comes from one seed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from operator import le
from struct import Struct

from proofs.score.baselines import FixedThresholds
from rules.catalogue import RULES
from rules.engine.code_book import CodeBook
from rules.engine.feed import LOOKED_BACK_S, Feed, moments, unwatched
from rules.engine.judge import Judge
from rules.engine.plausibility import ODOMETER, Odometer
from schemas.alert import AlertState
from schemas.reading import Reading
from schemas.signal import BY_ID
from schemas.verdict import Severity
from simulator.car import DAY, Car
from simulator.direct import Told
from simulator.population import Specimen, lived
from simulator.wear import Truth
from telltale import data

START = datetime(2026, 10, 5, 4, 0, tzinfo=UTC).timestamp()  # autumn into winter, the harder half of a year


@dataclass(frozen=True, slots=True)
class Raised:
    """One alert that became active."""

    rule: str
    component: str
    ts: float
    because: str
    severity: str = ""


@dataclass(slots=True)
class Lived:
    """What came of one car."""

    plan: Specimen
    truths: list[Truth]
    until: float
    days: float
    readings: int = 0
    cpu_s: float = 0.0
    judge_s: float = 0.0
    raised: dict[str, list[Raised]] = field(default_factory=dict)  #: by judge: telltale, codes, fixed
    urgent: list[Raised] = field(default_factory=list)  #: all that was told as `now`, changes of severity included
    heard: frozenset[str] = frozenset()  #: the signals that its feed ever brought (VSS paths)
    #: of each truth, the rules that could not decide for this car in the two weeks before it was too late: as the desk
    #: says it
    lacking: list[frozenset[str]] = field(default_factory=list)


_NEWEST, _OF_A_DAY = 1_000, 60  #: messages by which the desk knows a feed: the last, and the first of each day before


@cache
def the_judge() -> Judge:
    """One judge per process."""
    return Judge(RULES, data.profiles(), codes=CodeBook(data.trouble_codes()))


@cache
def _floats(count: int) -> Struct:
    return Struct(f"<{count}f")


@cache
def _shared(ids: tuple[int, ...]) -> tuple[int, ...]:
    """One tuple per set of signals, as the gateway's rows share it."""
    return ids


@cache
def _ranges(ids: tuple[int, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(BY_ID[i].low for i in ids), tuple(BY_ID[i].high for i in ids)


def readings_of(car: Car, until: float) -> Iterator[Reading]:
    """The messages of a car as the gateway hands them to the judge, one `place` after the other."""
    yield from rows_of(lived(car, until))


def believed(rows: Iterable[Reading]) -> Iterator[Reading]:
    """The rows without what the gateway lets no rule see: values outside of their range, odometers that cannot be."""
    odometer = Odometer()
    for row in rows:
        low, high = _ranges(row.ids)
        if not (all(map(le, low, row.values)) and all(map(le, row.values, high))):
            kept = [(i, v) for i, v in zip(row.ids, row.values, strict=True) if BY_ID[i].low <= v <= BY_ID[i].high]
            row.ids, row.values = _shared(tuple(i for i, _ in kept)), tuple(v for _, v in kept)
        yield odometer.see(row) if ODOMETER in row.ids else row


def rows_of(messages: Iterable[Told]) -> Iterator[Reading]:
    """The same of any messages of one car."""
    for place, told in enumerate(messages, start=1):
        floats = _floats(len(told.ids))
        values = floats.unpack(floats.pack(*told.values))
        day = int(told.ts // DAY)
        yield Reading(
            1,
            1,
            seq=place,
            ts=told.ts,
            received_at=told.ts + 1.0,
            ids=_shared(told.ids),
            values=values,
            day=day,
            place=place,
            diagnostics=told.diagnostics,
        )


def live(order: tuple[Specimen, int]) -> Lived:
    """All days of one car. A car that has failed is fetched and mended two days later."""
    plan, days = order
    began = time.process_time()
    judge = the_judge()
    car = plan.car(START)
    memory, fixed = judge.memory(plan.profile.name), FixedThresholds(plan.profile)
    raised: dict[str, list[Raised]] = {"telltale": [], "codes": [], "fixed": []}
    told: set[tuple[str, str, int]] = set()
    count, judge_s, clock = 0, 0.0, time.thread_time
    urgent: list[Raised] = []
    sets: set[tuple[int, ...]] = set()
    messages: list[Reading] = []
    rows = rows_of(plan.told(car, START + days * DAY))
    for reading in believed(rows) if plan.real else rows:
        sets.add(reading.ids)
        count += 1
        if plan.real and plan.life.faults:
            messages.append(reading)
        before = clock()
        steps = judge.step(memory, reading)
        judge_s += clock() - before
        for step in steps:
            episode = (step.rule, step.component, step.episode)
            if step.state is AlertState.ACTIVE and step.severity is Severity.NOW:
                urgent.append(
                    Raised(step.rule, step.component, ts=step.ts, because=step.because, severity=step.severity.value)
                )
            if step.state is not AlertState.ACTIVE or episode in told:  # a change of severity is no new alert
                continue
            told.add(episode)
            one = Raised(step.rule, step.component, ts=step.ts, because=step.because, severity=step.severity.value)
            raised["telltale"].append(one)
            if step.rule == "trouble_code":
                raised["codes"].append(one)
        raised["fixed"] += [Raised(rule, component, reading.ts, "") for rule, component in fixed.see(reading)]
    until, truths = START + days * DAY, car.truths()
    heard = frozenset(BY_ID[i].path for ids in sets for i in ids)
    return Lived(
        plan,
        truths,
        until=until,
        days=float(days),
        readings=count,
        cpu_s=time.process_time() - began,
        judge_s=judge_s,
        raised=raised,
        urgent=urgent,
        heard=heard,
        lacking=[_lacking(plan, heard, messages, min(truth.too_late, until)) for truth in truths] if plan.real else [],
    )


def _lacking(plan: Specimen, heard: frozenset[str], messages: list[Reading], until: float) -> frozenset[str]:
    """What the desk would list as not watched, by the messages of the two weeks before `until`."""
    lately = [row for row in messages if until - LOOKED_BACK_S <= row.ts <= until]
    last, days = lately[-_NEWEST:], dict[int, int]()
    first = []
    for row in lately[:-_NEWEST]:
        days[row.day] = days.get(row.day, 0) + 1
        first += [row] if days[row.day] <= _OF_A_DAY else []
    shown = moments((row.ts, row.ids, row.values) for row in (*first, *last))
    whole, codes = len(lately) < _NEWEST, any(row.diagnostics for row in lately)
    feed = Feed(list(shown), whole=whole, codes=codes, known_s=until - START)
    return frozenset(one.rule for one in unwatched(RULES, plan.profile, heard, feed))
