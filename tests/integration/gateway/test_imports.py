"""History from a file comes to the same rows and alerts as the same readings by MQTT; killed, repeated, and beside a
gateway that runs.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.imports.importer import Importer
from gateway.imports.survey import survey
from gateway.imports.table import Table
from schemas.errors import BadInput
from schemas.mapping import Mapping
from schemas.unit import conversion
from schemas.vehicle import topic
from tests.integration.gateway.world import World, now, until

COOLANT = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"
TYRES = {
    f"tyre {n}": {
        "path": f"Vehicle.Chassis.Axle.Row{n // 2 + 1}.Wheel.{'Right' if n % 2 else 'Left'}.Tire.Pressure",
        "unit": "psi",
    }
    for n in range(4)
}
MAPPING = Mapping.of(
    {
        "vehicle": "car",
        "time": "at",
        "columns": {
            "coolant (°F)": {"path": COOLANT, "unit": "°F"},
            "speed": {"path": "Vehicle.Speed", "unit": "mph"},
            **TYRES,
        },
    },
    "mapping.toml",
)
BEGAN = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0) - timedelta(days=40)


def lived() -> list[tuple[datetime, list[str]]]:
    """A month of a car that is driven in the mornings: on the third day it runs hot and cools down, and one tyre loses
    air for good.
    """
    told = []
    for day in range(30):
        for minute in range(0, 60, 2):
            at = BEGAN + timedelta(days=day, minutes=minute)
            celsius = 121.0 if day == 3 and 20 <= minute < 40 else min(90.0, 20.0 + 3.0 * minute)
            psi = 33.0 - max(0, day - 12) * 0.9 + math.sin(minute) * 0.05
            told.append(
                (
                    at,
                    [f"{celsius * 9 / 5 + 32:.2f}", "31.0" if minute % 4 else "", f"{psi:.2f}", "33.1", "33.2", "33.0"],
                )
            )
    return told


def payload(at: datetime, cells: list[str]) -> bytes:
    signals = {}
    for column, cell in zip(MAPPING.columns.values(), cells, strict=True):
        factor, offset = conversion(column.unit or "", column.signal.unit)
        if cell:
            signals[column.signal.path] = float(cell) * factor + offset
    return json.dumps({"ts": at.isoformat(), "signals": signals}).encode()


def written(path, cars, text):
    lines = [",".join(["car", "at", *MAPPING.columns])]
    lines += [",".join([vin, at.isoformat(), *cells]) for at, cells in text for vin in cars]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


async def taken(world, path, mapping=MAPPING, fingerprint="one", make=Importer, **options):
    table = Table(path, mapping.delimiter)
    importer = make(world.database.role("gateway"), world.judge, now, **{"kept_days": 400, "batch": 200, **options})
    return await importer.run(table, mapping, survey(table, mapping), world.dealer, fingerprint)


async def steps_of(world, car) -> list[tuple]:
    rows = await world.pool.fetch(
        "SELECT rule, component, episode, step, state, severity, because, ts, place, late, evidence FROM alert_steps "
        "WHERE vehicle_id = $1 ORDER BY rule, episode, step",
        car.id,
    )
    return [tuple(row) for row in rows]


async def rows_of(world, car) -> list[tuple]:
    return [
        tuple(r)
        for r in await world.pool.fetch(
            "SELECT ts, ids, vals, place, mark & ~64 FROM readings WHERE vehicle_id = $1 ORDER BY place", car.id
        )
    ]


class Killed(Exception):
    """As by SIGKILL: nothing is tidied up that the database would need."""


class Dying(Importer):
    """Dies with its third transaction still to be written."""

    saved = 0

    async def _save(self, batch):
        self.saved += 1
        if self.saved == 3:
            raise Killed
        await super()._save(batch)


async def test_history_from_a_file_killed_on_the_way_beside_a_running_gateway_is_what_the_car_would_have_said(
    world: World, tmp_path: Path
):
    gateway = await world.start()
    live, filed, whole = await world.car(), await world.car(connect=False), await world.car(connect=False)
    result = lived()
    for at, cells in result:
        live.client.publish(topic(live.vin, "up/telemetry"), payload(at, cells), qos=1)

    async def all_there() -> bool:
        return await world.count(live) == len(result)

    await until(all_there)
    path = written(tmp_path / "fleet.csv", [filed.vin, whole.vin], result)
    with pytest.raises(Killed):
        await taken(world, path, make=Dying)
    assert 0 < await world.count(filed) < len(result)
    facts = await taken(world, path)
    assert (
        facts["went_on_at"] > 0 and facts["rows_stored"] == facts["records"] == 2 * len(result) and not facts["refused"]
    )
    wanted = await steps_of(world, live)
    assert {(s[0], s[4]) for s in wanted} >= {("coolant_hot", "resolved"), ("tyre_leak", "active")}
    for car in (filed, whole):
        assert await steps_of(world, car) == wanted
        assert await rows_of(world, car) == await rows_of(world, live)
    woken = await world.pool.fetch(
        "SELECT a.rule, a.state, w.payload FROM wakeups w JOIN alerts a ON a.id = w.subject_id WHERE a.vehicle_id = $1",
        filed.id,
    )
    standing = await world.pool.fetch(
        "SELECT rule, state FROM alerts WHERE vehicle_id = $1 AND state = 'active'", filed.id
    )
    assert (
        sorted((w["rule"], w["state"]) for w in woken) == sorted((s["rule"], s["state"]) for s in standing) and standing
    )
    assert all(w["payload"]["late"] for w in woken)
    assert (await world.pool.fetchval("SELECT last_heard_at FROM vehicles WHERE id = $1", filed.id)) is None

    again = await taken(world, path)
    other = await taken(world, path, fingerprint="the same lines under another name")
    assert again["already"] and (other["rows_stored"], other["rows_known"]) == (0, 2 * len(result))
    assert await steps_of(world, filed) == wanted and await world.count(filed) == len(result)

    await filed.connect()  # the gateway has its buckets back
    filed.say()

    async def heard() -> bool:
        return await world.count(filed) == len(result) + 1

    await until(heard)
    assert not gateway.done()


async def test_a_car_that_nobody_looks_after_is_named_with_its_line_and_nothing_is_stored(world: World, tmp_path: Path):
    car = await world.car(connect=False)
    path = written(tmp_path / "fleet.csv", [car.vin, "WVWZZZ1KZ6W000001"], lived()[:3])
    with pytest.raises(BadInput, match=r"1 cars that this dealer.*WVWZZZ1KZ6W000001' \(line 3\)"):
        await taken(world, path)
    assert await world.count(car) == 0 and await world.pool.fetchval("SELECT count(*) FROM readings_imports") == 0
