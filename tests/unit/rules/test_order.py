"""Shuffled, duplicated, cut and restarted streams: the alerts are those of the sorted stream, byte for byte.

The gateway's own ledger of arrivals puts the rows in order; the judge folds them. `ORDERS=10000` runs the whole proof.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random

import pytest

from gateway.fleet.sequence import Arrival, MessageSequence
from rules.catalogue import RULES
from rules.engine.judge import Judge
from schemas.profile import Profile
from schemas.reading import Reading

STREAMS = int(os.environ.get("ORDERS", "150"))


@pytest.fixture(scope="module")
def judge(profiles: dict[str, Profile], codes) -> Judge:
    return Judge(RULES, profiles, codes=codes)


def a_life(rng: Random, reading):
    """Some days of a car with a fault that comes, changes and may go, and with trouble codes; minutes apart, in
    order.
    """
    rows, minute = [], 0.0
    base = {
        "tyre_fl": 232,
        "tyre_fr": 233,
        "tyre_rl": 219,
        "tyre_rr": 220,
        "warm_fl": 20,
        "warm_fr": 20,
        "warm_rl": 20,
        "warm_rr": 20,
    }
    kind = rng.choice(["hot", "leak", "battery", "pads", "code", "alternator"])
    for n in range(rng.randint(20, 60)):
        minute += rng.choice([0.5, 1.0, 2.0, 5.0, 30.0])
        bad = n > 8 and rng.random() < 0.85
        values, listed = {"coolant": 90.0, "speed": 60.0, "air": 10.0}, None
        if kind == "hot":
            values["coolant"] = rng.uniform(107, 118) if bad else 92.0
        elif kind == "leak":
            values |= {**base, "tyre_rr": 190.0 if bad else 220.0}
        elif kind == "battery" and n % 4 == 0:
            values["crank"] = rng.uniform(8.5, 9.6) if bad else 10.9
        elif kind == "pads":
            values |= {"pad_fl": 90.0 if bad else 30.0, "pad_fr": 30.0, "pad_rl": 20.0, "pad_rr": 20.0}
        elif kind == "code" and n % 5 == 0:
            values, listed = {}, [("P0301", "confirmed" if bad else "pending")] if rng.random() < 0.8 else []
        elif kind == "alternator":
            values |= {"volts": 12.3 if bad else 14.2, "rpm": 1500.0, "ignition": 2.0}
        rows.append(reading(minute, n + 1, codes=listed, **values))
    return rows


def arrivals(rng: Random, count: int) -> list[int]:
    """Sequence numbers in the order in which they come: shuffled within a few places, some twice, some three times."""
    late = sorted(range(count), key=lambda n: n + rng.uniform(0, rng.choice([0.0, 2.0, 6.0])))
    return [n for first in late for n in [first] * rng.choice([1, 1, 1, 2, 3])] + rng.sample(
        range(count), min(3, count)
    )


@pytest.mark.parametrize("block", range(10))
def test_any_order_of_arrival_gives_the_alerts_of_the_sorted_stream(block, judge, reading: Callable[..., Reading]):
    alerts = 0
    for seed in range(STREAMS // 10):
        rng = Random(f"{block}/{seed}")
        rows = a_life(rng, reading)
        oracle = judge.memory("petrol_hatch")
        expected = [step for row in rows for step in judge.step(oracle, row)]
        alerts += len(expected)
        memory, sequence, steps, place = judge.memory("petrol_hatch"), MessageSequence(), [], 0
        for n in arrivals(rng, len(rows)):
            if rng.random() < 0.05:  # a restart; rows that wait stand in the database and come back
                waiting = sequence.waiting
                sequence = MessageSequence.load(sequence.dump(), 0.0)
                sequence.waiting = waiting
                memory = judge.load("petrol_hatch", judge.dump(memory), judge.versions)
            arrival = sequence.arrive(1, n, 0, 0.0)
            if arrival is Arrival.WAITS:
                sequence.waiting[1, n] = rows[n]
            ready = [rows[n]] if arrival is Arrival.NEXT else sequence.ready(0.0)
            for row in ready:
                place += 1
                row.place = place
                steps += judge.step(memory, row)
        assert place == len(rows) and steps == expected and memory == oracle
    assert alerts > 0
