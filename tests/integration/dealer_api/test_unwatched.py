"""What a car's feed cannot show stands at its page and in the API, with what is needed and what comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rules.engine.thresholds import wheel_paths
from schemas.signal import BY_ID, BY_PATH
from store import fleet
from store.views import feed

VIN = "WVWZZZ1KZAW000079"
SPEED, RPM, COOLANT, VOLTS = 1, 10, 11, 5


async def _added(desk: Any, connection: Any, profile: str = "petrol_hatch") -> Any:
    return await fleet.add(
        connection,
        desk.dealer.id,
        vin=VIN,
        profile=profile,
        title="VW Golf",
        plate="HH-TT 9",
        actor="test",
        now=desk.clock(),
    )


async def _car(desk: Any, every: timedelta, count: int, **values: float) -> int:
    now = desk.clock()
    said = {SPEED: 70.0, RPM: 2_000.0, COOLANT: 90.0, VOLTS: 14.1, **{int(k[1:]): v for k, v in values.items()}}
    async with desk.admin.acquire() as connection:
        car = await _added(desk, connection)
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


async def _of_feed(desk: Any, profile: str, every: timedelta, count: int, signals: list[dict[str, float]]) -> int:
    """A car without credentials, of which a feed speaks: the parts of a round are messages of their own."""
    now = desk.clock()
    async with desk.admin.acquire() as connection:
        car = await _added(desk, connection, profile)
        for n in range(count):
            for part, said in enumerate(signals):
                at = now - every * (count - n) + timedelta(seconds=part)
                day = int(at.timestamp() // 86_400)
                await connection.execute("SELECT open_day($1)", day)
                await connection.execute(
                    """INSERT INTO readings (dealer_id, vehicle_id, boot, seq, day, ts, received_at, mark, place, ids,
                         vals) VALUES ($1, $2, -1, $3, $4, $5, $5, 4, $3, $6, $7)""",
                    desk.dealer.id,
                    car.id,
                    n * len(signals) + part + 1,
                    day,
                    at,
                    [BY_PATH[path].id for path in said],
                    list(said.values()),
                )
        await connection.execute(
            "INSERT INTO latest (vehicle_id, dealer_id, ts, values) VALUES ($1, $2, $3, $4)",
            car.id,
            desk.dealer.id,
            at,
            {path: [value, at.timestamp()] for said in signals for path, value in said.items()},
        )
    return int(car.id)


async def _page(desk: Any, car: int) -> tuple[dict[str, str], str]:
    client = await desk.as_role("advisor")
    return await _why(client, car), await (await client.get(f"/vehicles/{car}")).text()


async def test_a_car_of_topics_with_one_value_each_is_watched_by_what_comes_within_one_round(desk: Any) -> None:
    """As TeslaMate says it: tyres in one look, speed in the next; and never a cell or an insulation."""
    tyres = dict.fromkeys(wheel_paths("Tire.Pressure"), 290.0)
    soc = {"Vehicle.Powertrain.TractionBattery.StateOfCharge.Current": 71.0}
    car = await _of_feed(desk, "electric_car", timedelta(minutes=5), 60, [tyres, {"Vehicle.Speed": 50.0}, soc])
    why, page = await _page(desk, car)
    assert {"tyre_low", "tyre_leak"}.isdisjoint(why)
    assert why["ev_health"] == "lacks Vehicle.Powertrain.TractionBattery.StateOfHealth"
    assert why["ev_cell"].startswith("lacks ") and why["trouble_code"].endswith("never brought one")
    assert "Cannot be watched" in page and "battery health" in page


async def test_a_tracker_that_speaks_seldom_is_told_what_it_is_too_slow_for(desk: Any) -> None:
    """As Traccar says it of a parked car: an hour apart."""
    said = {"Vehicle.Speed": 50.0, "Vehicle.LowVoltageBattery.CurrentVoltage": 14.1}
    engine = {
        "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature": 96.0,
        "Vehicle.Powertrain.CombustionEngine.Speed": 2100.0,
    }
    car = await _of_feed(desk, "petrol_hatch", timedelta(hours=1), 60, [{**said, **engine}])
    why, page = await _page(desk, car)
    assert why["thermostat_open"] == "a value each 12 min while driving; this feed sends one each 60 min"
    assert why["oil_life"].startswith("lacks ") and why["tyre_low"].startswith("lacks ")
    assert "this feed sends one each 60 min" in page


async def test_what_a_feed_says_in_two_messages_of_one_time_counts_as_said_together(desk: Any) -> None:
    coolant = {"Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature": 96.0}
    others = {"Vehicle.Speed": 70.0, "Vehicle.Powertrain.CombustionEngine.Speed": 2100.0}
    async with desk.admin.acquire() as connection:
        car = await _of_feed(desk, "petrol_hatch", timedelta(seconds=10), 60, [coolant, others])
        await connection.execute("UPDATE readings SET ts = ts - interval '1 s' WHERE seq % 2 = 0")
        newest = await connection.fetchval("SELECT max(ts) FROM readings")
        found, _ = await feed.lately(connection, desk.dealer.id, car, (1, 10), newest)
    assert {tuple(sorted(ids)) for _, ids, _ in found} == {(1, 10, 11)}
    assert {tuple(sorted(values)) for _, _, values in found} == {(0.0, 70.0, 2100.0)}
