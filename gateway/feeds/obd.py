"""Answers of OBD-II, service 01, as they stand in single CAN frames. Pure.

The stand-in car has a decoder of its own, which the gateway must not share: it is what we are tried against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from schemas.signal import BY_PATH

_ENGINE: Final = "Vehicle.Powertrain.CombustionEngine"
_ANSWERS: Final = range(0x7E8, 0x7F0)
_CURRENT: Final = 0x41


def _word(data: bytes) -> int:
    return int.from_bytes(data[:2], "big")


#: PID -> (path, bytes, value in the unit of that signal)
PIDS: Final[Mapping[int, tuple[str, int, Callable[[bytes], float]]]] = {
    0x04: (f"{_ENGINE}.Load", 1, lambda d: d[0] / 2.55),
    0x05: (f"{_ENGINE}.EngineCoolant.Temperature", 1, lambda d: d[0] - 40.0),
    0x0C: (f"{_ENGINE}.Speed", 2, lambda d: _word(d) / 4.0),
    0x0D: ("Vehicle.Speed", 1, lambda d: float(d[0])),
    0x0F: (f"{_ENGINE}.IntakeAirTemperature", 1, lambda d: d[0] - 40.0),
    0x10: (f"{_ENGINE}.MAF", 2, lambda d: _word(d) / 100.0),
    0x11: (f"{_ENGINE}.TPS", 1, lambda d: d[0] / 2.55),
    0x21: ("Vehicle.OBD.DistanceWithMIL", 2, lambda d: float(_word(d))),
    0x2F: ("Vehicle.OBD.FuelLevel", 1, lambda d: d[0] / 2.55),
    0x42: ("Vehicle.OBD.ControlModuleVoltage", 2, lambda d: _word(d) / 1000.0),
    0x46: ("Vehicle.Exterior.AirTemperature", 1, lambda d: d[0] - 40.0),
    0x5C: (f"{_ENGINE}.EngineOil.Temperature", 1, lambda d: d[0] - 40.0),
}


def single_frame(identifier: object, data: bytes) -> tuple[str, str, float] | str | None:
    """(path, unit, value) of an answer that fits one frame; a text says what stops us; None: it is no such answer."""
    if identifier not in _ANSWERS or not data:
        return None
    length = data[0]
    if length >= 0x10:
        return "an answer of several frames, which are not joined here: use AutoPID for it"
    answer = data[1 : 1 + length]
    if len(answer) < length or length < 3 or answer[0] != _CURRENT or answer[1] not in PIDS:
        return None
    path, size, read = PIDS[answer[1]]
    return (path, BY_PATH[path].unit, read(answer[2:])) if len(answer) - 2 == size else None
