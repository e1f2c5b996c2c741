"""Two units with one identity: found by their counters and times, whatever the broker tells; and never where one unit
restarts, sends late, loses its counter, or is replaced.
"""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fleet.units import CERTAIN, RETURNED
from gateway.intake.batch import Batch
from gateway.ops.sign_ins import TAKE_OVERS, Reason, SignIns
from rules.catalogue import RULES
from rules.engine.code_book import CodeBook
from rules.engine.judge import Judge
from schemas.credentials import secret_hash
from schemas.vehicle import topic
from telltale import data
from tests.road import NOW, VINS, Road

VIN = VINS[0]


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(RULES, data.profiles(), codes=CodeBook(data.trouble_codes()))


def said(boot: int, seq: int, second: float, oldest: int = 1) -> tuple[str, bytes]:
    ts = (NOW - timedelta(hours=2) + timedelta(seconds=second)).isoformat().replace("+00:00", "Z")
    body = {"boot": boot, "seq": seq, "oldest": oldest, "ts": ts, "signals": {"Vehicle.Speed": 50}}
    return topic(VIN, "up/telemetry"), json.dumps(body).encode()


def drive(road: Road, messages: list[tuple[str, bytes]]) -> list[Batch]:
    """One after the other, as they come from cars; messages that come at once may be taken in any order."""
    return [batch for message in messages for batch in road.drive([message], retained=False)]


def doubled(batches) -> int:
    return sum(len(batch.doubled) for batch in batches)


def counted(batches) -> list[str]:
    return [row[-1] for batch in batches for key, row in batch.tallies.items() if key[1] == "two_units"]


@pytest.mark.parametrize(
    ("mine", "heard", "other"),
    [(7, 20, (1, 1)), (1, 20, (7, 900)), (1, 300, (1, 1)), (1, 40, (2, 1)), (3, 320, (3, 100))],
    ids=["an older one", "a newer one", "the same boot, from the start", "next boot", "the same boot, later"],
)
def test_two_units_that_take_turns_are_found_and_all_they_say_is_stored_once(judge, mine, heard, other):
    road = Road(judge)
    messages = [said(mine, 1 + n, n) for n in range(heard)]
    for n in range(20):
        messages.append(said(other[0], other[1] + n, heard + 10 + 2 * n, other[1]))
        messages.append(said(mine, 1 + heard + n, heard + 11 + 2 * n))
    batches = drive(road, messages)
    assert doubled(batches) == 1
    assert "two units speak as this car since" in counted(batches)[0]
    assert sum(len(rows) for batch in batches for rows in batch.rows.values()) == heard + 40
    assert road.batch_judge.duplicates == 0


def test_two_units_that_both_speak_all_the_time_with_the_same_numbers_are_found(judge):
    """A cloned device at 1 Hz beside its original: what it says looks like what had come before, but is new each
    time."""
    road = Road(judge)
    messages = [said(1, 1 + n, n) for n in range(300)]
    for n in range(60):
        messages += [said(1, 1 + n, 300.5 + n), said(1, 301 + n, 301 + n)]
    batches = drive(road, messages)
    assert doubled(batches) == 1
    assert sum(len(rows) for batch in batches for rows in batch.rows.values()) >= 360 + 25  # from then on both are kept


def test_a_device_that_stamps_what_it_sends_again_is_not_two(judge):
    """Its whole backlog once more, with new stamps: one block, and what is new comes after it."""
    messages = [said(1, 1 + n, n) for n in range(300)]
    messages += [said(1, 1 + n, 301 + 0.01 * n) for n in range(300)]
    messages += [said(1, 301 + n, 310 + n) for n in range(20)]
    assert doubled(drive(Road(judge), messages)) == 0


def test_two_units_are_not_told_of_before_it_is_certain(judge):
    road = Road(judge)
    messages = [said(7, 900 + n, n) for n in range(5)]
    for n in range(CERTAIN // RETURNED - 1):
        messages += [said(1, 1 + n, 30 + 2 * n), said(7, 905 + n, 31 + 2 * n)]
    assert doubled(drive(road, messages)) == 0


@settings(max_examples=60, deadline=None)
@given(data_=st.data())
def test_one_unit_is_never_taken_for_two(judge, data_):
    """Restarts, a replaced unit, a lost counter, a backlog in any order, what comes twice: one unit, whatever
    happens."""
    stream, second, boot = [], 0.0, 1
    for _ in range(data_.draw(st.integers(1, 5))):
        for seq in range(1, data_.draw(st.integers(2, 12)) + 1):
            second += data_.draw(st.sampled_from([1.0, 5.0, 40.0]))
            stream.append(said(boot, seq, second))
        boot = data_.draw(st.sampled_from([boot + 1, boot + 1, 1]))
        second += 700.0
    late = data_.draw(st.sets(st.integers(0, len(stream) - 1), max_size=6))
    order = [m for n, m in enumerate(stream) if n not in late] + [stream[n] for n in sorted(late, reverse=True)]
    twice = data_.draw(st.lists(st.sampled_from(order), max_size=5))
    assert doubled(drive(Road(judge), [*order, *twice])) == 0


def test_whoever_holds_the_session_keeps_it_when_it_is_taken_over_again_and_again():
    doors = SignIns({VIN: secret_hash("right")})
    result = [doors.judge(VIN, "right", VIN, "198.51.100.7", float(second)) for second in range(30)]
    assert result[:TAKE_OVERS] == [None] * TAKE_OVERS and result.count(None) <= TAKE_OVERS + 2
    assert doors.refused()[(VIN, Reason.TAKEN_OVER)].times >= 16
    assert (
        doors.judge(VIN, "right", f"{VIN}-1", "198.51.100.7", 30.0) is None
    )  # another session of the car is not held up
    assert doors.judge(VIN, "right", VIN, "198.51.100.7", 30.0 + 20.0 * TAKE_OVERS) is None
