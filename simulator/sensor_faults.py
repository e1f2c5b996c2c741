"""Ways in which a sensor, its wire or its unit fails while the car is well.

End stops, other units, loose wires, a stuck value, another cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

Said = dict[int, float]
_FUEL = ("petrol", "diesel", "truck")
_ALL = (*_FUEL, "electric")


@dataclass(slots=True)
class State:
    """What a fault remembers of its car: the wheel it chose, the value that got stuck, how far the odometer is off."""

    rng: Random
    wheel: int
    kept: float | None = None
    day: int = 0  #: today
    driven: int = 0  #: days on which it was heard since it began, and the last of them
    heard: int = -1


Spoil = Callable[[State, Said], None]


def _set(signal: int, value: float) -> Spoil:
    def spoil(state: State, said: Said) -> None:
        if signal in said:
            said[signal] = value

    return spoil


def _times(signals: tuple[int, ...], gain: float, plus: float = 0.0) -> Spoil:
    def spoil(state: State, said: Said) -> None:
        for signal in signals:
            if signal in said:
                said[signal] = said[signal] * gain + plus

    return spoil


def _one_wheel(state: State, said: Said) -> None:
    if 70 + state.wheel in said:
        said[70 + state.wheel] = 0.0


def _wheels_never(state: State, said: Said) -> None:
    for signal in range(70, 74):
        if signal in said:
            said[signal] = 0.0


def _loose_wire(state: State, said: Said) -> None:
    """Now and then no voltage, engine turning or not."""
    if 5 in said and state.rng.random() < 0.3:
        said[5] = 0.0


def _stuck(signal: int, unless_below: float) -> Spoil:
    def spoil(state: State, said: Said) -> None:
        if signal not in said:
            return
        if state.kept is None and said[signal] >= unless_below:
            state.kept = said[signal]
        if state.kept is not None:
            said[signal] = state.kept

    return spoil


def _drifting(signal: int, slowest: float, fastest: float) -> Spoil:
    """So many units too much, and as many more with each day that the car drives."""

    def spoil(state: State, said: Said) -> None:
        state.kept = state.rng.uniform(slowest, fastest) if state.kept is None else state.kept
        if signal in said:
            state.driven, state.heard = state.driven + (state.day != state.heard), state.day
            said[signal] += min(60.0, state.kept * state.driven)

    return spoil


def _other_cluster(state: State, said: Said) -> None:
    if 2 in said:
        state.kept = state.rng.uniform(-0.6, 0.8) * said[2] if state.kept is None else state.kept
        said[2] = max(1_000.0, said[2] + state.kept)


def _open_sense_wire(state: State, said: Said) -> None:
    """Between two cells: what one reads too little, its neighbour reads too much."""
    if 47 in said and 48 in said:
        said[47], said[48] = said[47] - 0.8, said[48] + 0.8


@dataclass(frozen=True, slots=True)
class SensorFault:
    """One way; `clouds` are the real faults that nobody can see behind it; `from_birth`.

    It was so from the first word.
    """

    title: str
    spoil: Spoil
    drives: tuple[str, ...] = _ALL
    clouds: tuple[str, ...] = ()
    from_birth: bool = False


_COOLING = ("thermostat_open", "cooling_blocked")
_TYRES = ("tyre_leak",)
# fmt: off
SENSOR_FAULTS: Mapping[str, SensorFault] = {
    "coolant_ff": SensorFault("coolant at 0xFF: 215 °C", _set(11, 215.0), _FUEL, _COOLING),
    "coolant_00": SensorFault("coolant at 0x00: -40 °C", _set(11, -40.0), _FUEL, _COOLING),
    "coolant_fahrenheit": SensorFault("coolant in °F", _times((11,), 1.8, 32.0), _FUEL, _COOLING, True),
    "coolant_stuck": SensorFault("coolant stands still", _stuck(11, 70.0), _FUEL, _COOLING),
    "coolant_drift": SensorFault("coolant drifts upwards", _drifting(11, 0.5, 6.0), _FUEL, _COOLING),
    "oil_stuck": SensorFault("oil pressure stands still", _stuck(16, 60.0), _FUEL, ("oil_pressure_loss",)),
    "oil_psi": SensorFault("oil pressure in psi", _times((16,), 1 / 6.895), _FUEL, ("oil_pressure_loss",), True),
    "oil_bar": SensorFault("oil pressure in bar", _times((16,), 0.01), _FUEL, ("oil_pressure_loss",), True),
    "oil_zero": SensorFault("oil pressure 0 kPa at speed", _set(16, 0.0), _FUEL, ("oil_pressure_loss",)),
    "level_zero": SensorFault("coolant level 0 from one moment to the next", _set(12, 0.0), _FUEL, ("coolant_leak",)),
    "tyres_psi": SensorFault("tyre pressures in psi", _times((70, 71, 72, 73), 1 / 6.895), _ALL, _TYRES, True),
    "tyres_bar": SensorFault("tyre pressures in bar", _times((70, 71, 72, 73), 0.01), _ALL, _TYRES, True),
    "tyre_lost": SensorFault("one tyre sensor says 0", _one_wheel, _ALL, _TYRES),
    "tyres_never": SensorFault("winter wheels without sensors", _wheels_never, _ALL, _TYRES),
    "volts_zero": SensorFault("12 V sense wire loose", _loose_wire, _ALL, ("belt_slip", "alternator_dead",
    "battery_ageing", "parasitic_drain")),
    "volts_half": SensorFault("half of a 24 V system", _times((5, 7, 8, 32), 0.5), ("truck",), ("belt_slip",
    "alternator_dead", "battery_ageing", "parasitic_drain"), True),
    "miles": SensorFault("miles in fields for metres and kilometres", _times((2, 58), 1 / 1.609344), _ALL,
    ("service_due",), True),
    "odometer_swap": SensorFault("another cluster with another odometer", _other_cluster),
    "insulation_zero": SensorFault("insulation at 0x0000", _set(52, 0.0), ("electric",), ("insulation_loss",)),
    "insulation_ff": SensorFault("insulation at 0xFFFF", _set(52, 65_535.0), ("electric",), ("insulation_loss",)),
    "cell_wire": SensorFault("a sense wire between two cells is open", _open_sense_wire, ("electric",), ("weak_cell",)),
    "cell_zero": SensorFault("lowest cell 0 V", _set(47, 0.0), ("electric",), ("weak_cell",)),
    "pack_ff": SensorFault("hottest cell at 0xFF: 215 °C", _set(51, 215.0), ("electric",)),
}
# fmt: on


class Spoiled:
    """One fault of one car's data, from `since` on."""

    def __init__(self, kind: str, since: float, seed: int) -> None:
        self.fault, self.since = SENSOR_FAULTS[kind], since
        rng = Random(f"spoiled/{seed}")
        self._state = State(rng, rng.randrange(4))

    def read(self, ts: float, values: Said) -> Said:
        """The values as they leave the car."""
        if ts >= self.since:
            self._state.day = int(ts // 86_400.0)
            self.fault.spoil(self._state, values)
        return values
