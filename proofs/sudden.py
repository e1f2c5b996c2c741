"""`telltale prove sudden`: what turns dangerous within seconds is told within ten; a healthy car never is.

Three parts, all from one seed: events in healthy cars with sensors of their own; as many sensors that go to their end
or jump; and
vehicle-days in which nothing happens. The same judge as in the gateway, without frames and MQTT.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import islice
from random import Random
from typing import Any

from proofs.score.living import START, believed, rows_of
from proofs.swap import swap
from rules.catalogue import BY_NAME
from rules.engine.judge import Judge
from schemas.alert import AlertState, AlertStep
from schemas.errors import Misconfigured
from schemas.verdict import Holds, Severity, Verdict
from simulator.direct import Told
from simulator.events import EVENTS, Event, faulty, shown
from simulator.population import Specimen, population
from simulator.sensors import LEVELS, Sensors
from simulator.wear import DAY
from telltale import data

WITHIN_S = 10.0
HISTORY_DAYS = 2.0  #: so long the car was known before
STRETCH_DAYS = 30  #: vehicle-days of one healthy car
RULES = ("sensor_implausible", "oil_pressure", "coolant_low", "tyre_leak", "ev_cell", "ev_insulation", "ev_heat")


def one_sample() -> None:
    """A single sample is a danger."""
    from rules.detectors import sudden

    weigh = sudden.Quick.weigh

    def sure(self: sudden.Quick, seen: Any, cell: Any) -> Any:
        danger = self.look(seen)
        return (
            weigh(self, seen, cell) if danger is None else (danger.component, Holds(Severity.NOW, danger.words, True))
        )

    swap(sudden.Quick, "weigh", sure)


def with_hold() -> None:
    """A danger waits for the hold of its rule, as what goes on for weeks does."""
    from rules.engine import alert_state

    advance = alert_state.advance

    def patient(track: Any, verdict: Verdict, *given: Any) -> Any:
        return advance(track, replace(verdict, at_once=False) if isinstance(verdict, Holds) else verdict, *given)

    swap(alert_state, "advance", patient)


def no_gates() -> None:
    """Every value is believed."""
    from rules.detectors import believable

    swap(believable._Believable, "sift", lambda self, seen, cell: frozenset())


SWITCHES: Mapping[str, Callable[[], None]] = {"one-sample": one_sample, "with-hold": with_hold, "no-gates": no_gates}


@cache
def _judge() -> Judge:
    return Judge([BY_NAME[name] for name in RULES], data.profiles())


def _urgent(steps: Iterable[AlertStep]) -> list[AlertStep]:
    return [s for s in steps if s.severity is Severity.NOW and s.state is AlertState.ACTIVE]


def _specimens(seed: int, drives: tuple[str, ...]) -> Iterator[Specimen]:
    number = 0
    while True:
        for one in population(
            data.profiles(), 40, days=60.0, seed=seed * 1_000 + number, since=START, faulty=0.0, real=True, spoiled=0.0
        ):
            if one.profile.drive in drives:
                yield replace(one, feed="full")
        number += 1


def _until(specimen: Specimen, event: Event) -> tuple[list[Told], dict[int, float]]:
    """The car's messages up to the moment at which it happens, and the values known by then."""
    known: dict[int, float] = {}
    told: list[Told] = []
    best, at = 0, dict[int, float]()
    for one in specimen.told(specimen.car(START), START + HISTORY_DAYS * DAY):
        told.append(one)
        known.update(zip(one.ids, one.values, strict=True))
        moving = known.get(1, 0.0) > 30.0 and known.get(9) == 2.0 and 1 in one.ids and known.get(27, 99.0) > 60.0
        still = all(
            known.get(level, 99.0) > 50.0 for level in LEVELS
        )  # a bend's float would stay so for the whole event
        here = event.signal in known and (moving or not event.driving) and one.diagnostics is None and still
        if here and one.ts > START + 0.6 * HISTORY_DAYS * DAY:
            best, at = len(told), dict(known)
            if moving and event.driving and one.ts > START + 0.8 * HISTORY_DAYS * DAY:
                break
    return told[:best], at


def trial(order: tuple[int, str, bool, str | None]) -> tuple[str, str | None, float | None]:
    """One event, or one broken sensor: its kind, what was wrong (None.

    Nothing), and after how many seconds it was told.
    """
    number, kind, broken, switch = order
    _take_out(switch)
    event, rng = EVENTS[kind], Random(f"sudden/{number}")
    for specimen in _specimens(number, event.drives):
        past, before = _until(specimen, event)
        if past:
            break
    limits = specimen.profile.limits
    sensors = Sensors(specimen.seed, limits.get("battery_nominal_v", 12.0), specimen.profile.drive == "truck")
    every, begin = rng.choice((0.5, 1.0, 1.0, 2.0)), past[-1].ts
    course = event.course(before, specimen.profile, rng)
    samples = list(faulty(event.signal, before, rng, every) if broken else shown(course, before, sensors, every))
    stream = [Told(begin + one.after_s, tuple(one.values), tuple(one.values.values())) for one in samples]
    judge, memory = _judge(), _judge().memory(specimen.profile.name)
    steps = [s for row in believed(rows_of([*past, *stream])) for s in judge.step(memory, row)]
    told = _urgent(steps)
    words = f"{number} {kind}: "
    if broken:
        return kind, f"{words}{told[0].rule} {told[0].because}" if told else None, None
    right = [s for s in told if s.rule == event.rule and s.component == course.component and s.ts > begin]
    if len(right) != len(told):
        return kind, f"{words}told of {next(s.rule for s in told if s not in right)}, too", None
    danger = next((one.after_s for one in samples if one.danger), None)
    if danger is None:
        return kind, f"{words}never a danger", None
    if not right:
        return kind, f"{words}not told", None
    delay = right[0].ts - begin - danger
    return kind, f"{words}told after {delay:.1f} s" if delay > WITHIN_S else None, delay


def healthy(order: tuple[int, int, str | None]) -> tuple[float, int, list[str]]:
    """Vehicle-days, readings, and what was told as urgent, of one car in which nothing happens."""
    number, days, switch = order
    _take_out(switch)
    specimen = next(islice(_specimens(100_000 + number, ("petrol", "diesel", "electric", "truck")), number % 40, None))
    judge, memory, count, told = _judge(), _judge().memory(specimen.profile.name), 0, []
    for row in believed(rows_of(specimen.told(specimen.car(START), START + days * DAY))):
        count += 1
        told += [
            f"healthy {number} {specimen.profile.drive}: {s.rule} {s.because}" for s in _urgent(judge.step(memory, row))
        ]
    return float(days), count, told


@cache
def _take_out(switch: str | None) -> None:
    if switch is not None:
        SWITCHES[switch]()


def _each(work: Callable[[Any], Any], orders: list[Any], jobs: int, isolated: bool) -> Iterator[Any]:
    """In processes of their own where a guard is taken out: it must not stay out here."""
    if jobs <= 1 and not isolated:
        yield from map(work, orders)
        return
    with ProcessPoolExecutor(max_workers=max(1, jobs)) as pool:
        yield from pool.map(work, orders, chunksize=max(1, min(20, len(orders) // (8 * max(1, jobs)) or 1)))


async def main(
    settings: Any, *, events: int, days: int, seed: int, jobs: int = 1, sabotage: str | None = None
) -> dict[str, Any]:
    """`events` events, as many broken sensors, `days` healthy vehicle-days."""
    if sabotage is not None and sabotage not in SWITCHES:
        raise Misconfigured("--sabotage", f"is one of {', '.join(SWITCHES)}")
    return await asyncio.to_thread(_run, events, days, seed, jobs, sabotage)


def _run(events: int, days: int, seed: int, jobs: int, sabotage: str | None) -> dict[str, Any]:
    began, kinds = time.monotonic(), sorted(EVENTS)
    orders = [
        (seed * 100_000 + n, kinds[n % len(kinds)], broken, sabotage) for broken in (False, True) for n in range(events)
    ]
    delays: dict[str, list[float]] = defaultdict(list)
    wrong = []
    for (_, _, broken, _), (kind, fault, delay) in zip(
        orders, _each(trial, orders, jobs, sabotage is not None), strict=True
    ):
        if fault is not None:
            wrong.append(("sensor " if broken else "") + fault)
        elif delay is not None:
            delays[kind].append(delay)
    cars = [(seed * 100_000 + n, STRETCH_DAYS, sabotage) for n in range(-(-days // STRETCH_DAYS))]
    lived, readings, false = 0.0, 0, list[str]()
    for vehicle_days, count, told in _each(healthy, cars, jobs, sabotage is not None):
        lived, readings, false = lived + vehicle_days, readings + count, false + told
    return {
        "events": events,
        "told_in_time": sum(len(each) for each in delays.values()),
        "seconds_after_danger": {
            kind: {"median": sorted(d)[len(d) // 2], "most": max(d)} for kind, d in sorted(delays.items())
        },
        "broken_sensors": events,
        "healthy_vehicle_days": lived,
        "healthy_readings": readings,
        "told_of_healthy_cars": len(false),
        "checked": 2 * events + int(lived),
        "violations": len(wrong) + len(false),
        "first_violations": [*wrong, *false][:12],
        "seconds": round(time.monotonic() - began, 1),
    }
