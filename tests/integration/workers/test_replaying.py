"""Explain and backtest over rows that a real gateway wrote."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rules.catalogue import BY_NAME
from rules.judge import Judge
from schemas.errors import BadInput, NotFound
from store import pool
from telltale import data
from tests.integration.gateway.conftest import judge, world  # noqa: F401 - the gateway's own fixtures
from tests.integration.gateway.world import now, until
from workers import replaying

COOLANT = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"
CRANK = "Vehicle.LowVoltageBattery.CrankingVoltageMin"
AIR = "Vehicle.Exterior.AirTemperature"


async def _a_car_with_two_faults(world):  # noqa: F811
    """Its history: a hot engine that cooled down again, weak starts, a restart of the gateway in between."""
    task = await world.start()
    car = await world.car()
    begin = now() - timedelta(hours=30, microseconds=123)
    for n in range(40):
        hot = 5 <= n < 20
        car.say(car.body(ts=begin + timedelta(minutes=n, microseconds=137 * n), signals={COOLANT: 116.3 if hot else 88.1, "Vehicle.Speed": 71.7}))
    await until(lambda: car.acked and car.acked[-1]["upto"] == 40)
    await world.stop(task)
    world.gateways.remove(task)
    await world.start()
    for n in range(4):
        car.say(car.body(ts=begin + timedelta(hours=20 + n, microseconds=901), signals={CRANK: 8.9 + n / 10, AIR: 11.3}))
    await until(lambda: car.acked[-1]["upto"] == 44)
    return car, begin


async def test_explain_finds_the_same_verdict_byte_for_byte(world, judge):  # noqa: F811
    car, _ = await _a_car_with_two_faults(world)
    rows = await world.pool.fetch("SELECT id, rule, state FROM alerts WHERE vehicle_id = $1 ORDER BY id", car.id)
    assert {(r["rule"], r["state"]) for r in rows} == {("coolant_hot", "active"), ("battery_12v", "active")}
    async with pool.transaction(world.pool) as connection:
        for row in rows:
            facts = await replaying.explain(connection, judge, row["id"])
            assert facts["same_verdict"], facts["differs"]
            assert facts["because"] and facts["rule_version"] == facts["current_rule_version"] and facts["rows_folded"] > 5


async def test_explain_says_what_differs_when_a_row_was_changed(world, judge):  # noqa: F811
    car, _ = await _a_car_with_two_faults(world)
    alert = await world.pool.fetchval("SELECT id FROM alerts WHERE vehicle_id = $1 AND rule = 'battery_12v'", car.id)
    await world.pool.execute("UPDATE readings SET vals = '{9.1, 11.3}' WHERE vehicle_id = $1 AND seq = 42", car.id)
    async with pool.transaction(world.pool) as connection:
        facts = await replaying.explain(connection, judge, alert)
        assert not facts["same_verdict"] and "folded again" in facts["differs"]
        with pytest.raises(NotFound):
            await replaying.explain(connection, judge, 10**9)


async def test_backtest_counts_what_would_have_fired(world):  # noqa: F811
    _, begin = await _a_car_with_two_faults(world)

    def judge_of(names):
        return Judge([BY_NAME[name] for name in names if name in BY_NAME], data.profiles())

    ticks: list[int] = []
    async with pool.transaction(world.pool) as connection:
        facts = await replaying.backtest(connection, judge_of, ["coolant_hot", "battery_12v", "tyre_leak"], begin, None, ticks.append)
        later = await replaying.backtest(connection, judge_of, ["coolant_hot"], begin + timedelta(hours=10), None)
        with pytest.raises(BadInput, match="no rule"):
            await replaying.backtest(connection, judge_of, ["warp_core"], begin)
    assert {name: rule["would_fire"] for name, rule in facts["rules"].items()} == {"coolant_hot": 1, "battery_12v": 1, "tyre_leak": 0}
    assert facts["vehicles"] == 1 and facts["rows_folded"] == 44 and ticks == [1] and facts["per_vehicle_month"] > 0
    assert later["would_fire"] == 0
