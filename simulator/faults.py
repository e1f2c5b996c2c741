"""Faults of the data, not of the car: what radio holes, clocks, old feeds, sensors and mixed-up units do to healthy
telemetry.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from random import Random

from simulator.car import Car
from simulator.spool import Kept

_COOLANT, _WARM_C = 11, 80.0
_ODOMETER, _OLD_ODOMETER = "Vehicle.TraveledDistance", "Vehicle.OdometerKm"
_WEEKS_1024 = 1_024 * 7 * 86_400.0
_YEARS_5 = 5 * 365.25 * 86_400.0
_SOME = 0.25  # share of messages, or of trips, that a fault touches
_OTHER_VIN = "WTTXX0000NM000001"


class DataFaults:
    """The faults of one car's data; the same seed spoils the same messages."""

    def __init__(self, kinds: Collection[str], seed: int) -> None:
        self._kinds = frozenset(kinds)
        self._rng = Random(f"faults/{seed}")
        self._seed = seed
        self._stuck: float | None = None
        self._trip = 0
        self._touched = False

    def begin_trip(self, car: Car) -> None:
        """A new drive: a control unit may have lost its memory, or a workshop elsewhere has cleared it."""
        self._trip += 1
        self._touched = Random(f"{self._seed}/{self._trip}").random() < _SOME
        if self._touched and "counters_reset" in self._kinds:
            car.condition.clear_km = car.condition.warmups = 0.0
        if self._touched and "codes_cleared" in self._kinds:
            car.codes.clear()

    def on_bus(self, values: Mapping[int, float]) -> Mapping[int, float]:
        """What the sensors say: one may stick."""
        if "stuck_sensor" not in self._kinds or _COOLANT not in values:
            return values
        if self._stuck is None and values[_COOLANT] >= _WARM_C:
            self._stuck = values[_COOLANT]
        return values if self._stuck is None else {**values, _COOLANT: self._stuck}

    def unavailable(self, frames: Collection[int]) -> set[int]:
        """The frames that carry error patterns during this look at the bus."""
        return {frame for frame in frames if self._rng.random() < _SOME} if "not_available" in self._kinds else set()

    def lost(self) -> bool:
        """Whether the messages of this trip never leave the car."""
        return self._touched and "missing_trips" in self._kinds

    def body(self, body: str) -> str:
        """What the unit writes: a wrong clock, an old feed's names, another car's VIN."""
        if not self._kinds & {"clock_jump", "kilometres_for_metres", "vin_swap"}:
            return body
        message = json.loads(body)
        if "clock_jump" in self._kinds and self._touched:
            message["ts"] = _shifted(message["ts"], -_WEEKS_1024 if self._trip % 2 else _YEARS_5)
        signals = message.get("signals", {})
        if "kilometres_for_metres" in self._kinds and _ODOMETER in signals:
            signals[_OLD_ODOMETER] = signals.pop(_ODOMETER) / 1000.0
        if "vin_swap" in self._kinds and self._touched:
            message["vin"] = _OTHER_VIN
        return json.dumps(message, separators=(",", ":"))

    def order(self, batch: list[Kept]) -> list[Kept]:
        """How a batch leaves the car: some twice, or in any order after a tunnel."""
        if "duplicates" in self._kinds:
            batch = [kept for one in batch for kept in [one] * (2 if self._rng.random() < _SOME else 1)]
        if "out_of_order" in self._kinds:
            batch = self._rng.sample(batch, len(batch))
        return batch


def _shifted(stamp: str, seconds: float) -> str:
    moved = datetime.fromisoformat(stamp) + timedelta(seconds=seconds)
    return moved.isoformat(timespec="milliseconds").replace("+00:00", "Z")
