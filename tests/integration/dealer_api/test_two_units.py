"""Two units that speak as one car are shown at the car, with what to do; a manager says whether both are stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from store import fleet, tallies

VIN = "WVWZZZ1KZAW000077"


async def _car(desk: Any) -> int:
    async with desk.admin.acquire() as connection:
        car = await fleet.add(
            connection,
            desk.dealer.id,
            vin=VIN,
            profile="petrol_hatch",
            title="VW Golf",
            plate="HH-TT 7",
            actor="test",
            now=desk.clock(),
        )
        return int(car.id)


async def test_the_cars_page_says_since_when_two_units_speak_and_what_was_refused(desk: Any) -> None:
    car, client, now = await _car(desk), await desk.as_role("advisor"), desk.clock()
    assert "Two units" not in await (await client.get(f"/vehicles/{car}")).text()
    since, last = (now - timedelta(hours=3)).timestamp(), (now - timedelta(minutes=4)).timestamp()
    frontier = {"boots": [], "cursor": [-1, -1], "gaps": [], "lost": [], "beside": [30, since, last, [1, 5]]}
    await desk.admin.execute(
        "INSERT INTO checkpoints (vehicle_id, dealer_id, place, boot, upto, ts, day, frontier, versions, memory) "
        "VALUES ($1, $2, 1, 1, 5, $3, 0, $4, '{}', '')",
        car,
        desk.dealer.id,
        now,
        frontier,
    )
    async with desk.admin.acquire() as connection:
        await tallies.add(connection, [(desk.dealer.id, "refused_connect:taken_over", VIN, 13, now, "again and again")])
    page = await (await client.get(f"/vehicles/{car}")).text()
    assert "Two units speak as this car since today 05:30" in page and "13 tries were refused" in page
    desk.clock.on(days=3)  # nothing of it since: one of them is gone
    assert "Two units" not in await (await client.get(f"/vehicles/{car}")).text()


async def test_a_suspicion_is_not_shown(desk: Any) -> None:
    car, client, now = await _car(desk), await desk.as_role("advisor"), desk.clock()
    frontier = {"beside": [20, now.timestamp(), now.timestamp(), [1, 5]]}
    await desk.admin.execute(
        "INSERT INTO checkpoints (vehicle_id, dealer_id, place, boot, upto, ts, day, frontier, versions, memory) "
        "VALUES ($1, $2, 1, 1, 5, $3, 0, $4, '{}', '')",
        car,
        desk.dealer.id,
        now,
        frontier,
    )
    assert "Two units" not in await (await client.get(f"/vehicles/{car}")).text()


async def test_a_manager_chooses_what_happens_then(desk: Any) -> None:
    client = await desk.as_role("manager")
    assert 'name="two_units"' in await (await client.get("/settings")).text()
    said = await client.patch("/api/v1/dealer", json={"two_units": "stop"})
    assert said.status == 200 and (await said.json())["two_units"] == "stop"
    assert (await client.patch("/api/v1/dealer", json={"two_units": "maybe"})).status == 422
