"""`telltale bench rules`: nanoseconds per (reading × rule) beside three other engines, and bytes per tracked vehicle.

Ten days of three cars: cold starts, nights and parked wake-ups included, which cost more than the warm middle of a
drive. The same healthy drives go to all four, in turns. Ours carries state, holds and reasons; the others evaluate the
bare condition of each rule whose signals are in the message, each expression compiled beforehand.
"""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any

import rule_engine
import zen
from cel_expr_python import cel

from proofs.score.living import START, readings_of, the_judge
from rules.engine.judge import Judge
from schemas.reading import Reading
from simulator.car import Car, Life
from telltale import data

MODEL = "petrol_hatch"
COOLANT = 11
REPEATS = 5
ROUND_S = 0.1  #: of processor time, at least, for each engine in each round
#: The bare condition of each rule of the model: what an expression engine can say of one message.
CONDITIONS: dict[str, tuple[str, tuple[int, ...]]] = {
    "tyre_leak": ("v70 < 0.94 * v71 or v71 < 0.94 * v70 or v72 < 0.94 * v73 or v73 < 0.94 * v72", (70, 71, 72, 73)),
    "distance_unit": ("v2 < 0.0 or v1 > 250.0", (1, 2)),
    "oil_sensor": ("v16 < 36.0 and v10 > 500.0", (16, 10)),
    "coolant_sensor": ("v11 > 100.0 and v27 > 1200.0", (11, 27)),
    "tyre_low": ("v70 < 187.0 or v71 < 187.0 or v72 < 176.0 or v73 < 176.0", (70, 71, 72, 73)),
    "alternator": ("v5 < 13.0 and v10 > 400.0", (5, 10)),
    "parasitic_drain": ("v8 < 12.15", (8,)),
    "battery_12v": ("v7 < 9.75", (7,)),
    "thermostat_open": ("v11 < 74.0 and v1 > 40.0", (11, 1)),
    "coolant_low": ("v12 < 50.0", (12,)),
    "coolant_hot": ("v11 > 106.0", (11,)),
    "misfire": ("v28 > 1.1", (28,)),
    "vacuum_leak": ("v31 > 7.5", (31,)),
    "oil_pressure": ("(v10 < 1500.0 and v16 < 80.0) or (v10 > 1500.0 and v16 < 150.0)", (16, 10)),
    "oil_life": ("v29 < 15.0", (29,)),
    "transmission_hot": ("v42 > 115.0", (42,)),
    "brake_pads": ("v78 > 85.0 or v79 > 85.0 or v80 > 85.0 or v81 > 85.0", (78, 79, 80, 81)),
    "brake_pad_uneven": (
        "v78 - v79 > 25.0 or v79 - v78 > 25.0 or v80 - v81 > 25.0 or v81 - v80 > 25.0",
        (78, 79, 80, 81),
    ),
    "brake_fluid": ("v61 < 76.0", (61,)),
    "service_due": ("v58 < 1500.0 or v59 < 2592000.0", (58, 59)),
}


async def main(settings: Any, *, vehicles: int) -> dict[str, Any]:
    """Medians of five interleaved rounds; every engine judges the same readings."""
    judge = the_judge()
    drives = _drives(judge)
    gc.collect()
    gc.freeze()  # the program itself, as the gateway does after its start; the cars of the memory figure are not frozen
    evaluated = sum(len(rules) for _, rows in drives for rules in rows)
    readings = sum(len(rows) for rows, _ in drives)
    contenders: dict[str, Callable[[], float]] = {
        "telltale": lambda: _ours(judge, drives),
        "rule-engine": _contender(_rule_engine(), drives),
        "zen-engine": _contender(_zen(), drives),
        "cel": _contender(_cel(), drives),
    }
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(REPEATS):
        for name, run in contenders.items():
            seconds[name].append(_a_round(run))
    each = {name: round(median(times) / evaluated * 1e9, 1) for name, times in seconds.items()}
    steady, standing = _steady(judge, drives), _standing(judge, drives)
    fastest = min(value for name, value in each.items() if name != "telltale")
    count = len(judge.fitted(MODEL))
    facts: dict[str, Any] = {
        "ns_per_rule_reading": round(
            median(seconds["telltale"]) / readings / count * 1e9, 1
        ),  # every reading × every fitted rule
        "ns_per_rule_reading_steady_drive": round(steady / count * 1e9, 1),
        "ns_per_rule_reading_quietest_round": round(
            min(seconds["telltale"]) / readings / count * 1e9, 1
        ),  # with the least of other work
        "us_per_reading_while_an_alert_stands": round(standing * 1e6, 2),
        "ns_per_evaluated_rule": each[
            "telltale"
        ],  # only rules whose signals are in the message, as the peers are counted
        "us_per_reading": round(median(seconds["telltale"]) / readings * 1e6, 2),
        "rules": count,
        "rules_per_reading": round(evaluated / readings, 2),
        "readings": readings,
        "signals_per_reading": round(sum(len(r.ids) for rows, _ in drives for r in rows) / readings, 1),
        "peers_ns_per_evaluated_rule": {name: value for name, value in each.items() if name != "telltale"},
        "ratio_to_fastest_peer": round(fastest / each["telltale"], 2),
    }
    facts |= _memory(judge, drives, vehicles)
    return facts


def _a_round(run: Callable[[], float]) -> float:
    """Seconds of one pass.

    A turn lasts as long for the quick as for the slow: ten milliseconds would measure the caches that the one before
    has left.
    """
    spent, passes = 0.0, 0
    while spent < ROUND_S:
        spent += run()
        passes += 1
    return spent / passes


Drives = list[tuple[list[Reading], list[tuple[str, ...]]]]


def _drives(judge: Judge) -> Drives:
    """Ten days of three healthy cars that report by change, and which rules each message concerns."""
    fitted = {rule.name for rule in judge.fitted(MODEL)}
    found: Drives = []
    for seed in (1, 2, 3):
        car = Car(data.profiles()[MODEL], Life(habit="commuter", region=seed), seed, START)
        rows = [r for r in readings_of(car, START + 10 * 86_400) if r.diagnostics is None]
        triggers = {line.name: set(line.fitted.triggers) for line in judge.program(MODEL).lines}
        concerned = [tuple(n for n in fitted if n in CONDITIONS and not triggers[n].isdisjoint(r.ids)) for r in rows]
        found.append((rows, concerned))
    return found


def _ours(judge: Judge, drives: Drives) -> float:
    spent = 0.0
    for rows, _ in drives:
        memory, step = judge.memory(MODEL), judge.step
        before = time.thread_time()
        for row in rows:
            step(memory, row)
        spent += time.thread_time() - before
    return spent


def _steady(judge: Judge, drives: Drives) -> float:
    """Seconds for a message of the warm middle of a drive, where nothing is due: what most messages of a fleet cost."""
    rows, _ = drives[0]
    memory = judge.memory(MODEL)
    for row in rows:
        judge.step(memory, row)
    row = [r for r in rows if len(r.ids) == 18][-1]
    times = []
    for _ in range(REPEATS):
        before = time.thread_time()
        for _ in range(20_000):
            judge.step(memory, row)
        times.append((time.thread_time() - before) / 20_000)
    return median(times)


def _standing(judge: Judge, drives: Drives) -> float:
    """Seconds for a message of a car that has been too hot for an hour, a message a second."""
    row = [r for r in drives[0][0] if len(r.ids) == 18][-1]
    hot = tuple(117.0 if i == COOLANT else v for i, v in zip(row.ids, row.values, strict=True))
    stream = [
        replace(row, values=hot, ts=row.ts + n, received_at=row.ts + n + 1, place=n)
        for n in range(3_600 + REPEATS * 600)
    ]
    memory = judge.memory(MODEL)
    for row in stream[:3_600]:
        judge.step(memory, row)
    times = []
    for n in range(REPEATS):
        part = stream[3_600 + n * 600 : 4_200 + n * 600]
        before = time.thread_time()
        for row in part:
            judge.step(memory, row)
        times.append((time.thread_time() - before) / len(part))
    return median(times)


def _contender(check: dict[str, Callable[[dict[str, float]], Any]], drives: Drives) -> Callable[[], float]:
    """A peer evaluates the conditions whose signals are all there."""
    work = []
    for rows, concerned in drives:
        for row, rules in zip(rows, concerned, strict=True):
            values = {f"v{i}": v for i, v in zip(row.ids, row.values, strict=True)}
            checks = [check[name] for name in rules if all(f"v{i}" in values for i in CONDITIONS[name][1])]
            work.append((values, checks, len(rules)))

    def run() -> float:
        before = time.thread_time()
        for values, checks, _ in work:
            for one in checks:
                one(values)
        spent = time.thread_time() - before
        done, wanted = sum(len(c) for _, c, _ in work), sum(w for _, _, w in work)
        return spent * wanted / max(1, done)  # per condition that it could evaluate

    return run


def _rule_engine() -> dict[str, Callable[[dict[str, float]], Any]]:
    return {name: rule_engine.Rule(text).matches for name, (text, _) in CONDITIONS.items()}


def _zen() -> dict[str, Callable[[dict[str, float]], Any]]:
    return {name: zen.compile_expression(text).evaluate for name, (text, _) in CONDITIONS.items()}


def _cel() -> dict[str, Callable[[dict[str, float]], Any]]:
    names = sorted({i for _, ids in CONDITIONS.values() for i in ids})
    env = cel.NewEnv(variables={f"v{i}": cel.Type.DOUBLE for i in names})
    found: dict[str, Callable[[dict[str, float]], Any]] = {}
    for name, (text, ids) in CONDITIONS.items():
        expression = env.compile(text.replace(" or ", " || ").replace(" and ", " && "))
        wanted = tuple(f"v{i}" for i in ids)
        found[name] = partial(_evaluated, expression, wanted)
    return found


def _evaluated(expression: Any, names: tuple[str, ...], values: dict[str, float]) -> Any:
    return expression.eval(data={name: values[name] for name in names}).value()


def _memory(judge: Judge, drives: Drives, most: int) -> dict[str, Any]:
    """Resident bytes per car with ten days of history, and what a full collection costs with all of them alive."""
    rows, _ = drives[0]
    lived = judge.memory(MODEL)
    for row in rows:
        judge.step(lived, row)
    table: dict[str, dict[str, float]] = {}
    fleet: list[bytearray] = []
    for count in sorted({1_000, 10_000, 100_000, most}):
        fleet.clear()
        gc.collect()
        before = _resident()
        fleet.extend(bytearray(lived) for _ in range(count))
        grown = _resident() - before
        began = time.thread_time()
        gc.collect()
        pause = time.thread_time() - began
        table[str(count)] = {
            "bytes_per_vehicle": round(max(grown / count, len(lived)), 1),
            "full_collection_ms": round(pause * 1000, 2),
        }
    fleet.clear()
    return {
        "bytes_per_vehicle": table[str(100_000)]["bytes_per_vehicle"],
        "full_collection_ms": table[str(100_000)]["full_collection_ms"],
        "memory": table,
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
