"""What can be read of a message is used, what cannot is refused with its path, and a refused message leaves no gap
(cases q2, q3 and q6).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.intake.normalise import MAX_BYTES, Source, diagnostics, telemetry
from rules.catalogue import RULES
from rules.engine.code_book import CodeBook
from rules.engine.judge import Judge
from schemas.alert import AlertState
from schemas.reading import Refusal
from schemas.telemetry import Diagnostics
from schemas.vehicle import topic
from store.readings import told_by
from telltale import data
from tests.road import NOW as ROAD_NOW
from tests.road import VINS, Road

CASES = Path(__file__).resolve().parents[2] / "cases" / "vehicle"
CAR = Source("1M8GDM9AXKP042788", 7, "vehicles/10/1M8GDM9AXKP042788/up/telemetry")
NOW = datetime(2026, 12, 1, 11, 0, tzinfo=UTC)
SPEED, VOLTAGE, FUEL = 1, 5, 39
STAMP = "2026-12-01T10:59:58Z"


def case(name: str):
    """What the messages of a case come to."""
    for line in (CASES / name).read_text().splitlines():
        one = json.loads(line)
        raw = one["raw"] if "raw" in one else json.dumps(one["body"])
        yield {"telemetry": telemetry, "diagnostics": diagnostics}[one["leaf"]](
            raw.replace("NOW", STAMP).encode(), CAR, NOW.timestamp()
        )


def sample(signals: str, rest: str = ""):
    return telemetry(
        f'{{"boot":1,"seq":2,"ts":"{STAMP}","signals":{{{signals}}}{rest}}}'.encode(), CAR, NOW.timestamp()
    )


def listed(**text):
    body = {"boot": 1, "seq": 2, "ts": STAMP, "mil": True, "codes": [], **text}
    return diagnostics(json.dumps({k: v for k, v in body.items() if v != "leave out"}).encode(), CAR, NOW.timestamp())


def values(heard) -> dict[int, float]:
    return dict(zip(heard.reading.ids, (round(v, 3) for v in heard.reading.values), strict=True))


def codes(heard) -> list[str]:
    return [code.code for code in heard.reading.diagnostics.codes]


P0217 = {"system": "obd", "code": "P0217", "status": "confirmed"}


def test_one_bad_value_or_code_costs_no_other():
    one, two, three, four = case("q2_one_bad_value.jsonl")
    assert (values(one), values(two)) == ({SPEED: 50.0}, {VOLTAGE: 12.4})
    assert codes(three) == codes(four) == ["P0217"]
    assert [[r.reason for r in heard.refused] for heard in (one, two, three, four)] == [
        [Refusal.NOT_TELEMETRY],
        [Refusal.NOT_FINITE],
        [Refusal.NOT_TELEMETRY],
        [],
    ]
    assert "signals.Vehicle.LowVoltageBattery.CurrentVoltage: 'Unavailable' is not a number" in one.refused[0].detail
    assert "codes.0.status: 'testFailed'" in three.refused[0].detail
    assert three.reading.diagnostics.incomplete and not four.reading.diagnostics.incomplete


def test_a_refused_message_keeps_its_counters():
    zoneless, nul, good = case("q3_zoneless_and_nul.jsonl")
    assert [(heard.reading, heard.boot, heard.seq) for heard in (zoneless, nul)] == [(None, 9, 1), (None, 9, 2)]
    assert (good.reading.boot, good.reading.seq) == (9, 3)


@pytest.mark.parametrize(
    "text",
    [
        b'{"boot":4,"seq":5,"ts":"x","signals":{"Vehicle.Speed":1},}',
        b'\xef\xbb\xbf{"boot":4,"seq":5,"ts":"2026-12-01T10:59:58Z","signals":{}}',
        b'{"boot":4,"seq":5,"ts":"2026-12-01T10:59:58","mil":true,"codes":[]}',
        b'{"boot":4,"seq":5,"ts":"2026-12-01T10:59:58Z","signals":{"Vehicle.Speed":0x12}}\x00\x00',
        b'{"boot":"4","seq":"5","ts":"2026-12-01","signals":{}}',
        b'{"boot":4,"seq":5,"ts":"2026-12-01T10:59:58Z","signals":{},"more":"' + b"x" * MAX_BYTES + b'"}',
        b'{"ts":"2026-12-01T10:59:58Z","signals":{},"more":"' + b"x" * MAX_BYTES + b'","boot":4,"seq":5}',
    ],
)
def test_counters_are_read_wherever_they_can_be_made_out(text):
    for heard in (
        telemetry(text, CAR, NOW.timestamp()),
        diagnostics(text.replace(b"signals", b"none"), CAR, NOW.timestamp()),
    ):
        assert heard.reading is None and (heard.boot, heard.seq) == (4, 5)


def test_a_counter_that_may_be_cut_is_none():
    assert telemetry(b'{"boot":4,"seq":12', CAR, NOW.timestamp()).seq is None


def test_plain_decimal_text_is_a_number_and_other_text_is_none():
    heard = sample(
        '"Vehicle.Speed":"50.5","Vehicle.OBD.FuelLevel":"-","Vehicle.LowVoltageBattery.CurrentVoltage":"12,4"'
    )
    assert values(heard) == {SPEED: 50.5} and len(heard.refused) == 1
    assert values(sample('"Vehicle.Speed":"7"')) == {SPEED: 7.0} and not sample('"Vehicle.Speed":"7"').refused


@pytest.mark.parametrize("word", ["NaN", "nan", "-nan", "Infinity", "-inf", "1e400", "inf"])
def test_what_a_printf_makes_of_no_number_costs_no_other(word):
    heard = sample(f'"Vehicle.Speed":{word},"Vehicle.OBD.FuelLevel":50')
    assert values(heard) == {FUEL: 50.0} and [r.reason for r in heard.refused] == [Refusal.NOT_FINITE]


@pytest.mark.parametrize("word", ["[1]", "{}", '"error"'])
def test_an_odd_value_of_any_kind_costs_no_other(word):
    heard = sample(f'"Vehicle.Speed":{word},"Vehicle.OBD.FuelLevel":50')
    assert values(heard) == {FUEL: 50.0} and [r.reason for r in heard.refused] == [Refusal.NOT_TELEMETRY]


def test_a_text_of_a_signal_that_we_do_not_know_is_refused_by_its_name():
    heard = sample('"Vehicle.Brand":"Benz","Vehicle.Speed":50')
    assert values(heard) == {SPEED: 50.0} and [r.reason for r in heard.refused] == [Refusal.UNKNOWN_SIGNAL]


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "P0301",
        {"code": "P0301"},
        {**P0217, "code": "p0301; DROP"},
        {**P0217, "system": "x"},
        {**P0217, "code": None},
    ],
)
def test_a_list_with_a_bad_entry_is_incomplete(bad):
    heard = listed(codes=[bad, P0217])
    assert (
        codes(heard) == ["P0217"]
        and heard.reading.diagnostics.unread == ["codes"]
        and "codes.0" in heard.refused[0].detail
    )


def test_a_bad_lamp_costs_no_code_and_a_bad_list_no_lamp():
    heard = listed(mil="?", codes=[P0217])
    assert codes(heard) == ["P0217"] and heard.reading.diagnostics.unread == ["mil"]
    heard = listed(codes=None)
    assert heard.reading.diagnostics.mil and heard.reading.diagnostics.incomplete
    assert listed(codes=None, mil="?").reading is None


def test_what_comes_with_a_list_costs_no_code():
    for more in (
        {"freeze_frame": {"code": "P0217\0", "signals": {}}},
        {"freeze_frame": []},
        {"flash": {"mil": "often"}},
        {"codes": [{**P0217, "first_seen": "yesterday"}]},
        {"oldest": None},
    ):
        assert codes(listed(**{"codes": [P0217], **more})) == ["P0217"], more
    frame = listed(
        codes=[P0217], freeze_frame={"code": "P0217", "signals": {"Vehicle.Speed": 50, "Vehicle.OBD.FuelLevel": "x"}}
    ).reading.diagnostics.freeze_frame
    assert frame.signals == {"Vehicle.Speed": 50.0}
    assert (
        "\\u0000"
        not in listed(
            codes=[P0217], freeze_frame={"code": "P0217", "signals": {"\0": 1}}
        ).reading.diagnostics.model_dump_json()
    )


def test_a_list_longer_than_is_read_is_incomplete():
    heard = listed(codes=[{**P0217, "code": f"P{n:04d}"} for n in range(1, 300)])
    assert len(codes(heard)) == 256 and heard.reading.diagnostics.incomplete


def test_what_is_stored_of_an_incomplete_list_is_read_back_as_it_was():
    result = listed(codes=[None, P0217]).reading.diagnostics
    assert Diagnostics.model_validate_json(result.model_dump_json()) == result


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(RULES, data.profiles(), codes=CodeBook(data.trouble_codes()))


def test_no_code_is_no_alert(judge):
    (heard,) = case("q6_p0000.jsonl")
    heard.reading.place = 1
    assert not [s for s in judge.step(judge.memory("petrol_hatch"), heard.reading) if s.state is AlertState.ACTIVE]


def test_an_incomplete_list_clears_nothing_that_it_does_not_name(judge):
    memory, states = judge.memory("petrol_hatch"), []
    for n, result in enumerate(
        [{"codes": [P0217]}, {"codes": [None]}, {"codes": [{**P0217, "status": "previous"}, None], "mil": "?"}]
    ):
        heard = listed(**result)
        heard.reading.place, heard.reading.seq, heard.reading.ts = (
            n + 1,
            n + 1,
            NOW.timestamp() + timedelta(minutes=n).total_seconds(),
        )
        states.append(sorted(f"{s.component} {s.state.value}" for s in judge.step(memory, heard.reading)))
    assert (
        "P0217 active" in states[0]
        and not [s for s in states[1] if "resolved" in s and "P0217" in s]
        and "P0217 resolved" in states[2]
    )


def test_refused_messages_leave_no_gap_and_are_acknowledged(judge):
    road, vin = Road(judge), VINS[0]
    stamp = ROAD_NOW.isoformat().replace("+00:00", "Z")
    lines = [
        json.loads(line)["raw"].replace("NOW", stamp).encode()
        for line in (CASES / "q3_zoneless_and_nul.jsonl").read_text().splitlines()
    ]
    (batch,) = road.drive([(topic(vin, "up/telemetry"), line) for line in lines])
    car = road.fleet.by_vin[vin]
    assert batch.acks == {car: (9, 3)} and not car.sequence.gaps and not batch.asks
    assert sorted((r.boot, r.seq, r.reason) for _, r, _ in batch.refused) == [
        (9, 1, Refusal.NOT_TELEMETRY),
        (9, 2, Refusal.NOT_JSON),
    ]


@pytest.mark.parametrize(
    "text, believed",
    [
        ([0, 0, 51_000_000], [51_000_000]),
        ([65_535, 51_000_000], [51_000_000]),
        ([65_535_000, 51_000_000], [51_000_000]),
        ([2**32 - 1, 51_000_000], [51_000_000]),
        ([900_000_000, 51_000_000, 51_001_000], [900_000_000, 51_001_000]),
        ([51_000_000, 51_001_000, 900_000_000, 900_001_000], [51_000_000, 51_001_000]),
        ([900_000_000, 51_000_000, 900_001_000], [900_000_000, 900_001_000]),
    ],
)
def test_the_first_word_of_an_odometer_is_believed_within_bounds_and_until_two_contradict_it(judge, text, believed):
    road, vin = Road(judge), VINS[0]
    bodies = []
    for n, metres in enumerate(text):
        ts = (ROAD_NOW - timedelta(minutes=60 - 5 * n)).isoformat().replace("+00:00", "Z")
        bodies.append(
            json.dumps({"boot": 1, "seq": n, "ts": ts, "signals": {"Vehicle.TraveledDistance": metres}}).encode()
        )
    batches = road.drive([(topic(vin, "up/telemetry"), body) for body in bodies])
    told = [told_by(packed) for batch in batches for rows in batch.rows.values() for packed in rows]
    assert [round(value / 1000) for one in told for value in one.values] == [
        round(metres / 1000) for metres in believed
    ]
