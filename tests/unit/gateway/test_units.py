"""A line of counters belongs to a unit, not to a car: a new unit is judged at once, and swallows nothing and is
swallowed by nothing (case q1).
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.fleet.sequence import MessageSequence
from rules.catalogue import RULES
from rules.engine.code_book import CodeBook
from rules.engine.judge import Judge
from schemas.reading import UNIT, boot_of, unit_of
from schemas.vehicle import topic
from store.readings import key_of
from store.vehicles import Identity
from telltale import data
from tests.road import NOW, VINS, Road

CASE = Path(__file__).resolve().parents[2] / "cases" / "vehicle" / "q1_unit_replaced.jsonl"
VIN = VINS[0]


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(RULES, data.profiles(), codes=CodeBook(data.trouble_codes()))


def message(boot: int, seq: int, minutes: float, leaf: str = "telemetry", **more: object) -> tuple[str, bytes]:
    """One message, made so many minutes before now."""
    ts = (NOW - timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    body = {
        "boot": boot,
        "seq": seq,
        "oldest": 1,
        "ts": ts,
        **({"signals": {"Vehicle.Speed": 50}} if leaf == "telemetry" else {}),
        **more,
    }
    return topic(VIN, f"up/{leaf}"), json.dumps(body).encode()


def stored(batches) -> list[tuple[int, int, int]]:
    """unit, boot, seq of each row, in their order."""
    return sorted(
        (unit_of(boot), boot_of(boot), seq)
        for batch in batches
        for rows in batch.rows.values()
        for _, boot, seq in map(key_of, rows)
    )


def late(road: Road) -> int:
    return road.batch_judge.late


def test_a_unit_that_was_replaced_is_heard_at_once(judge):
    road, messages = Road(judge), []
    for line in CASE.read_text().splitlines():
        one = json.loads(line)
        if "note" in one:
            continue
        amount, scale = re.fullmatch(r"T-(\d+)(h|min)", one["body"]["ts"]).groups()
        one["body"]["ts"] = (NOW - timedelta(**{"hours" if scale == "h" else "minutes": int(amount)})).isoformat()
        messages.append((topic(VIN, f"up/{one['leaf']}"), json.dumps(one["body"]).encode()))
    batches = road.drive(messages, retained=False)
    assert stored(batches) == [(0, 1, 1), (0, 40, 1), (1, 1, 1), (1, 1, 2)]
    assert [
        (m.step.component, m.step.state.value) for b in batches for m in b.moved if m.step.component == "P0217"
    ] == [("P0217", "pending"), ("P0217", "active")]
    assert not late(road) and not road.batch_judge.duplicates
    (counted,) = [row for batch in batches for key, row in batch.tallies.items() if key[1] == "new_unit"]
    assert "speaks with a new unit since" in counted[-1]


@pytest.mark.parametrize("boot, first", [(7, 1), (7, 3), (3, 1), (1, 9)])
def test_a_counter_that_was_lost_loses_nothing(judge, boot, first):
    """The same boot again, a boot below, numbers that were there and numbers that were not."""
    road = Road(judge)
    before = [message(7, n, 600 - n) for n in range(1, 6)]
    after = [message(boot, n, 60 - n, oldest=first) for n in range(first, first + 4)]
    batches = road.drive([*before, *after], retained=False)
    assert stored(batches) == [(0, 7, n) for n in range(1, 6)] + [(1, boot, n) for n in range(first, first + 4)]
    assert not late(road) and not road.fleet.by_vin[VIN].sequence.gaps
    assert batches[-1].acks == {road.fleet.by_vin[VIN]: (UNIT + boot, first + 3)} and batches[-1].checkpoints


def test_a_message_that_comes_twice_is_still_one(judge):
    road = Road(judge)
    messages = [message(40, 1, 99), message(40, 2, 98), message(1, 1, 50), message(1, 2, 49)]
    batches = road.drive([*messages, *messages, *reversed(messages)], retained=False)
    assert stored(batches) == [(0, 40, 1), (0, 40, 2), (1, 1, 1), (1, 1, 2)] and road.batch_judge.duplicates == 8


def test_what_comes_late_from_the_unit_before_finds_its_line(judge):
    road = Road(judge)
    batches = road.drive(
        [
            message(40, 1, 99),
            message(40, 4, 90),
            message(1, 1, 50),
            message(40, 3, 91),
            message(40, 5, 80),
            message(1, 2, 49),
            message(40, 2, 95),
        ],
        retained=False,
    )
    assert stored(batches) == [(0, 40, n) for n in range(1, 6)] + [(1, 1, 1), (1, 1, 2)]
    car = road.fleet.by_vin[VIN]
    assert car.sequence.boot == UNIT + 1 and len(car.sequence.units) == 1


def test_two_units_that_both_speak_lose_nothing(judge):
    """Their messages are all stored, in two lines: not in one of each word."""
    road, messages = Road(judge), []
    for n in range(1, 30):
        messages += [message(40, n, 100 - n), message(3, n, 99.5 - n)]
    batches = road.drive(messages, retained=False)
    assert len(stored(batches)) == 58 and len(road.fleet.by_vin[VIN].sequence.units) <= 2


def test_the_new_unit_may_be_out_of_order_too(judge):
    road = Road(judge)
    batches = road.drive(
        [message(1, 1, 99), message(40, 1, 95), message(1, 2, 49), message(1, 1, 50), message(1, 3, 48)], retained=False
    )
    assert stored(batches) == [(0, 1, 1), (0, 40, 1), (1, 1, 1), (1, 1, 2), (1, 1, 3)]


def test_nobody_is_asked_for_what_the_unit_before_did_not_send(judge, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.fleet.sequence.FIRST_ASK_S", 0.0)
    road = Road(judge)
    batches = road.drive([message(40, 1, 99), message(40, 5, 98), message(1, 1, 50), message(1, 2, 49)], retained=False)
    car = road.fleet.by_vin[VIN]
    assert not [ask for batch in batches for ask in batch.asks] and len(stored(batches)) == 4
    assert [row.seq for row in car.sequence.ready(time.monotonic() + 31)] == [5, 1, 2], (
        "and nothing waits for longer than the broker needs"
    )


def test_no_ack_of_the_unit_before_can_be_taken_for_one_of_the_new(judge):
    road = Road(judge)
    batches = road.drive([message(1, n, 99 - n) for n in range(1, 6)] + [message(1, 1, 50)], retained=False)
    assert not [ack for batch in batches for ack in batch.old_acks] and batches[-1].acks == {
        road.fleet.by_vin[VIN]: (UNIT + 1, 1)
    }


def test_enrolment_opens_a_new_line_also_for_a_boot_above(judge):
    road = Road(judge)
    who = Identity(
        id=1,
        vin=VIN,
        dealer_id=1,
        profile="petrol_hatch",
        secret_hash=b"y",
        revoked_at=None,
        enrolled_at=NOW - timedelta(minutes=70),
    )
    road.fleet.meet([replace(who, enrolled_at=NOW - timedelta(days=9))])
    first = road.drive([message(4, 1, 99), message(5, 1, 98)], retained=False)
    road.fleet.meet([who])
    then = road.drive([message(5, 2, 60), message(77, 1, 50), message(78, 1, 49)], retained=False)
    assert stored(first + then) == [(0, 4, 1), (0, 5, 1), (0, 5, 2), (1, 77, 1), (1, 78, 1)]


def test_a_unit_that_begins_anew_all_the_time_is_known_by_what_it_says(judge, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.fleet.units.MOST", 3)
    road = Road(judge)
    messages = [message(1, n, 3_000 - 100 * day - n) for day in range(6) for n in (1, 2)]
    batches = road.drive(messages, retained=False)
    assert len({key_of(row) for b in batches for rows in b.rows.values() for row in rows}) == 12


def test_how_far_a_unit_has_come_is_read_back_as_it_was(judge):
    road = Road(judge)
    road.drive([message(40, 1, 99), message(1, 1, 50), message(1, 2, 49)], retained=False)
    car = road.fleet.by_vin[VIN]
    kept = json.loads(json.dumps(road.fleet.checkpoint(car, 0.0, 1, 0.0)[7]))
    again = MessageSequence.load(kept, 0.0)
    assert (again.base, again.units, again.boot) == (UNIT, car.sequence.units, UNIT + 1) and kept[
        "heard"
    ] == car.heard_ts
    assert datetime.fromtimestamp(again.units[0].since, UTC) == NOW - timedelta(minutes=50)


def test_the_last_message_stamped_anew_is_said_again(judge):
    road = Road(judge)
    assert stored(
        road.drive([message(7, 1, 99), message(7, 2, 98), message(7, 2, 97.5), message(7, 1, 97.99)], retained=False)
    ) == [(0, 7, 1), (0, 7, 2)]


def _road_that_stored(judge: Judge, *numbers: tuple[int, int, float]) -> tuple[Road, list]:
    """A car that said these (boot, seq, minutes before now), and all of it is stored."""
    road = Road(judge)
    batches = road.drive([message(*one) for one in numbers], retained=False)
    for boot, seq, minutes in numbers:
        road.stored[(1, boot, seq)] = (NOW - timedelta(minutes=minutes)).timestamp()
    return road, batches


SAID = ((1, 1, 90.0), (1, 2, 89.0), (1, 3, 88.0), (1, 4, 1.0))


def without_a_clock(boot: int, seq: int, second: int) -> tuple[str, bytes]:
    body = {"boot": boot, "seq": seq, "oldest": 1, "ts": f"1970-01-01T00:00:{second:02}Z"}
    return topic(VIN, "up/telemetry"), json.dumps({**body, "signals": {"Vehicle.Speed": 50}}).encode()


def test_a_new_unit_with_an_impossible_clock_is_no_duplicate_though_nobody_enrolled_it(judge):
    road, before = _road_that_stored(judge, *SAID)
    again = road.drive([without_a_clock(1, n, 5 + n) for n in (1, 2, 3)], retained=False)
    assert stored([*before, *again]) == [(0, 1, n) for n in (1, 2, 3, 4)] + [(1, 1, n) for n in (1, 2, 3)]
    assert not road.batch_judge.duplicates


def test_a_new_unit_behind_the_clock_of_the_one_before_is_heard_at_once(judge):
    """The old unit was four minutes ahead: what the new one says bears times that seem to be past."""
    road, before = _road_that_stored(judge, (1, 1, 90.0), (1, 2, 89.0), (1, 3, 88.0), (1, 4, -4.0))
    again = road.drive([message(1, n, 0.5 - 0.1 * n) for n in (1, 2, 3)], retained=False)
    assert stored([*before, *again]) == [(0, 1, n) for n in (1, 2, 3, 4)] + [(1, 1, n) for n in (1, 2, 3)]
    assert not road.batch_judge.duplicates


def test_what_comes_again_is_a_duplicate_by_whatever_clock(judge):
    road, before = _road_that_stored(judge, *SAID)
    again = road.drive([message(*one) for one in SAID], retained=False)
    assert stored([*before, *again]) == [(0, 1, n) for n in (1, 2, 3, 4)] and road.batch_judge.duplicates == 4
    road = Road(judge)
    messages = [without_a_clock(1, n, 5 + n) for n in (1, 2, 3)]
    before = road.drive(messages, retained=False)
    for n in (1, 2, 3):
        road.stored[(1, 1, n)] = 5.0 + n
    again = road.drive(messages, retained=False)
    assert stored([*before, *again]) == [(0, 1, n) for n in (1, 2, 3)] and road.batch_judge.duplicates == 3


def test_a_device_that_stamps_anew_what_it_sends_again_has_no_new_unit(judge):
    road, before = _road_that_stored(judge, *SAID)
    again = road.drive([message(1, n, 1.0 - 0.01 * n) for n in (2, 3, 4)], retained=False)
    assert stored([*before, *again]) == [(0, 1, n) for n in (1, 2, 3, 4)]
