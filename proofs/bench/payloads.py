"""Telemetry as a fleet would send it: at least 400 bytes, at least 10 signals, seeded, 1 % over a limit."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from schemas.vehicle import bucket_of, topic

_ALPHABET = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
_ENGINE = "Vehicle.Powertrain.CombustionEngine"
_WHEELS = [
    f"Vehicle.Chassis.Axle.{row}.Wheel.{side}.Tire.Pressure" for row in ("Row1", "Row2") for side in ("Left", "Right")
]


def vins(count: int, seed: int) -> list[str]:
    """`count` different VINs."""
    dice = random.Random(seed)
    return [f"TTB{''.join(dice.choices(_ALPHABET, k=7))}{n:07d}" for n in range(count)]


def sample(dice: random.Random, boot: int, seq: int, ts: datetime, *, hot: bool) -> bytes:
    """One message body; `hot` puts the coolant over its limit."""
    signals: dict[str, float] = {
        "Vehicle.Speed": round(dice.uniform(20, 130), 1),
        "Vehicle.TraveledDistance": 42_000_000 + seq * 400,
        "Vehicle.Exterior.AirTemperature": round(dice.uniform(5, 25), 1),
        "Vehicle.LowVoltageBattery.CurrentVoltage": round(dice.uniform(13.6, 14.4), 2),
        f"{_ENGINE}.Speed": round(dice.uniform(900, 3500)),
        f"{_ENGINE}.EngineCoolant.Temperature": round(dice.uniform(124, 128) if hot else dice.uniform(86, 95), 1),
        **{wheel: round(dice.uniform(228, 242)) for wheel in _WHEELS},
    }
    stamp = ts.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps(
        {"boot": boot, "seq": seq, "oldest": 1, "ts": stamp, "signals": signals}, separators=(",", ":")
    ).encode()


def stream(
    fleet: list[str], count: int, seed: int, start: datetime | None = None, *, counters: bool = True
) -> Iterator[tuple[str, bytes, int]]:
    """`count` messages round the fleet as (topic, body, bucket); each car's `seq` runs from 1 (or it has no counters
    but in its first message), its clock from `start`.
    """
    dice = random.Random(seed)
    began = start or datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    places = [(topic(vin, "up/telemetry"), bucket_of(vin)) for vin in fleet]
    pool = [sample(dice, 1, 0, began, hot=n % 100 == 0) for n in range(2_000)]  # made once: the load must stay cheap
    for n in range(count):
        lap, car = divmod(n, len(fleet))
        stamp = (began + timedelta(seconds=lap)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = pool[dice.randrange(len(pool))]
        head = (
            f'{{"boot":1,"seq":{lap + 1},"oldest":1,"ts":"{stamp}"'.encode()
            if counters or not lap
            else f'{{"ts":"{stamp}"'.encode()
        )
        yield places[car][0], head + body[body.index(b',"signals"') :], places[car][1]
