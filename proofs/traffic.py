"""What the cars of a fault experiment say: three kinds of car, each with its ground truth, in compressed time."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

STEP = timedelta(seconds=20)
_WHEELS = {
    place: f"Vehicle.Chassis.Axle.{row}.Wheel.{side}.Tire.Pressure"
    for place, row, side in (
        ("fl", "Row1", "Left"),
        ("fr", "Row1", "Right"),
        ("rl", "Row2", "Left"),
        ("rr", "Row2", "Right"),
    )
}
_COOLANT = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"
_VOLTAGE = "Vehicle.LowVoltageBattery.CurrentVoltage"

#: The kind of car -> the rule that must speak about it, None for nobody.
TRUTH: dict[str, str | None] = {"hot": "coolant_hot", "weak": "alternator", "healthy": None}


@dataclass
class Driver:
    """One car's day, message by message: each is 20 s of driving after the one before."""

    kind: str
    seed: int
    start: datetime

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        self.sent = 0

    def next(self) -> tuple[str, dict[str, float]]:
        """Time stamp and signals of the next message.

        A faulty car is healthy for the first 50 messages, then ill for 60 of 200.
        """
        n, self.sent = self.sent, self.sent + 1
        ill = n >= 50 and (n - 50) % 200 < 60
        ts = (self.start + n * STEP).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        noise = self._dice.uniform(-0.5, 0.5)
        signals = {
            "Vehicle.Speed": round(72 + 4 * noise, 1),
            "Vehicle.TraveledDistance": 50_000_000.0 + n * 400,
            "Vehicle.Exterior.AirTemperature": 18.0,
            "Vehicle.Powertrain.CombustionEngine.Speed": round(2100 + 50 * noise),
            _COOLANT: round((121 if ill and self.kind == "hot" else 91) + noise, 1),
            _VOLTAGE: round((11.9 if ill and self.kind == "weak" else 14.0) + noise / 5, 2),
            **{path: round(234 + noise) for path in _WHEELS.values()},
        }
        return ts, signals
