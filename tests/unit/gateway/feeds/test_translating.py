"""What feeds write besides good numbers: null words, units, times, what is old, what cannot be read."""

from __future__ import annotations

import json

import pytest

from gateway.feeds.feed import Heard, Message, Value
from gateway.feeds.gathering import diagnostics, samples
from gateway.feeds.reading import NULLS, moment
from gateway.feeds.register import FEEDS
from schemas.reading import Refusal
from schemas.signal import BY_PATH
from schemas.unit import conversion

AT = 1_795_506_130.0
FRONT_LEFT = "Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure"


def heard(feed: str, topic: str, payload: str, units: dict[str, str] | None = None, *, retained: bool = False) -> Heard:
    message = Message(payload.encode(), AT, tuple(topic.split("/")), retained)
    (one,) = FEEDS[feed].translate(message, units or {})
    return one


def ovms(metric: str, payload: str, units: dict[str, str] | None = None, *, retained: bool = False) -> Heard:
    return heard("ovms", f"hansen/blueleaf/metric/{metric.replace('.', '/')}", payload, units, retained=retained)


@pytest.mark.parametrize("feed", FEEDS.values(), ids=lambda feed: feed.name)
def test_every_field_of_a_feed_is_a_signal_of_ours_in_a_unit_of_its_kind(feed) -> None:  # type: ignore[no-untyped-def]
    for one in feed.fields.values():
        conversion(one.unit, BY_PATH[one.path].unit)


@pytest.mark.parametrize("word", sorted(NULLS))
def test_a_null_word_is_no_reading(word: str) -> None:
    found = ovms("v.p.speed", word.upper())
    assert not found.values and not found.odd and not found.untaken


def test_a_car_that_speaks_psi_and_miles_is_read_so() -> None:
    units = {"pressure": "psi", "length": "mi"}
    (pressure,) = ovms("v.tp.fl.p", "33.5", units).values
    (driven,) = ovms("v.p.odometer", "100", units).values
    assert pressure.value == pytest.approx(230.97, abs=0.01)
    assert driven.value == pytest.approx(160_934.4)


def test_a_unit_beside_the_number_wins_over_what_was_agreed() -> None:
    (pressure,) = ovms("v.tp.fl.p", "231.4kPa", {"pressure": "psi"}).values
    assert pressure.value == pytest.approx(231.4)


def test_a_list_of_wheels_may_be_quoted_with_a_unit_and_lack_one() -> None:
    found = ovms("v.t.pressure", '"231.4,,187.2,230.6kPa"')
    assert [round(one.value, 1) for one in found.values] == [231.4, 187.2, 230.6]


def test_what_the_broker_had_kept_is_old_and_says_so() -> None:
    found = ovms("v.b.soc", "63.5", retained=True)
    assert not found.values
    assert [reason for reason, _ in found.odd] == [Refusal.RETAINED]


def test_a_value_with_its_own_time_may_have_been_kept() -> None:
    event = {"data": {"path": "Vehicle.Speed", "dp": {"value": "61.5", "ts": "2026-11-24T07:42:10Z"}}}
    (value,) = heard("viss", "car", json.dumps(event), retained=True).values
    assert value == Value("Vehicle.Speed", 61.5, AT)


def test_the_feed_may_tell_the_vin() -> None:
    assert ovms("v.vin", "sjnfaaze1u0123456").vin == "SJNFAAZE1U0123456"


@pytest.mark.parametrize(
    ("feed", "topic", "payload", "reason"),
    [
        ("ovms", "a/b/metric/v/p/speed", "fast", Refusal.NOT_TELEMETRY),
        ("ovms", "a/b/metric/v/p/speed", "12 parsecs", Refusal.NOT_TELEMETRY),
        ("ovms", "a/b/metric/v/p/speed", "12V", Refusal.NOT_TELEMETRY),
        ("teslamate", "cars/1/location", "{", Refusal.NOT_JSON),
        ("wican", "a1/auto", "nothing", Refusal.NOT_JSON),
        ("wican", "a1/auto", "[1]", Refusal.NOT_TELEMETRY),
        ("wican", "a1/auto", '{"SPEED": {"a": 1}}', Refusal.NOT_TELEMETRY),
        ("wican", "a1/auto", '{"SPEED": 1e999}', Refusal.NOT_FINITE),
        ("wican", "a1/can/rx", '{"frame": [{"id": 2024, "data": [16, 20, 65]}]}', Refusal.NOT_TELEMETRY),
        ("wican", "a1/can/rx", '{"frame": [{"id": 2024, "data": [999]}]}', Refusal.NOT_TELEMETRY),
        ("viss", "a", '{"data": {"path": "Vehicle.Speed", "dp": {"value": "5"}}}', Refusal.NOT_TELEMETRY),
        (
            "viss",
            "a",
            '{"data": {"path": "Vehicle.Speed", "dp": {"value": "5", "ts": "2026-11-24"}}}',
            Refusal.NOT_TELEMETRY,
        ),
    ],
)
def test_what_cannot_be_read_says_why(feed: str, topic: str, payload: str, reason: Refusal) -> None:
    found = heard(feed, topic, payload)
    assert not found.values
    assert [one for one, _ in found.odd] == [reason]
    assert all(detail for _, detail in found.odd)


@pytest.mark.parametrize("feed", [one for one in FEEDS.values() if one.filters], ids=lambda feed: feed.name)
@pytest.mark.parametrize(
    "payload", [b"", b"\xff\xfe", b"null", b"[]", b"{}", b"[" * 5000, b'{"data": 5}', b'{"frame": [5]}']
)
def test_no_payload_makes_a_translation_raise(feed, payload: bytes) -> None:  # type: ignore[no-untyped-def]
    for pattern in feed.filters:
        topic = tuple(pattern.replace("+", "a").replace("#", "v/p/speed").split("/"))
        feed.translate(Message(payload, AT, topic), {})


@pytest.mark.parametrize("feed", [one for one in FEEDS.values() if not one.filters], ids=lambda feed: feed.name)
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b"[" * 5000,
        b'{"data": [{"id": 5, "engineRpm": [7, {"time": 1e300}], "externalIds": []}], "vehicle": 7}',
        b'{"vehicle": {"id": null}, "faultCodes": {"passenger": [{"code": {}}], "j1939": [1, {"spnId": []}]}}',
        b'{"vehicle": {"id": 1}, "eventTime": "soon"}',
        b'{"device": {"uniqueId": 5}, "position": {"attributes": {"dtcs": "P0301 \\u0000", "rpm": 0}}}',
        b'{"device": {"uniqueId": "5"}, "position": {"deviceTime": "soon"}}',
        b'{"car": "a", "ts": 5, "signals": {"Vehicle.Speed": {"value": [], "unit": {}}}, "codes": [null, {}]}',
        b'{"car": "a", "ts": 5, "signals": [], "codes": {}}',
    ],
)
def test_no_body_makes_a_translation_raise(feed, payload: bytes) -> None:  # type: ignore[no-untyped-def]
    for one in feed.translate(Message(payload, AT), {}):
        assert all(detail for _, detail in one.odd)


def test_an_old_place_that_is_said_again_is_no_speed() -> None:
    position = {
        "deviceTime": "2026-11-24T07:42:10Z",
        "fixTime": "2026-11-24T05:00:00Z",
        "outdated": True,
        "speed": 27.0,
        "latitude": 53.5,
        "attributes": {"power": 11.7, "battery": 4.1, "totalDistance": 12.0},
    }
    body = json.dumps({"device": {"uniqueId": "5"}, "position": position}).encode()
    (found,) = FEEDS["traccar"].translate(Message(body, AT), {})
    assert found.values == [Value("Vehicle.LowVoltageBattery.CurrentVoltage", 11.7, AT)]
    assert found.odd == [] and found.untaken == 0


def test_what_made_an_alert_is_not_the_whole_list_of_the_car() -> None:
    body = b'{"vehicle": {"id": "281"}, "faultCodes": {"passenger": [{"code": "P0217", "status": "pending"}]}}'
    (found,) = FEEDS["samsara"].translate(Message(body, AT), {})
    (codes,) = found.codes
    assert (codes.whole, codes.mil, codes.codes[0].status) == (False, None, "pending")
    assert "codes" in json.loads(diagnostics(codes))["unread"]


def test_a_name_without_a_meaning_is_counted_and_no_fault() -> None:
    found = heard("wican", "a1/auto", '{"KNOCK": 3, "SPEED": 50}')
    assert (len(found.values), found.untaken, found.odd) == (1, 1, [])


def test_only_what_came_at_one_time_stands_in_one_sample() -> None:
    values = [Value(FRONT_LEFT, 231.0, AT), Value("Vehicle.Speed", 50.0, AT + 2), Value("Vehicle.Speed", 0.0, AT)]
    bodies = [json.loads(body) for body in samples(values)]
    assert bodies == [
        {"ts": "2026-11-24T07:42:10.000Z", "signals": {FRONT_LEFT: 231.0, "Vehicle.Speed": 0.0}},
        {"ts": "2026-11-24T07:42:12.000Z", "signals": {"Vehicle.Speed": 50.0}},
    ]


def test_the_same_message_is_the_same_body_so_that_it_counts_once() -> None:
    values = [Value("Vehicle.Speed", 50.0, AT), Value(FRONT_LEFT, 231.0, AT)]
    assert samples(values) == samples(reversed(values))


@pytest.mark.parametrize("raw", [1_795_506_130, "1795506130", 1_795_506_130_000, "2026-11-24T08:42:10+01:00"])
def test_times_are_read_as_they_are_written(raw: object) -> None:
    assert moment(raw) == AT


@pytest.mark.parametrize(
    "raw", [None, True, "", "tomorrow", "2026-11-24T07:42:10", -1, float("nan"), 1e300, "9" * 400, []]
)
def test_what_is_no_time_is_none(raw: object) -> None:
    with pytest.raises(ValueError, match="."):
        moment(raw)
