"""What the rules say of a car reaches the alert, its steps, the workers, the desk and the driver's screen."""

from __future__ import annotations

import json
from datetime import timedelta

from rules.catalogue import BY_NAME
from rules.detectors.custom_rule import CustomRule
from rules.engine.judge import Judge
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule
from store import alerts, tallies
from telltale import data
from tests.integration.gateway.world import World, now, until


def codes(car, *found: str) -> bytes:
    car.seq += 1
    result = {
        "boot": car.boot,
        "seq": car.seq,
        "oldest": 1,
        "ts": now().isoformat(),
        "mil": bool(found),
        "codes": [{"system": "obd", "code": code, "status": "confirmed"} for code in found],
    }
    return json.dumps(result).encode()


async def test_a_trouble_code_becomes_an_alert_with_steps_a_wakeup_and_a_word_to_the_driver(world: World):
    await world.start()
    car = await world.car()
    car.say()
    car.say(codes(car, "P0301"), way="up/diagnostics")
    await until(lambda: [a for a in car.alerts if a["state"] == "active"])
    async with world.pool.acquire() as connection:
        (alert,) = await alerts.page(connection, world.dealer, vehicle_id=car.id)
        steps = await alerts.steps_of(connection, alert)
        wakeups = await connection.fetch(
            "SELECT topic, subject_id, payload FROM wakeups WHERE subject_id = $1", alert.id
        )
    assert (alert.rule, alert.component, alert.state.value) == ("trouble_code", "P0301", "active")
    assert [s.state.value for s in steps][-1] == "active" and [s.step for s in steps] == list(range(len(steps)))
    assert [w["topic"] for w in wakeups] == ["alert"]
    assert (
        json.loads(wakeups[0]["payload"])
        if isinstance(wakeups[0]["payload"], str)
        else wakeups[0]["payload"]["state"] == "active"
    )
    car.say(codes(car), way="up/diagnostics")
    await until(lambda: [a for a in car.alerts if a["state"] == "resolved"])
    car.say(codes(car, "P0301"), way="up/diagnostics")
    await until(lambda: len([a for a in car.alerts if a["state"] == "active"]) == 2)
    assert await world.pool.fetch(
        "SELECT episode, state FROM alerts WHERE vehicle_id = $1 ORDER BY episode", car.id
    ) == [(1, "resolved"), (2, "active")] or (
        [
            r["state"]
            for r in await world.pool.fetch("SELECT state FROM alerts WHERE vehicle_id = $1 ORDER BY episode", car.id)
        ]
        == ["resolved", "active"]
    )


async def test_writing_the_same_steps_again_changes_nothing(world: World):
    await world.start()
    car = await world.car()
    car.say(codes(car, "P0420"), way="up/diagnostics")
    await until(lambda: [a for a in car.alerts if a["state"] == "active"])
    async with world.pool.acquire() as connection, connection.transaction():
        (alert,) = await alerts.page(connection, world.dealer, vehicle_id=car.id)
        steps = await alerts.steps_of(connection, alert)
        again = [alerts.Moved(world.dealer, car.id, now().timestamp(), step) for step in steps]
        await alerts.move(connection, again, now())
        assert len(await alerts.steps_of(connection, alert)) == len(steps)
        assert await connection.fetchval("SELECT count(*) FROM wakeups WHERE subject_id = $1", alert.id) == 1


async def test_a_refused_message_that_a_person_accepts_is_folded_in(world: World):
    from store import quarantine

    await world.start()
    car = await world.car()
    car.say(car.body(signals={"Vehicle.Speed": 9999}))

    async def refused() -> bool:
        return await world.rejections(car) == ["out_of_range"]

    await until(refused)
    async with world.pool.acquire() as connection, connection.transaction():
        (one,) = await quarantine.page(connection, world.dealer, vehicle_id=car.id)
        await quarantine.decide(connection, world.dealer, one.id, accept=True, actor="staff:1", now=now())

    async def folded() -> bool:
        rows = await world.pool.fetch(
            "SELECT ids, vals, mark FROM readings WHERE vehicle_id = $1 ORDER BY place", car.id
        )
        return [(r["ids"], r["vals"]) for r in rows] == [([], []), ([1], [9999.0])] and bool(rows[1]["mark"] & 8)

    await until(folded)


async def test_rules_that_break_are_counted_for_the_car_and_its_dealer_and_the_gateway_goes_on(world: World):
    def raises(seen, state):
        raise ValueError("no such thing")

    def nonsense(seen, state):
        return "fast"

    broken = [
        Rule(
            name=f.__name__,
            version=1,
            title="",
            needs=(),
            hold=timedelta(0),
            judge=CustomRule(judge=f, on=("Vehicle.Speed",)),
            proof=Proof(kind="none"),
        )
        for f in (raises, nonsense)
    ]
    gateway = await world.start(judge=Judge([*broken, BY_NAME["trouble_code"]], data.profiles()))
    car, other = await world.car(), await world.car()
    for _ in range(3):
        car.say()
    other.say(codes(other, "P0301"), way="up/diagnostics")
    await until(lambda: [a for a in other.alerts if a["state"] == "active"])

    async def counted() -> bool:
        async with world.pool.acquire() as connection:
            found = await tallies.of_dealer(connection, world.dealer)
        ours = {(t.name, t.subject, t.times) for t in found if t.name.startswith("rule_broken:")}
        return ours == {(f"rule_broken:{rule.name}", car.vin, 3) for rule in broken} and any(
            "no such thing" in t.detail for t in found
        )

    await until(counted)
    assert await world.count(car) == 3 and not gateway.done()
