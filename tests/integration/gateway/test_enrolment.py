"""From the desk's door to the desk's page: a car is enrolled over HTTP, gets another unit, is enrolled anew, and the
new unit's very first message, boot 1 number 1, is judged at once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.integration.dealer_api.conftest import (  # noqa: F401 - the desk's own fixtures
    cheap_passwords,
    demo,
    desk,
    hashed_password,
)
from tests.integration.gateway.world import TestCar, now, until

VIN = "TSTENR0LMENT00001"


async def _unit(world: Any, credentials: dict[str, Any]) -> TestCar:
    """A telematics unit that has been given what the API answered, and nothing else."""
    made = TestCar(credentials["username"], credentials["password"], world.broker.port, 0)
    world.cars.append(made)
    return await made.connect()


async def test_a_new_unit_that_was_enrolled_over_http_is_judged_at_once_and_shown(world, desk):  # noqa: F811
    await world.start()
    desk.clock.at = now() - timedelta(hours=3)
    advisor = await desk.as_role("advisor")
    body = {"vin": VIN, "profile": "petrol_hatch", "title": "VW Golf", "plate": "HH-TT 1"}
    car = await desk.post(advisor, "/api/v1/vehicles", body)
    first = await _unit(world, await desk.post(advisor, f"/api/v1/vehicles/{car['id']}/enrol"))
    began = now() - timedelta(hours=2)
    for n in range(30):
        first.say(first.body(ts=began + timedelta(minutes=n)))
    await until(lambda: first.acked and first.acked[-1]["upto"] == 30)
    page = await (await advisor.get(f"/vehicles/{car['id']}")).text()
    assert "Speaks with a new unit since" not in page

    desk.clock.at = now()
    second = await _unit(world, await desk.post(advisor, f"/api/v1/vehicles/{car['id']}/enrol"))
    await until(lambda: not first.client.is_connected())  # the old password is worth nothing any more
    code = {"system": "obd", "code": "P0217", "status": "confirmed"}
    second.seq += 1
    second.say(second.body(1, signals=None, codes=[code], mil=True), "up/diagnostics")
    row = await until(
        lambda: world.pool.fetchrow("SELECT state, component FROM alerts WHERE vehicle_id = $1", car["id"])
    )
    assert (row["state"], row["component"]) == ("active", "P0217")
    await until(lambda: second.acked and (second.acked[-1]["boot"], second.acked[-1]["upto"]) == (1, 1))
    assert await world.pool.fetchval("SELECT count(*) FROM readings WHERE vehicle_id = $1", car["id"]) == 31

    async def shown() -> bool:
        text = await (await advisor.get(f"/vehicles/{car['id']}")).text()
        return "Speaks with a new unit since" in text and "It was enrolled anew." in text

    assert await until(shown)
