"""The judgement on real recordings: silent on healthy drives, and exactly the codes that a machine really had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from struct import Struct
from typing import Any

import pytest

from rules.catalogue import RULES
from rules.engine.feed import Feed, moments, unwatched
from schemas.alert import AlertState
from schemas.reading import Reading
from schemas.signal import BY_ID
from simulator.playing import Played, decoded

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def rows_of(path):
    for place, result in enumerate(
        decoded(path, None, NOW, Played(path.name, "WTTPH0000NM000017"), lambda frames: None), start=1
    ):
        ids = tuple(sorted(result.values))
        floats = Struct(f"<{len(ids)}f")
        values = floats.unpack(floats.pack(*(result.values[i] for i in ids)))
        yield Reading(
            1,
            1,
            place,
            result.ts,
            result.ts + 1.0,
            ids,
            values,
            int(result.ts // 86_400),
            place=place,
            diagnostics=result.diagnostics,
        )


@pytest.mark.recordings
@pytest.mark.parametrize(
    "name, model",
    [
        ("obd2_drive_3BA199E2", "petrol_hatch"),
        ("obd2_car_7512BE4D", "petrol_hatch"),
        ("ev_uds_tpms_2F6913DB", "electric_car"),
    ],
)
def test_healthy_recordings_raise_nothing(name, model, recordings, fold: Callable[..., list[Any]]):
    steps = fold(rows_of(recordings / "css_canedge" / "candump" / f"{name}.log.gz"), model)
    assert [(s.rule, s.because) for s in steps] == []


#: Of each healthy recording the rules that could have found something, by their feed: silence of these is health, of
#: others it is not. One value of the recording itself is another, and the rule speaks.
JUDGED = {
    "obd2_drive_3BA199E2": (
        "petrol_hatch",
        {"alternator", "battery_12v", "coolant_hot", "parasitic_drain", "thermostat_open"},
    ),
    "obd2_car_7512BE4D": (
        "petrol_hatch",
        {"alternator", "battery_12v", "coolant_hot", "parasitic_drain", "thermostat_open", "vacuum_leak"},
    ),
    "ev_uds_tpms_2F6913DB": (
        "electric_car",
        {"tyre_leak", "tyre_low", "ev_heat", "ev_cell", "ev_insulation", "ev_health"},
    ),
}
#: their evidence takes longer than such a drive: tried with the drive once a day
DAYS = {
    "vacuum_leak",
    "battery_12v",
    "parasitic_drain",
    "ev_health",
    "ev_cell",
    "ev_insulation",
    "tyre_leak",
    "tyre_low",
}
_COOLANT, _VOLTS, _RPM, _TRIM = 11, 32, 10, 31
SPOILT: dict[str, Callable[[dict[int, float], float], dict[int, float]]] = {
    "alternator": lambda v, rpm: {_VOLTS: 12.0 + rpm % 50 / 100} if rpm >= 400 else {},
    "battery_12v": lambda v, rpm: {_VOLTS: 7.9} if 60 <= rpm < 400 else {},
    "parasitic_drain": lambda v, rpm: {_VOLTS: 11.5} if rpm < 60 else {},
    "coolant_hot": lambda v, rpm: {_COOLANT: v[_COOLANT] + 35} if v.get(_COOLANT, 0) > 70 else {},
    "thermostat_open": lambda v, rpm: {_COOLANT: 45.0 + v.get(_COOLANT, 0.0) % 5 + rpm % 3},
    "vacuum_leak": lambda v, rpm: {_TRIM: 14.0},
    "tyre_leak": lambda v, rpm: {72: 0.8 * v[72]} if 72 in v else {},
    "tyre_low": lambda v, rpm: {i: 0.7 * v[i] for i in range(70, 74) if i in v},
    "ev_heat": lambda v, rpm: {},
    "ev_cell": lambda v, rpm: {47: v[47] - 0.4} if 47 in v else {},
    "ev_insulation": lambda v, rpm: {52: 60.0},
    "ev_health": lambda v, rpm: {44: 60.0},
}


def spoilt(rows, rule):
    """The recording with that one fault."""
    rpm, begin = 0.0, None
    for row in rows:
        values = dict(zip(row.ids, row.values, strict=True))
        rpm, begin = values.get(_RPM, rpm), row.ts if begin is None else begin
        wrong = SPOILT[rule](values, rpm)
        if rule == "ev_heat":
            wrong = {51: 30.0 + (row.ts - begin) / 4}
        if not wrong.keys().isdisjoint(values):
            yield replace(row, values=tuple(wrong.get(i, v) for i, v in values.items()))
        else:
            yield row


@pytest.mark.recordings
@pytest.mark.parametrize("name", JUDGED)
def test_which_rules_a_healthy_recording_proves_something_about(name, recordings, fold, profiles):
    """Each of these speaks when its value in the recording is spoilt, and no other rule is said to be watched."""
    model, judged = JUDGED[name]
    rows = list(rows_of(recordings / "css_canedge" / "candump" / f"{name}.log.gz"))
    heard = {BY_ID[i].path for row in rows for i in row.ids}
    feed = Feed(list(moments((row.ts, row.ids, row.values) for row in rows)), codes=False)
    lacking = {one.rule for one in unwatched(RULES, profiles[model], heard, feed)}
    meant = {rule.name for rule in RULES if not rule.drives or profiles[model].drive in rule.drives}
    assert meant - lacking - {"sensor_implausible", "recall", "silent_vehicle"} == judged
    for rule in sorted(judged):
        drives = [rows] if rule not in DAYS else [_days_later(rows, day) for day in range(6)]
        steps = fold((row for drive in drives for row in spoilt(drive, rule)), model)
        assert rule in {s.rule for s in steps if s.state is AlertState.ACTIVE}, rule


def _days_later(rows, day):
    return [replace(row, ts=row.ts + 86_400.0 * day, received_at=row.received_at + 86_400.0 * day) for row in rows]


@pytest.mark.recordings
def test_the_machine_has_exactly_its_four_codes(recordings, fold: Callable[..., list[Any]]):
    steps = fold(rows_of(recordings / "css_canedge" / "candump" / "j1939_dm1_machine.log.gz"), "truck")
    active = {s.component: s.because for s in steps if s.state is AlertState.ACTIVE and s.rule == "trouble_code"}
    assert set(active) == {"980/9", "3216/20", "609/9", "609/12"}
    doubted = {s.component for s in steps if s.state is AlertState.ACTIVE and s.rule == "sensor_implausible"}
    assert doubted == {"battery_voltage", "control_module_voltage"}, (
        "its supply has 12 V, the model it is taken for has 24"
    )
    assert all(because.endswith("active, lamp on") for because in active.values())
