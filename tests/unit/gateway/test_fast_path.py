"""The fast path says what the longer one says: the same rows, steps, acks, checkpoints and memories."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.intake import fast_path
from gateway.intake.batch import Batch
from rules.catalogue import RULES
from rules.engine.judge import Judge
from schemas.reading import Mark, Reading
from schemas.vehicle import topic
from store import readings
from telltale import data
from tests.road import NOW, VINS, Road


def traffic(seed: int, *, swapped: bool) -> list[tuple[str, bytes]]:
    """Mostly the next message of each car, all over; now and then whatever a road has to offer."""
    dice = random.Random(seed)
    result: list[tuple[str, bytes]] = []
    for n in range(120):
        for car, vin in enumerate(VINS):
            speed = dice.choice((88.0, 400.0, None)) if dice.random() < 0.03 else 88.0
            signals = {
                "Vehicle.Speed": speed,
                "Vehicle.TraveledDistance": 1e6 + n * 25 - (5_000 if dice.random() < 0.02 else 0),
                "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature": 127.0
                if dice.random() < 0.05
                else 91.0,
            }
            if dice.random() < 0.3:
                signals = {"Vehicle.LowVoltageBattery.CurrentVoltage": 14.1}
            if dice.random() < 0.02:
                signals["Vehicle.Unheard"] = 1.0
            ts = (
                NOW
                - timedelta(seconds=600 - n)
                + timedelta(days=-30 if dice.random() < 0.01 else 0, hours=1 if dice.random() < 0.01 else 0)
            )
            body = {
                "boot": 1 + n // 80,
                "seq": 1 + n % 80,
                "oldest": 1,
                "ts": ts.isoformat().replace("+00:00", "Z"),
                "signals": signals,
            }
            way = "up/telemetry" if car != 3 or n % 5 else "up/diagnostics"
            if way == "up/diagnostics":
                body = {**{k: body[k] for k in ("boot", "seq", "ts")}, "codes": [], "mil": False}
            result.append((topic(vin, way), json.dumps(body).encode()))
            if dice.random() < 0.02:
                result.append(result[-1])
            if dice.random() < 0.02:
                result.append((topic(vin, "up/telemetry"), b"{"))
    for n in range(len(result) - 9):
        if swapped and dice.random() < 0.02:
            m = n + dice.randrange(9)
            result[n], result[m] = result[m], result[n]
    return result


def outcome(road: Road, batches: list[Batch], *, checkpoints: bool) -> dict[str, Any]:
    rows = sorted((day, packed) for batch in batches for day, some in batch.rows.items() for packed in some)
    return {
        "rows": rows,
        "moved": sorted(repr(m) for batch in batches for m in batch.moved),
        "acks": [
            ({c.id: a for c, a in b.acks.items()}, sorted((c.id, *rest) for c, *rest in b.old_acks)) for b in batches
        ],
        "checkpoints": checkpoints and [sorted(b.checkpoints, key=lambda c: c[0]) for b in batches],
        "refused": [sorted((r.vin or "", r.reason, r.payload, r.detail) for _, r, _ in b.refused) for b in batches],
        "placed": [[(r.vehicle_id, r.boot, r.seq, r.place) for r in b.placed] for b in batches],
        "cars": [
            (
                bytes(c.memory),
                c.sequence.dump(),
                c.place,
                checkpoints and c.since,
                c.odometer,
                c.odometer_ts,
                c.heard_ts,
                c.latest,
            )
            for c in road.fleet.by_id.values()
        ],
        "shown": {c.id: others for c, others in road.latest_values.newest.items()},
        "duplicates": road.batch_judge.duplicates,
    }


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_both_roads_end_at_the_same_place(seed, swapped, monkeypatch: pytest.MonkeyPatch):
    """Where numbers are swapped, the fast path takes the earlier first: it has fewer gaps, and so fewer checkpoints."""
    result = traffic(seed, swapped=swapped)
    judge = Judge(RULES, data.profiles())
    short = Road(judge)
    there = outcome(short, short.drive(result), checkpoints=not swapped)
    assert len(there["rows"]) > 350 and there["moved"] and any(there["refused"]) and there["duplicates"]
    monkeypatch.setattr(
        fast_path,
        "walk",
        lambda batch, fleet, shown, fault, due, leaves, chunk, positions: [(n, None) for n in positions],
    )
    long = Road(judge)
    assert outcome(long, long.drive(result), checkpoints=not swapped) == there


def test_nearly_all_of_an_ordinary_drive_is_straight(monkeypatch: pytest.MonkeyPatch):
    result = [
        (
            topic(vin, "up/telemetry"),
            json.dumps(
                {"boot": 1, "seq": n, "ts": "2026-11-21T10:10:00Z", "signals": {"Vehicle.Speed": 50.0}}
            ).encode(),
        )
        for n in range(1, 51)
        for vin in VINS
    ]
    road, left = Road(Judge(RULES, data.profiles())), []
    walk = fast_path.walk
    monkeypatch.setattr(fast_path, "walk", lambda *of: left.extend(found := walk(*of)) or found)
    road.drive(result, retained=False)
    assert len(left) == 40, "the first batch alone, in which the cars are new"


ODD = Reading(
    7,
    2,
    9,
    1795256102.5,
    1795256105.0,
    (1, 2),
    (83.5, 42e6),
    20_778,
    car_ts=1795956102.0,
    mark=Mark.CLOCK_SUSPECT,
    place=12,
)


@pytest.mark.parametrize(
    "row",
    [
        ODD,
        replace(ODD, car_ts=None),
        replace(ODD, place=None),
        replace(ODD, ids=(), values=()),
        replace(ODD, car_ts=None, place=None, ids=(4,), values=(1.0,)),
    ],
)
def test_a_packed_row_says_whose_it_is_and_what_it_told(row):
    packed = readings.pack(3, row)
    assert readings.key_of(packed) == (7, 2, 9)
    told = readings.told_by(packed)
    assert (told.ts, told.received_at, told.ids, told.values) == (row.ts, row.received_at, row.ids, row.values)
