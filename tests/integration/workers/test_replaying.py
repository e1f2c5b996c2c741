"""Explain and backtest over rows that a real gateway wrote."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rules.catalogue import BY_NAME
from rules.engine.judge import Judge
from schemas.errors import BadInput, NotFound
from store import pool, stages
from telltale import data
from tests.integration.gateway.conftest import judge, world  # noqa: F401 - the gateway's own fixtures
from tests.integration.gateway.world import now, until
from tests.standing import PoolAs
from workers import replaying

ROOT = Path(__file__).resolve().parents[3]
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
        car.say(
            car.body(
                ts=begin + timedelta(minutes=n, microseconds=137 * n),
                signals={COOLANT: 116.3 if hot else 88.1, "Vehicle.Speed": 71.7},
            )
        )
    await until(lambda: car.acked and car.acked[-1]["upto"] == 40)
    await world.stop(task)
    world.gateways.remove(task)
    await world.start()
    for n in range(4):
        car.say(
            car.body(ts=begin + timedelta(hours=20 + n, microseconds=901), signals={CRANK: 8.9 + n / 10, AIR: 11.3})
        )
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
            assert (
                facts["because"] and facts["rule_version"] == facts["current_rule_version"] and facts["rows_folded"] > 5
            )


async def test_explain_says_what_differs_when_a_row_was_changed(world, judge):  # noqa: F811
    car, _ = await _a_car_with_two_faults(world)
    alert = await world.pool.fetchval("SELECT id FROM alerts WHERE vehicle_id = $1 AND rule = 'battery_12v'", car.id)
    await world.pool.execute("UPDATE readings SET vals = '{9.1, 11.3}' WHERE vehicle_id = $1 AND seq = 42", car.id)
    async with pool.transaction(world.pool) as connection:
        facts = await replaying.explain(connection, judge, alert)
        assert not facts["same_verdict"] and "folded again" in facts["differs"]
        with pytest.raises(NotFound):
            await replaying.explain(connection, judge, 10**9)


async def test_an_alert_whose_readings_have_gone_is_neither_confirmed_nor_accused(world, judge):  # noqa: F811
    car, _ = await _a_car_with_two_faults(world)
    await world.pool.execute("DELETE FROM readings WHERE vehicle_id = $1 AND place < 30", car.id)
    async with pool.transaction(world.pool) as connection:
        for row in await world.pool.fetch("SELECT id FROM alerts WHERE vehicle_id = $1 ORDER BY id", car.id):
            facts = await replaying.explain(connection, judge, row["id"])
            assert facts["same_verdict"] is not False and (
                facts["same_verdict"] or "first 29 messages are not kept" in facts["differs"]
            )


async def test_backtest_counts_what_would_have_fired(world):  # noqa: F811
    _, begin = await _a_car_with_two_faults(world)

    def judge_of(names):
        return Judge([BY_NAME[name] for name in names if name in BY_NAME], data.profiles())

    ticks: list[int] = []
    async with pool.transaction(world.pool) as connection:
        facts = await replaying.backtest(
            connection, judge_of, ["coolant_hot", "battery_12v", "tyre_leak"], begin, None, ticks.append
        )
        later = await replaying.backtest(connection, judge_of, ["coolant_hot"], begin + timedelta(hours=10), None)
        with pytest.raises(BadInput, match="no rule"):
            await replaying.backtest(connection, judge_of, ["warp_core"], begin)
    assert {name: rule["would_fire"] for name, rule in facts["rules"].items()} == {
        "coolant_hot": 1,
        "battery_12v": 1,
        "tyre_leak": 0,
    }
    assert facts["vehicles"] == 1 and facts["rows_folded"] == 44 and ticks == [1] and facts["per_vehicle_month"] > 0
    assert later["would_fire"] == 0


async def test_backtest_tells_hits_from_false_ones_counts_flapping_and_the_load_on_the_workshop(world):  # noqa: F811
    """A quarter of one car: hot and gone by itself; hot and repaired; hot twice within a day; hot just now."""
    await world.start()
    car, today = await world.car(), now().replace(hour=12, minute=0, second=0)
    spells = [(100, 0.0), (40, 0.0), (20, 0.0), (20, 6.0), (1, 0.0)]  # days ago, hours later
    for days, hours in spells:
        begin = today - timedelta(days=days) + timedelta(hours=hours)
        for n in range(14):  # hot for ten minutes, then two cool looks, the second long after
            minutes = n if n < 12 else 40 + 40 * (n - 12)
            car.say(car.body(ts=begin + timedelta(minutes=minutes), signals={COOLANT: 116.0 if n < 10 else 88.0}))
    await until(lambda: car.acked and car.acked[-1]["upto"] == 14 * len(spells))
    await world.pool.execute(
        "INSERT INTO cases (dealer_id, vehicle_id, state, severity, title, origin, opened_at, changed_at, repaired_at) "
        "VALUES ($1, $2, 'done', 'soon', 'Radiator', 'alert', $3, $3, $3)",
        world.dealer,
        car.id,
        today - timedelta(days=38),
    )
    async with pool.transaction(world.pool) as connection:
        facts = await replaying.backtest(
            connection,
            lambda names: Judge([BY_NAME["coolant_hot"]], data.profiles()),
            ["coolant_hot"],
            today - timedelta(days=120),
        )
    told = facts["rules"]["coolant_hot"]
    assert (told["would_fire"], told["vehicles"], told["hits"], told["false"], told["undecided"], told["flapped"]) == (
        5,
        1,
        1,
        4,
        0,
        1,
    )
    assert told["per_vehicle_month"] == pytest.approx(5 / (99.06 / 30.44), rel=0.02)
    assert facts["workshop_load"] == {"visits_per_day": pytest.approx(4 / 99.06, abs=0.002), "busiest_day": 2}


async def test_the_rule_of_the_howto_is_tried_on_what_is_stored_then_shadowed_then_promoted(world, pool_as: PoolAs):  # noqa: F811
    """Its whole way: backtest, shadow (recorded, told to nobody), live with a reason that stays."""
    block = re.search(
        r"```python\n(.*?)```", (ROOT / "docs" / "howto" / "new-rule.md").read_text(encoding="utf-8"), re.S
    )
    assert block is not None
    made: dict[str, Any] = {}
    exec(block[1], made)
    rule, fluid = made["RULE"], made["FLUID"]

    def judge_of(names=(), stage="live"):
        return Judge([rule], data.profiles(), stages={rule.name: stage})

    await world.start(judge=Judge([], data.profiles()))  # the cars were heard before anybody thought of the rule
    car = await world.car(profile="diesel_van")
    begin = now() - timedelta(days=3)
    for n in range(8):
        car.say(car.body(ts=begin + timedelta(minutes=5 * n), signals={fluid: 8.0}))
    await until(lambda: car.acked and car.acked[-1]["upto"] == 8)
    async with pool.transaction(await pool_as("worker")) as connection:
        tried = await replaying.backtest(connection, judge_of, [rule.name], begin)
        await stages.move(connection, rule.name, "shadow", reason="on trial", actor="system", now=now())
    assert tried["would_fire"] == 1 and await world.pool.fetchval("SELECT count(*) FROM alerts") == 0

    for stage, told in (("shadow", 0), ("live", 1)):
        await world.stop(world.gateways.pop())
        await world.start(judge=judge_of(stage=stage))
        fresh = await world.car(profile="diesel_van")
        for n in range(4):
            fresh.say(fresh.body(ts=now() - timedelta(minutes=30 - 5 * n), signals={fluid: 8.0}))
        await until(
            lambda seen=fresh: world.pool.fetchval(
                "SELECT 1 FROM alerts WHERE vehicle_id = $1 AND state = 'active'", seen.id
            )
        )
        woken = (
            "SELECT count(*) FROM wakeups w JOIN alerts a ON a.id = w.subject_id WHERE w.topic = 'alert' "
            "AND a.vehicle_id = $1"
        )
        assert await world.pool.fetchval(woken, fresh.id) == told
    async with pool.transaction(await pool_as("worker")) as connection:
        await stages.move(
            connection,
            rule.name,
            "live",
            reason=f"backtest: {tried['would_fire']} would have fired",
            actor="staff:4",
            now=now(),
        )
        moves = await stages.moves(connection, rule.name)
    assert [(c.old, c.new, c.reason) for c in moves] == [
        (None, "shadow", "on trial"),
        ("shadow", "live", "backtest: 1 would have fired"),
    ]
