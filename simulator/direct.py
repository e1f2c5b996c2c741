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


@dataclass(frozen=True, slots=True)
class Told:
    """One message: a sample, or a list of codes (then without values)."""

    ts: float
    ids: tuple[int, ...]
    values: tuple[float, ...]
    diagnostics: Diagnostics | None = None


def telemetry(car: Car, until: float) -> Iterator[Told]:
    """Every message of `car` up to the epoch second `until`, in order of time."""
    buses, sampler, drive = codec(car.profile.dbc), Sampler(car.life.stretch_s), car.profile.drive
    codes: tuple[object, ...] = ()
    for heard in car.hear():
        if heard.ts > until:
            return
        sample = sampler.hear(heard.ts, buses.quantised(heard.values))
        if sample:
            yield Told(heard.ts, tuple(sample), tuple(sample.values()))
        if heard.poll and car.codes.version != codes:
            codes = car.codes.version
            yield Told(heard.ts, (), (), read_without_bus(drive, car.codes, heard.ts))
