"""What stands between the car and its bus: sensors that differ in end, noise, step and offset, and that glitch.

The physics says what is; a car's own sensors say something near it. All of it is drawn from one seed per car, from
ranges wider than any rule
may take for granted: an insulation meter ends at 0.5 to 10 MΩ, a tyre sensor counts in steps of 1 to 5 kPa, a float in
a tank lies still or
is thrown about by each bend.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log, sin
from random import Random

from simulator.wear import DAY

INSULATION, LEVELS, CRANK_VOLTS = 52, (12, 61), 5
_BASE_KOHM = 1_000.0  #: what the physics says of a healthy pack
_WHEELS, _SIGNED = range(70, 74), frozenset({4, 11, 31, 42, 51})
_GLITCH = 2e-5  #: of all values: one sample at an end stop, as a lost frame or a spike leaves it


@dataclass(frozen=True, slots=True)
class Sensor:
    """One signal's own: value × gain + offset + noise, in steps. Units of the signal."""

    gain: float = 1.0
    offset: float = 0.0
    noise: float = 0.0
    step: float = 0.0

    def read(self, value: float, rng: Random) -> float:
        """What it says of a true value."""
        said = value * self.gain + self.offset + (rng.gauss(0.0, self.noise) if self.noise else 0.0)
        return round(round(said / self.step) * self.step, 4) if self.step else said


class Sensors:
    """All sensors of one car; `read` is called for each look at the bus, in order of time."""

    def __init__(self, seed: int, nominal_v: float = 12.0, truck: bool = False) -> None:
        rng = Random(f"sensors/{seed}")
        volts = Sensor(
            offset=rng.uniform(-0.06, 0.06) * nominal_v / 12,
            noise=rng.uniform(0, 0.02),
            step=rng.choice((0.0, 0.01, 0.05)),
        )
        cells = Sensor(offset=rng.uniform(-0.003, 0.003), step=rng.choice((0.0, 0.001, 0.002)))
        tyres = rng.choice((0.0, 1.0, 2.5)) * (2.0 if truck else 1.0)
        self._own: dict[int, Sensor] = {
            5: volts,
            32: Sensor(offset=volts.offset + rng.uniform(-0.1, 0.05), step=rng.choice((0.0, 0.1))),
            11: Sensor(offset=rng.uniform(-2, 2), noise=rng.uniform(0, 0.5), step=rng.choice((0.0, 1.0))),
            16: Sensor(
                gain=rng.uniform(0.93, 1.12),
                offset=rng.uniform(-4, 6),
                noise=rng.uniform(0, 5),
                step=rng.choice((0.0, 4.0)),
            ),
            42: Sensor(offset=rng.uniform(-3, 3), noise=rng.uniform(0, 1), step=rng.choice((0.0, 1.0))),
            4: Sensor(offset=rng.uniform(-2, 2), step=rng.choice((0.0, 0.5, 1.0))),
            28: Sensor(gain=rng.uniform(0.9, 1.1), noise=rng.uniform(0, 0.06)),
            31: Sensor(offset=rng.uniform(-1, 1), noise=rng.uniform(0, 0.6), step=rng.choice((0.0, 0.78))),
            44: Sensor(offset=rng.uniform(-0.5, 0.5), step=rng.choice((0.0, 0.5, 1.0))),
            47: cells,
            48: cells,
            50: cells,
            51: Sensor(offset=rng.uniform(-1.5, 1.5), noise=rng.uniform(0, 0.3), step=rng.choice((0.0, 1.0))),
            12: Sensor(gain=rng.uniform(0.96, 1.04), noise=rng.uniform(0, 1.0), step=rng.choice((0.0, 0.5))),
            61: Sensor(noise=rng.uniform(0, 0.6), step=rng.choice((0.0, 0.5))),
        }
        for wheel in _WHEELS:
            self._own[wheel] = Sensor(
                offset=rng.uniform(-3, 3) * (2 if truck else 1), noise=rng.uniform(0, 1.2), step=tyres
            )
        self._head = rng.uniform(0.85, 1.5)  #: what there is, of what the meter can say
        self._cap = exp(rng.uniform(log(500.0), log(10_000.0)))
        self._meter, self._damp = rng.uniform(0.0, 0.05), rng.uniform(0.0, 0.12)  # scatter, weather: shares
        self._slosh = rng.choice((0.0, 0.0, 0.002, 0.01))
        self._fitting: dict[tuple[int, ...], list[tuple[int, float, float, float, float, bool]]] = {}
        self._rng, self._phase = Random(f"noise/{seed}"), rng.uniform(0, 6)
        self.sample_s = rng.choice((30.0, 60.0, 60.0, 90.0))

    def read(self, ts: float, values: Mapping[int, float]) -> dict[int, float]:
        """What the bus shows of these values.

        A closed contact and a counter are no measurement and stay as they are.
        """
        rng, own, said = self._rng, self._own, dict(values)
        present = tuple(said)
        fitting = self._fitting.get(present)
        if fitting is None:
            fitting = self._fitting[present] = [
                (s, o.gain, o.offset, o.noise, o.step, s in _SIGNED)
                for s in own.keys() & said.keys()
                for o in (own[s],)
            ]
        for signal, gain, offset, noise, step, signed in fitting:  # as in `Sensor.read`, a call less for each
            value = said[signal] * gain + offset
            if noise:
                value += rng.gauss(0.0, noise)
            if step:
                value = round(round(value / step) * step, 4)
            said[signal] = value if signed or value > 0.0 else 0.0
        if INSULATION in said:
            said[INSULATION] = self._insulation(ts, said[INSULATION])
        for signal in LEVELS:  # a bend throws it about for a second or two
            if signal in said and self._slosh and said.get(1, 0.0) > 10.0 and rng.random() < self._slosh:
                said[signal] = max(0.5, said[signal] - rng.uniform(20, 85))
            if signal in said:
                said[signal] = min(100.0, said[signal])
        if rng.random() < _GLITCH * len(own):
            signal = rng.choice(sorted(own.keys() & said.keys()) or [0])
            if signal:
                said[signal] = rng.choice((0.0, said[signal] * 0.3))
        return said

    def say(self, signal: int, value: float) -> float:
        """One sensor alone: what it says of one true value, never below its own zero."""
        own = self._own.get(signal)
        said = value if own is None else own.read(value, self._rng)
        return said if signal in _SIGNED else max(0.0, said)

    def _insulation(self, ts: float, value: float) -> float:
        """The meter's own end, its scatter, and damp weather."""
        weather = 1.0 - self._damp * (0.5 + 0.5 * sin(ts / (4 * DAY) + self._phase))
        said = value / _BASE_KOHM * self._cap * self._head * weather * max(0.2, self._rng.gauss(1.0, self._meter))
        return round(min(self._cap, said))
