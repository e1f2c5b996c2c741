"""The judgement on real recordings: silent on healthy drives, and exactly the codes that a machine really had."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from struct import Struct
from typing import Any

import pytest

from schemas.alert import AlertState
from schemas.reading import Reading
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
