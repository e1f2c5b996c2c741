"""Small makers for the judgement's tests: readings by path, a judge, a fold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from struct import Struct
from typing import Any

import pytest

from rules.catalogue import RULES
from rules.engine.code_book import CodeBook
from rules.engine.judge import Judge
from schemas.profile import Profile
from schemas.reading import Mark, Reading
from schemas.signal import BY_PATH
from schemas.telemetry import Diagnostics, TroubleCode
from telltale import data

START = datetime(2026, 11, 23, 7, 30, tzinfo=UTC).timestamp()
SHORT = {
    "speed": "Vehicle.Speed",
    "odometer": "Vehicle.TraveledDistance",
    "air": "Vehicle.Exterior.AirTemperature",
    "volts": "Vehicle.LowVoltageBattery.CurrentVoltage",
    "crank": "Vehicle.LowVoltageBattery.CrankingVoltageMin",
    "rest": "Vehicle.LowVoltageBattery.RestingVoltage",
    "ignition": "Vehicle.LowVoltageSystemState",
    "rpm": "Vehicle.Powertrain.CombustionEngine.Speed",
    "run": "Vehicle.Powertrain.CombustionEngine.RunTime",
    "oil": "Vehicle.Powertrain.CombustionEngine.EngineOil.Temperature",
    "gearbox": "Vehicle.Powertrain.Transmission.Temperature",
    "coolant": "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature",
    "service_km": "Vehicle.Service.DistanceToService",
    "service_s": "Vehicle.Service.TimeToService",
    "fluid": "Vehicle.Chassis.Brake.FluidLevel",
}
for _n, _wheel in enumerate(("fl", "fr", "rl", "rr")):
    _branch = f"Vehicle.Chassis.Axle.Row{_n // 2 + 1}.Wheel.{'Left' if _n % 2 == 0 else 'Right'}"
    SHORT |= {
        f"tyre_{_wheel}": f"{_branch}.Tire.Pressure",
        f"warm_{_wheel}": f"{_branch}.Tire.AirTemperature",
        f"pad_{_wheel}": f"{_branch}.Brake.PadWear",
    }


@pytest.fixture(scope="session")
def profiles() -> dict[str, Profile]:
    return data.profiles()


@pytest.fixture(scope="session")
def codes() -> CodeBook:
    return CodeBook(data.trouble_codes())


@pytest.fixture
def judge(profiles, codes) -> Judge:
    return Judge(RULES, profiles, codes=codes)


@pytest.fixture(scope="session")
def reading() -> Callable[..., Reading]:
    """`reading(minutes, coolant=90, …)`: values by short name or VSS path; floats as the gateway rounds them."""

    def make(
        minutes: float,
        place: int = 0,
        *,
        mark: Mark = Mark.PLAIN,
        codes: Iterable[tuple[str, str]] | None = None,
        mil: bool = False,
        received_after: float = 1.0,
        **values: float,
    ) -> Reading:
        named = {BY_PATH[SHORT.get(k, k)].id: float(v) for k, v in values.items()}
        ids = tuple(sorted(named))
        ts = START + minutes * 60
        packed = Struct(f"<{len(ids)}f")
        diagnostics = None
        if codes is not None:
            listed = [
                TroubleCode.model_validate(
                    {"system": "j1939" if "/" in code else "obd", "code": code, "status": status}
                )
                for code, status in codes
            ]
            diagnostics = Diagnostics(ts=datetime.fromtimestamp(ts, UTC), codes=listed, mil=mil)
        return Reading(
            1,
            1,
            place or int(minutes * 60) + 1,
            ts,
            ts + received_after,
            ids,
            packed.unpack(packed.pack(*(named[i] for i in ids))),
            int(ts // 86_400),
            mark=mark,
            diagnostics=diagnostics,
            place=place or int(minutes * 60) + 1,
        )

    return make


@pytest.fixture
def fold(judge) -> Callable[..., list[Any]]:
    """All steps of a stream; `profile` names the vehicle model."""

    def run(stream: Iterable[Reading], profile: str = "petrol_hatch", judge: Judge = judge) -> list[Any]:
        memory = judge.memory(profile)
        return [step for row in stream for step in judge.step(memory, row)]

    return run
