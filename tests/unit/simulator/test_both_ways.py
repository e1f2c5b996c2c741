"""`telltale score` skips CAN; here the way through frames, ISO-TP and the unit's decoder must say exactly the same."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from schemas.signal import BY_ID
from schemas.telemetry import Diagnostics, Telemetry
from simulator.car import DAY, Car
from simulator.direct import telemetry
from simulator.fleet import Member, StandIn
from simulator.scenario import scenario_of
from simulator.spool import SpoolFile
from telltale.data import profiles, scenarios

START = datetime.fromisoformat("2026-11-23T07:30:00+00:00").timestamp()
CASES = [
    ("misfire", "petrol_hatch"),
    ("healthy_confounders", "diesel_van"),
    ("insulation_loss", "electric_car"),
    ("oil_pressure_loss", "truck"),
]


@pytest.mark.parametrize(("name", "model"), CASES)
async def test_the_way_through_can_says_the_same(name: str, model: str, tmp_path: Path) -> None:
    profile, scenario = profiles()[model], scenario_of(name, scenarios()[name])
    file = SpoolFile(tmp_path / "spool.sqlite3")
    stand_in = StandIn(
        Member("WTTPH0000NM000017", "", profile, scenario, 9), "127.0.0.1", 1, file, START, "Europe/Berlin"
    )
    until = START + 0.3 * DAY
    while stand_in.due <= until:
        stand_in.step()
    over_can = [(k.way, json.loads(k.payload(1))) for k in stand_in.unit.spool.after(0, 0, 100_000)]
    stand_in.close()
    file.close()

    car = Car(profile, scenario.life(profile, START, "Europe/Berlin", region=9, stretch_s=30.0), 9, START)
    fast = list(telemetry(car, until))
    assert len(fast) > 100
    assert [way for way, _ in over_can] == [
        "up/telemetry" if told.diagnostics is None else "up/diagnostics" for told in fast
    ]
    for (way, body), told in zip(over_can, fast, strict=True):
        if way == "up/telemetry":
            result = Telemetry.model_validate(body)
            assert result.signals == {BY_ID[i].path: v for i, v in zip(told.ids, told.values, strict=True)}
            assert abs(result.ts.timestamp() - told.ts) < 0.001
        else:
            assert told.diagnostics is not None
            codes = Diagnostics.model_validate(body)
            assert (codes.codes, codes.mil, codes.freeze_frame) == (
                told.diagnostics.codes,
                told.diagnostics.mil,
                told.diagnostics.freeze_frame,
            )
    if name in ("misfire", "insulation_loss", "oil_pressure_loss"):
        assert any(told.diagnostics is not None and told.diagnostics.mil for told in fast)
    if name in ("misfire", "insulation_loss"):
        frames = [
            told.diagnostics.freeze_frame
            for told in fast
            if told.diagnostics is not None and told.diagnostics.freeze_frame is not None
        ]
        assert frames and all(frame.signals for frame in frames)
