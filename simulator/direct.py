"""The short way for `telltale score`: what a car would say, without frames, spool and MQTT.

A test proves it says the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.telemetry import Diagnostics
from simulator.car import Car
from simulator.codec import codec
from simulator.diagnostics import read_without_bus
from simulator.sampling import Sampler
from simulator.sensor_faults import Spoiled
from simulator.sensors import Sensors


@dataclass(frozen=True, slots=True)
class Told:
    """One message: a sample, or a list of codes (then without values)."""

    ts: float
    ids: tuple[int, ...]
    values: tuple[float, ...]
    diagnostics: Diagnostics | None = None


def telemetry(car: Car, until: float, sensors: Sensors | None = None, spoiled: Spoiled | None = None) -> Iterator[Told]:
    """Every message of `car` up to the epoch second `until`, in order of time.

    As its own sensors say it, and its faults of them.
    """
    buses, drive = codec(car.profile.dbc), car.profile.drive
    sampler = Sampler(car.life.stretch_s if sensors is None else sensors.sample_s)
    codes: tuple[object, ...] = ()
    for heard in car.hear():
        if heard.ts > until:
            return
        values = buses.quantised(heard.values)
        if sensors is not None:
            values = sensors.read(heard.ts, values)
        if spoiled is not None:
            values = spoiled.read(heard.ts, values)
        sample = sampler.hear(heard.ts, values)
        if sample:
            yield Told(heard.ts, tuple(sample), tuple(sample.values()))
        if heard.poll and car.codes.version != codes:
            codes = car.codes.version
            yield Told(heard.ts, (), (), read_without_bus(drive, car.codes, heard.ts))
