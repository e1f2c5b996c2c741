"""What the cars say ends in the database once, whatever happens on the way."""

from __future__ import annotations

from tests.integration.gateway.world import until


async def test_a_message_is_stored_judged_and_acknowledged_to_the_car(world):
    await world.start()
    car = await world.car()
    for _ in range(20):
        car.say()
    await until(lambda: car.acked and car.acked[-1]["upto"] == 20)
    rows = await world.pool.fetch("SELECT seq, place, mark FROM readings WHERE vehicle_id = $1 ORDER BY place", car.id)
    assert [r["seq"] for r in rows] == list(range(1, 21))
    assert [r["place"] for r in rows] == list(range(1, 21))
    assert {r["mark"] for r in rows} == {0}
