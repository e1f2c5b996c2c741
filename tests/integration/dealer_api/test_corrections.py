"""A unit is proposed at the car and at its case, accepted with one click by whoever may, and taken back with one."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

from schemas.signal import BY_ID
from store import fleet, history

VIN = "WVWZZZ1KZAW000078"
WHEELS = [70, 71, 72, 73]


async def _psi(desk: Any, values: tuple[float, ...] = (33.4, 33.5, 31.5, 31.8), spread: float = 0.3) -> int:
    """A car that has said its tyres in psi for an hour, and the four items about it."""
    now = desk.clock()
    async with desk.admin.acquire() as connection:
        car = await fleet.add(
            connection,
            desk.dealer.id,
            vin=VIN,
            profile="petrol_hatch",
            title="VW Golf",
            plate="HH-TT 8",
            actor="test",
            now=now,
        )
        day = int(now.timestamp() // 86_400)
        await connection.execute("SELECT open_day($1)", day)
        for n in range(40):
            await connection.execute(
                """INSERT INTO readings (dealer_id, vehicle_id, boot, seq, day, ts, received_at, mark, place, ids, vals)
                   VALUES ($1, $2, 1, $3, $4, $5, $5, 0, $3, $6, $7)""",
                desk.dealer.id,
                car.id,
                n + 1,
                day,
                now - timedelta(minutes=40 - n),
                WHEELS,
                [v + spread * (n % 3) for v in values],
            )
        for wheel in ("front_left", "front_right", "rear_left", "rear_right"):
            await connection.execute(
                """INSERT INTO alerts (dealer_id, vehicle_id, rule, rule_version, component, episode, step, state,
                     severity, because, first_at, changed_at, received_at)
                   VALUES ($1, $2, 'sensor_implausible', 3, $3, 1, 0, 'active', 'advice', 'x', $4, $4, $4)""",
                desk.dealer.id,
                car.id,
                f"tyre_pressure_{wheel}",
                now,
            )
    return int(car.id)


async def post(client: Any, path: str, **more: Any) -> Any:
    return await client.post(path, headers={"Idempotency-Key": str(uuid4())}, **more)


def guard(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def test_one_click_at_the_cars_page_and_one_back(desk: Any) -> None:
    car, client = await _psi(desk), await desk.as_role("technician")
    page = await (await client.get(f"/vehicles/{car}")).text()
    assert "Tyre pressures: said in psi?" in page and page.count("Read as psi") == 1
    answer = await client.post(
        f"/vehicles/{car}/corrections", data={"signal": "70", "unit": "psi", "csrf": guard(page)}
    )
    page = await answer.text()
    assert "Read as psi from the next message on." in page and "it begins within seconds" in page
    row = await desk.admin.fetchrow("SELECT * FROM unit_corrections WHERE vehicle_id = $1", car)
    assert row["signals"] == WHEELS and row["unit"] == "psi" and row["accepted_by"].startswith("staff:")
    again = await client.post(f"/vehicles/{car}/corrections", data={"signal": "71", "unit": "psi", "csrf": guard(page)})
    assert "is read in another unit already" in await again.text()
    # the gateway has begun, and the car has spoken since
    await desk.admin.execute("UPDATE unit_corrections SET read_since = $1", desk.clock())
    path, at = BY_ID[70].path, desk.clock().timestamp()
    await desk.admin.execute(
        "INSERT INTO latest (vehicle_id, dealer_id, ts, values) VALUES ($1, $2, $3, $4)",
        car,
        desk.dealer.id,
        desk.clock(),
        {path: [230.3, at], f"said:{path}": [33.4, at]},
    )
    await desk.admin.execute("UPDATE latest SET values = values - $1", f"said:{path}")  # from before it was accepted
    await desk.admin.execute("UPDATE latest SET values = jsonb_set(values, $1, $2)", [path], [33.4, at])
    page = await (await client.get(f"/vehicles/{car}")).text()
    assert "33.4 psi" in page and "230.3 kPa" in page, "what was said before is read so, too"
    await desk.admin.execute("UPDATE latest SET values = $1", {path: [230.3, at], f"said:{path}": [33.4, at]})
    page = await (await client.get(f"/vehicles/{car}")).text()
    assert "33.4 psi" in page and "230.3 kPa" in page and "Accepted by" in page, "both are named"
    back = await client.post(f"/corrections/{row['id']}/undo", data={"csrf": guard(page)})
    assert "Taken back" in await back.text()
    async with desk.admin.acquire() as connection:
        told = [(c.old, c.new) for c in await history.of(connection, desk.dealer.id, "correction", row["id"])]
    assert told == [(None, "accepted"), ("accepted", "undone")]


async def test_the_api_says_and_does_the_same(desk: Any) -> None:
    car, client = await _psi(desk), await desk.as_role("technician")
    found = await (await client.get(f"/api/v1/vehicles/{car}/corrections")).json()
    (one,) = found["proposed"]
    assert one["unit"] == "psi" and len(one["signals"]) == 4 and "near its placard" in one["because"]
    wrong = await post(client, f"/api/v1/vehicles/{car}/corrections", json={"signal": one["signals"][0], "unit": "bar"})
    assert wrong.status == 422 and "psi" in await wrong.text()
    unknown = await post(client, f"/api/v1/vehicles/{car}/corrections", json={"signal": "Vehicle.X", "unit": "psi"})
    assert unknown.status == 422 and "signal" in await unknown.text()
    made = await post(client, f"/api/v1/vehicles/{car}/corrections", json={"signal": one["signals"][0], "unit": "psi"})
    assert made.status == 201
    row = await made.json()
    assert row["state"] == "accepted" and row["factor"] == 6.894757 and row["read_since"] is None
    twice = await post(client, f"/api/v1/vehicles/{car}/corrections", json={"signal": one["signals"][0], "unit": "psi"})
    assert twice.status == 409
    undone = await post(client, f"/api/v1/corrections/{row['id']}/undo", json={})
    assert undone.status == 200 and (await undone.json())["state"] == "undone"
    assert (await post(client, f"/api/v1/corrections/{row['id']}/undo", json={})).status == 409


async def test_nothing_is_proposed_of_sensors_that_stand_still(desk: Any) -> None:
    car, client = await _psi(desk, values=(2.0, 2.0, 2.0, 2.0), spread=0.0), await desk.as_role("technician")
    found = await (await client.get(f"/api/v1/vehicles/{car}/corrections")).json()
    assert found == {"proposed": [], "items": []}
    said = await post(client, f"/api/v1/vehicles/{car}/corrections", json={"signal": BY_ID[70].path, "unit": "bar"})
    assert said.status == 422 and "stands still" in await said.text()
    assert "Units" not in await (await client.get(f"/vehicles/{car}")).text()


async def test_a_driver_corrects_nothing(desk: Any) -> None:
    car, client = await _psi(desk), await desk.as_role("driver")
    said = await post(client, f"/api/v1/vehicles/{car}/corrections", json={"signal": BY_ID[70].path, "unit": "psi"})
    assert said.status == 403
