"""The car's own telemetry writes its line about a drive of ours; what is odd waits until somebody looked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from schemas.signal import BY_PATH
from store import witnesses
from store.pool import transaction
from tests.integration.dealer_api.test_handovers import Road, road
from workers import job_runner
from workers.context import Context

__all__ = ["road"]
_SPEED, _ODOMETER = BY_PATH["Vehicle.Speed"].id, BY_PATH["Vehicle.TraveledDistance"].id
_SAY = """
INSERT INTO readings (dealer_id, vehicle_id, boot, seq, day, ts, received_at, mark, place, ids, vals, diagnostics)
VALUES ($1, $2, 1, $3, $4, $5, $5, 0, $3, $6, $7, $8)
"""


async def says(road: Road, seq: int, at: Any, kmh: float, metres: float, *codes: str) -> None:
    """One message of the car."""
    day = int(at.timestamp() // 86_400)
    async with road.desk.admin.acquire() as connection:
        await connection.execute("SELECT open_day($1)", day)
        listed = {
            "codes": [{"system": "obd", "code": code, "status": "confirmed"} for code in codes],
            "mil": bool(codes),
        }
        car = await connection.fetchval("SELECT vehicle_id FROM bookings")
        await connection.execute(
            _SAY, road.desk.dealer.id, car, seq, day, at, [_SPEED, _ODOMETER], [kmh, metres], listed
        )


async def test_a_drive_leaves_a_line_and_an_abuse_is_an_item_of_the_desk(road: Road, pool_as: Any) -> None:
    desk = road.desk
    await says(road, 1, desk.clock() - timedelta(minutes=5), 0, 41_230_000)
    await road.photos()
    await road.record()
    await road.move("collect", "collected")
    for n in range(2, 12):
        desk.clock.on(minutes=2)
        await says(road, n, desk.clock(), 172 if n == 6 else 60, 41_230_000 + n * 1_500, *(["U0100"] if n > 8 else []))
    await road.move("collect", "at_workshop")
    worker = await pool_as("worker", size=2)
    context = Context(worker, desk.clock, desk.house.wording, {}, "", machine=desk.clock)
    desk.clock.on(minutes=11)
    handlers = {"witness": job_runner.HANDLERS["witness"]}
    assert await job_runner.one(context, handlers) and not await job_runner.one(context, handlers)

    async with transaction(desk.house.pool, desk.dealer.id) as connection:
        [row] = await witnesses.odd(connection, desk.dealer.id)
    line = row.witness
    assert (line.messages, line.top_speed_kmh, line.distance_km, line.codes_after) == (10, 172, 13.5, ["U0100"])
    assert [words.partition(" ")[0] for words in line.odd] == ["up", "new"]
    advisor = await desk.as_role("advisor")
    today = await (await advisor.get("/today")).text()
    assert "Odd drives" in today and "Up to 172 km/h" in today
    csrf = today.partition('name="csrf" value="')[2].partition('"')[0]
    await advisor.post(f"/witnesses/{line.id}/seen", data={"csrf": csrf})
    assert "Odd drives" not in await (await advisor.get("/today")).text()
    case = await (await advisor.get(f"/cases/{row.case_id}")).text()
    assert "The car says of this drive" in case and "13.5 km" in case


async def test_a_silent_car_leaves_a_line_that_says_so(road: Road, pool_as: Any) -> None:
    desk = road.desk
    await road.move("collect", "collected", "at_workshop")
    context = Context(await pool_as("worker", size=2), desk.clock, desk.house.wording, {}, "", machine=desk.clock)
    desk.clock.on(minutes=11)
    await job_runner.one(context, {"witness": job_runner.HANDLERS["witness"]})
    async with transaction(desk.house.pool, desk.dealer.id) as connection:
        [line] = await witnesses.of_booking(connection, desk.dealer.id, road.booking)
        assert not await witnesses.odd(connection, desk.dealer.id)
    assert (line.messages, line.distance_km, line.top_speed_kmh) == (0, None, None)


async def test_a_loaner_that_is_out_is_given_to_nobody_and_overdue_once_its_visit_is_over(road: Road) -> None:
    desk = road.desk
    loaner = await desk.admin.fetchval(
        "INSERT INTO resources (dealer_id, kind, name) VALUES ($1, 'loaner', 'Loaner 1') RETURNING id", desk.dealer.id
    )
    await desk.admin.execute("UPDATE bookings SET loaner_id = $1", loaner)
    await road.photos("loaner_out")
    out = await road.record("loaner_out")
    assert out["loaner_id"] == loaner and out["leg_id"] is None
    assert (await road.record("loaner_out", expect=409, key="another-one"))["status"] == 409
    await desk.admin.execute("UPDATE bookings SET state = 'completed'")
    advisor = await desk.as_role("advisor")
    assert "Loaner not back" in await (await advisor.get("/today")).text()
    await road.photos("loaner_in")
    await road.record("loaner_in", odometer_km=41_260)
    assert "Loaner not back" not in await (await advisor.get("/today")).text()
