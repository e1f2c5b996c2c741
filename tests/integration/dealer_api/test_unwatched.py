"""What a car's feed cannot show stands at its page and in the API, with what is needed and what comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from schemas.signal import BY_ID
from store import fleet

VIN = "WVWZZZ1KZAW000079"
SPEED, RPM, COOLANT, VOLTS = 1, 10, 11, 5


async def _car(desk: Any, every: timedelta, count: int, **values: float) -> int:
    now = desk.clock()
    said = {SPEED: 70.0, RPM: 2_000.0, COOLANT: 90.0, VOLTS: 14.1, **{int(k[1:]): v for k, v in values.items()}}
    async with desk.admin.acquire() as connection:
        car = await fleet.add(
            connection,
            desk.dealer.id,
            vin=VIN,
            profile="petrol_hatch",
            title="VW Golf",
            plate="HH-TT 9",
            actor="test",
            now=now,
        )
        for n in range(count):
            at = now - every * (count - n)
            day = int(at.timestamp() // 86_400)
            await connection.execute("SELECT open_day($1)", day)
            await connection.execute(
                """INSERT INTO readings (dealer_id, vehicle_id, boot, seq, day, ts, received_at, mark, place, ids, vals)
                   VALUES ($1, $2, 1, $3, $4, $5, $5, 0, $3, $6, $7)""",
                desk.dealer.id,
                car.id,
                n + 1,
                day,
                at,
                list(said),
                list(said.values()),
            )
        await connection.execute(
            "INSERT INTO latest (vehicle_id, dealer_id, ts, values) VALUES ($1, $2, $3, $4)",
            car.id,
            desk.dealer.id,
            at,
            {BY_ID[i].path: [value, at.timestamp()] for i, value in said.items()},
        )
    return int(car.id)


async def _why(client: Any, car: int) -> dict[str, str]:
    found = await (await client.get(f"/api/v1/vehicles/{car}")).json()
    return {one["rule"]: one["why"] or "lacks " + ", ".join(one["needs"]) for one in found["unwatched"]}


async def test_an_hourly_feed_is_told_what_it_is_too_slow_for(desk: Any) -> None:
    client = await desk.as_role("advisor")
    car = await _car(desk, timedelta(hours=1), 60)
    why = await _why(client, car)
    assert why["thermostat_open"] == "a value each 12 min while driving; this feed sends one each 60 min"
    assert why["trouble_code"] == "the car's list of trouble codes; this feed has never brought one"
    assert "coolant_hot" not in why and "alternator" not in why and why["oil_pressure"].startswith("lacks ")
    page = await (await client.get(f"/vehicles/{car}")).text()
    assert "needs a value each 12 min while driving; this feed sends one each 60 min" in page


async def test_a_feed_that_speaks_only_while_the_car_stands_is_told_so(desk: Any) -> None:
    client = await desk.as_role("advisor")
    car = await _car(desk, timedelta(minutes=10), 60, s1=0.0, s10=0.0, s11=15.0)
    why = await _why(client, car)
    assert why["coolant_hot"] == "coolant temperature while driving; this feed brings that only while the car stands"
    assert why["alternator"].endswith("while driving; this feed brings that only while the car stands")


async def test_a_dongle_of_one_second_is_watched_by_all_that_it_can_show(desk: Any) -> None:
    client = await desk.as_role("advisor")
    car = await _car(desk, timedelta(seconds=1), 1_100)
    why = await _why(client, car)
    assert {"coolant_hot", "alternator", "thermostat_open"}.isdisjoint(why)
