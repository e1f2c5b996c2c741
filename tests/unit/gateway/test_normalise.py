"""From bytes to believed values, and why not."""

from __future__ import annotations

import dataclasses
import json
import random
import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.intake import normalise
from gateway.intake.normalise import MAX_BYTES, MAX_PARTS, NO_BOOT, Source, diagnostics, odometer_fault, telemetry
from schemas.reading import Mark, Refusal
from schemas.telemetry import Status, Telemetry
from store import readings

CAR = Source("1M8GDM9AXKP042788", 7, "vehicles/10/1M8GDM9AXKP042788/up/telemetry")
NOW = datetime(2026, 11, 21, 10, 15, 5, tzinfo=UTC).timestamp()
GOOD = {"boot": 41, "seq": 1234, "oldest": 1190, "ts": "2026-11-21T10:15:02.120Z", "signals": {"Vehicle.Speed": 83.1}}


def body(**changes: object) -> bytes:
    return json.dumps({k: v for k, v in {**GOOD, **changes}.items() if v != "leave out"}).encode()


def test_a_sample_becomes_a_row_of_float32_values():
    heard = telemetry(body(), CAR, NOW)
    row = heard.reading
    assert row is not None and not heard.refused and heard.oldest == 1190
    assert (row.vehicle_id, row.boot, row.seq, row.ids, row.mark) == (7, 41, 1234, (1,), Mark.PLAIN)
    assert row.values == (struct.unpack("<f", struct.pack("<f", 83.1))[0],)
    assert row.ts == pytest.approx(NOW - 2.88) and row.day == 20778 and row.car_ts is None


def test_the_first_wrong_value_ends_the_look_so_that_thousands_of_them_hold_nobody_up():
    wrong = body(signals={f"S{n}": [] for n in range(200)})
    for look in (normalise._sample, Telemetry.model_validate_json, Status.model_validate_json):
        with pytest.raises(ValidationError) as refused:
            look(wrong)
        assert (
            sum(error["loc"][0] == "signals" for error in refused.value.errors()) <= 2
        )  # of one signal: neither number nor boolean


def test_old_names_and_units_are_converted_and_the_canonical_name_wins():
    heard = telemetry(body(signals={"Vehicle.OdometerKm": 12.5, "Vehicle.OBD.Speed": 1, "Vehicle.Speed": 2}), CAR, NOW)
    assert heard.reading is not None
    assert dict(zip(heard.reading.ids, heard.reading.values, strict=True)) == {2: 12500.0, 1: 2.0}


def test_null_is_no_reading_zero_is_one_and_a_boolean_is_a_number():
    heard = telemetry(
        body(signals={"Vehicle.Speed": None, "Vehicle.IsMoving": False, "Vehicle.OBD.FuelLevel": 0}), CAR, NOW
    )
    assert heard.reading is not None and not heard.refused
    assert dict(zip(heard.reading.ids, heard.reading.values, strict=True)) == {3: 0.0, 39: 0.0}


@pytest.mark.parametrize(
    ("payload", "reason", "words"),
    [
        (b"", Refusal.NOT_JSON, ""),
        (b"hello", Refusal.NOT_JSON, ""),
        (b"\xff\xfe\x00", Refusal.NOT_JSON, ""),
        (b"[" * 10_000, Refusal.NOT_JSON, ""),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, Refusal.NOT_JSON, ""),
        (b"[]", Refusal.NOT_TELEMETRY, ""),
        (b"null", Refusal.NOT_TELEMETRY, ""),
        (body(ts="leave out"), Refusal.NOT_TELEMETRY, "ts"),
        (body(ts="yesterday"), Refusal.NOT_TELEMETRY, "ts"),
        (body(ts="2026-11-21T10:15:02"), Refusal.NOT_TELEMETRY, "zone"),
        (body(seq="leave out"), Refusal.NOT_TELEMETRY, "together"),
        (body(boot=-1), Refusal.NOT_TELEMETRY, "boot"),
        (body(seq=2**60), Refusal.NOT_TELEMETRY, "seq"),
        (body(signals={"Vehicle.Speed": "fast"}), Refusal.NOT_TELEMETRY, "Vehicle.Speed"),
        (body(signals={"Vehicle.Speed": "83,1"}), Refusal.NOT_TELEMETRY, "Vehicle.Speed"),
        (body(signals={f"S{n}": 1 for n in range(300)}), Refusal.NOT_TELEMETRY, "signals"),
        (body(signals={"Vehicle.Speed": float("nan")}), Refusal.NOT_FINITE, ""),
        (body().replace(b"83.1", b"1e400"), Refusal.NOT_FINITE, ""),
        (body(vin="WVWZZZ1JZXW000001"), Refusal.FOREIGN_VIN, "another car"),
        (body(padding="x" * MAX_BYTES), Refusal.TOO_LARGE, "65536"),
        (body(padding=[1] * (MAX_PARTS + 1)), Refusal.TOO_LARGE, "parts"),
    ],
)
def test_what_is_refused_as_a_whole_says_why(payload, reason, words):
    heard = telemetry(payload, CAR, NOW)
    assert heard.reading is None
    assert [r.reason for r in heard.refused] == [reason]
    assert words in heard.refused[0].detail
    assert len(heard.refused[0].payload) <= MAX_BYTES


def test_a_refused_message_whose_counters_can_be_read_leaves_no_gap():
    heard = telemetry(body(signals={"Vehicle.Speed": float("inf")}), CAR, NOW)
    assert (heard.boot, heard.seq, heard.oldest) == (41, 1234, 1190)


def test_unknown_and_impossible_values_are_refused_and_the_others_kept():
    heard = telemetry(body(signals={"Vehicle.Speed": 9999, "Vehicle.Soul": 1, "Vehicle.OBD.FuelLevel": 50}), CAR, NOW)
    assert heard.reading is not None and heard.reading.ids == (39,)
    assert {r.reason for r in heard.refused} == {Refusal.OUT_OF_RANGE, Refusal.UNKNOWN_SIGNAL}


def test_a_value_that_a_person_accepts_is_let_in():
    heard = telemetry(body(signals={"Vehicle.Speed": 9999}), CAR, NOW, accepted=True)
    assert heard.reading is not None and heard.reading.values == (9999.0,)


@pytest.mark.parametrize(
    ("ts", "day"),
    [
        ("2026-11-21T10:20:06Z", 20778),  # five minutes and a second ahead
        ("2014-12-31T23:59:59Z", 0),
        ("2007-04-07T10:15:05Z", 0),  # 1,024 weeks back
        ("1970-01-01T00:00:00Z", 0),
        ("2046-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59Z", 0),
    ],
)
def test_an_impossible_clock_is_flagged_and_judged_at_its_receive_time(ts, day):
    row = telemetry(body(ts=ts), CAR, NOW).reading
    assert row is not None and row.mark & Mark.CLOCK_SUSPECT
    assert row.ts == NOW and row.car_ts == datetime.fromisoformat(ts).timestamp() and row.day == day


def test_late_data_keeps_its_time_however_old():
    row = telemetry(body(ts="2016-02-29T12:00:00Z"), CAR, NOW).reading
    assert row is not None and row.mark == Mark.PLAIN and row.ts == datetime(2016, 2, 29, 12, tzinfo=UTC).timestamp()


def test_a_device_without_counters_has_its_payload_as_key():
    once, again = (
        telemetry(body(boot="leave out", seq="leave out", oldest="leave out"), CAR, NOW + n).reading for n in (0, 60)
    )
    other = telemetry(
        body(boot="leave out", seq="leave out", oldest="leave out", signals={"Vehicle.Speed": 1}), CAR, NOW
    ).reading
    assert once is not None and again is not None and other is not None
    assert (once.boot, once.seq, once.day) == (NO_BOOT, again.seq, again.day) and once.seq != other.seq
    assert 0 <= once.seq < 2**63 and once.mark & Mark.NO_COUNTER


def test_trouble_codes_come_as_a_row_without_values():
    result = {
        "boot": 1,
        "seq": 2,
        "oldest": 1,
        "ts": "2026-11-21T10:15:02Z",
        "mil": True,
        "codes": [{"system": "obd", "code": "P0301", "status": "confirmed"}],
        "freeze_frame": {"code": "P0301", "signals": {"Vehicle.Speed": 50}},
    }
    row = diagnostics(json.dumps(result).encode(), CAR, NOW).reading
    assert (
        row is not None and row.diagnostics is not None and row.diagnostics.codes[0].code == "P0301" and row.ids == ()
    )
    result["codes"] = [{"system": "obd", "code": "p0301; DROP", "status": "confirmed"}]
    assert diagnostics(json.dumps(result).encode(), CAR, NOW).refused[0].reason is Refusal.NOT_TELEMETRY


@pytest.mark.parametrize(
    ("metres", "seconds", "words"),
    [(100_500, 60, None), (99_000, 60, None), (90_000, 60, "back"), (200_000, 60, "jumped"), (200_000, 3_600, None)],
)
def test_an_odometer_only_grows_and_no_faster_than_a_car_drives(metres, seconds, words):
    fault = odometer_fault(metres, NOW + seconds, 100_000, NOW)
    assert (fault is None) if words is None else (words in str(fault))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_almost = st.fixed_dictionaries(
    {},
    optional={
        "boot": _json,
        "seq": st.integers(-2, 2**54) | _json,
        "oldest": _json,
        "vin": _json,
        "ts": st.sampled_from(["2026-11-21T10:15:02Z", "2026-11-21", 1e400, 0, -1e18, "0001-01-01T00:00:00+14:00"])
        | _json,
        "signals": st.dictionaries(
            st.sampled_from(["Vehicle.Speed", "Vehicle.OdometerKm", "\0", "\ud800", "x" * 300]), _json, max_size=4
        )
        | _json,
    },
)


def _mangled(payload: bytes, seed: int) -> list[bytes]:
    """Forty neighbours of a payload: cut, doubled, flipped, with things put in that parsers stumble over."""
    dice = random.Random(seed)
    odd = [
        b"1e400",
        b"-0",
        b"NaN",
        b"\\u0000",
        b"\\ud800",
        b"\xff",
        b'"seq":1,',
        b"[" * 500,
        b"{",
        b"null",
        b"\xef\xbb\xbf",
        b"9" * 400,
        b"0x1",
    ]
    made = []
    for _ in range(40):
        at, to = sorted((dice.randrange(len(payload) + 1), dice.randrange(len(payload) + 1)))
        made.append(payload[:at] + dice.choice((b"", *odd, payload[at:to] * 2)) + payload[dice.choice((at, to)) :])
    return made


@settings(max_examples=1_300, deadline=None)
@given(
    st.binary(max_size=200)
    | _almost.map(lambda text: json.dumps(text).encode())
    | _json.map(lambda text: json.dumps(text).encode())
    | st.just(body()),
    st.integers(0, 10**9),
)
def test_no_bytes_whatsoever_raise_or_pass_unexplained(payload, seed):
    """More than 50,000 payloads with their mangled neighbours."""
    for text in (payload, *_mangled(payload, seed)):
        heard = telemetry(text, CAR, NOW)
        assert heard.reading is not None or heard.refused
        for refused in heard.refused:
            assert refused.detail.encode("utf-8") is not None and "\0" not in refused.detail
        if heard.reading is not None:
            assert all(-3.5e38 < value < 3.5e38 for value in heard.reading.values)
            assert len(heard.reading.ids) == len(heard.reading.values) == len(set(heard.reading.ids))
        diagnostics(text, CAR, NOW)
        normalise.status(text)


@settings(max_examples=500, deadline=None)
@given(_almost)
def test_the_fast_decoder_and_the_model_of_the_contract_agree(text):
    payload = json.dumps(text).encode()
    try:
        model = Telemetry.model_validate_json(payload, strict=False)
    except ValidationError:
        model = None
    heard = telemetry(payload, CAR, NOW)
    row = heard.reading
    quick = normalise.quick(payload, CAR.vehicle_id, NOW, normalise.clock_window(NOW))
    assert quick is None or quick[0] == row
    if row is not None and not heard.refused:
        assert model is not None
        assert (model.boot, model.seq) == ((row.boot, row.seq) if row.boot != NO_BOOT else (None, None))


def test_what_is_nested_too_deep_is_not_json_and_leaves_no_gap():
    deep = b'{"boot":1,"seq":2,"ts":"2026-11-21T10:15:02Z","signals":{},"x":' + b"[" * 300 + b"]" * 300 + b"}"
    heard = telemetry(deep, CAR, NOW)
    assert [r.reason for r in heard.refused] == [Refusal.NOT_JSON] and (heard.boot, heard.seq) == (1, 2)


PLAIN_STAMPS = [
    "2026-11-21T10:15:02Z",
    "2026-11-21T10:15:02.1Z",
    "2026-11-21T10:15:02.120Z",
    "2026-11-21T10:15:02.654321Z",
    "2026-11-21T10:15:02.5+00:00",
]
OTHER_STAMPS = [
    "2026-11-21T11:15:02+01:00",
    "2026-11-21 10:15:02Z",
    "2026-W47-6T10:15:02Z",
    "2026-11-21T10:15:02",
    "2026-02-30T10:15:02Z",
    "2026-11-21T24:15:02Z",
    "2026-11-21T10:15:60Z",
    "2026-11-21T10:15:02.1234567Z",
    "2026-11-21T10:15:0２Z",
    "2026-11-21T10:25:02Z",
    "2014-11-21T10:15:02Z",
    "",
]


@pytest.mark.parametrize("stamp", PLAIN_STAMPS)
def test_the_quick_look_gives_the_row_of_the_long_look(stamp):
    result = body(ts=stamp, signals={"Vehicle.Speed": 83.1, "Vehicle.TraveledDistance": 42_000_000})
    long = telemetry(result, CAR, NOW)
    quick = normalise.quick(result, 7, NOW, normalise.clock_window(NOW))
    assert quick == (long.reading, long.oldest, long.odometer), "to the last bit: a replay folds what is stored"
    placed = dataclasses.replace(quick[0], packed=None, place=9)
    quick[0].place = 9
    assert readings.pack(3, placed) == readings.pack_plain(readings.of_car(3, 7), quick[0], readings.of_batch(NOW))


@pytest.mark.parametrize("stamp", OTHER_STAMPS)
def test_what_is_not_a_plain_stamp_is_left_to_the_long_look(stamp):
    result = body(ts=stamp)
    telemetry(result, CAR, NOW)
    assert normalise.quick(result, 7, NOW, normalise.clock_window(NOW)) is None
    assert normalise.quick(result, 7, NOW, normalise.clock_window(NOW)) is None, "asking twice teaches it nothing wrong"


@settings(max_examples=300, deadline=None)
@given(st.datetimes(datetime(2015, 1, 2), datetime(2026, 11, 21)))
def test_a_stamp_read_in_two_pieces_is_the_time_that_it_says(at):
    result = body(ts=at.isoformat() + "Z")
    telemetry(result, CAR, NOW)
    quick = normalise.quick(result, 7, NOW, normalise.clock_window(NOW))
    expected = at.replace(tzinfo=UTC).timestamp()
    assert quick is None or quick[0].ts == expected
    assert quick is not None or expected < normalise.clock_window(NOW)[0]
