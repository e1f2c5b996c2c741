"""The story of one wrong digit: refused, let in by mistake, believed, an alert, a case; taken back, withdrawn,
dismissed.
"""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from gateway.fleet.car import Car
from gateway.fleet.fleet import Fleet
from rules.engine.judge import Judge
from rules.service.wording import Wording
from schemas.errors import BadInput, IllegalMove
from schemas.reading import Mark
from schemas.vehicle import bucket_of
from store import alerts, history, pool, quarantine, readings, vehicles
from telltale import data
from tests.integration.gateway.world import World, now, until
from tests.standing import PoolAs
from workers import job_runner, replaying
from workers.context import Context

ODOMETER, SERVICE, SPEED = "Vehicle.TraveledDistance", "Vehicle.Service.DistanceToService", "Vehicle.Speed"


async def decide(world, row: int, *, accept: bool):
    async with pool.transaction(world.pool) as connection:
        return await quarantine.decide(connection, world.dealer, row, accept=accept, actor="staff:1", now=now())


async def refused(world, car) -> int:
    async def one() -> int | None:
        return await world.pool.fetchval(
            "SELECT id FROM quarantine WHERE vehicle_id = $1 AND reason = 'odometer' ORDER BY id DESC LIMIT 1", car.id
        )

    return await until(one)


async def settled(world, row: int, column: str) -> None:
    await until(lambda: world.pool.fetchval(f"SELECT {column} IS NOT NULL FROM quarantine WHERE id = $1", row))


def says(car, days_ago: float, km: float, to_service: float = 15_000):
    return car.say(
        car.body(ts=now() - timedelta(days=days_ago), signals={ODOMETER: km * 1000, SERVICE: to_service, SPEED: 50})
    )


async def acked(car, upto: int) -> None:
    await until(lambda: car.acked and car.acked[-1]["upto"] >= upto)


async def alert_of(world, car):
    return await world.pool.fetchrow(
        "SELECT id, state, because, case_id FROM alerts WHERE vehicle_id = $1 AND rule = 'service_due'", car.id
    )


async def believed_by_mistake(world):
    """One digit too many is let in; a week later the car seems to have driven 600 km a day since: service is due."""
    task = await world.start()
    car = await world.car()
    says(car, 20, 199_105)
    says(car, 19, 1_991_050)
    row = await refused(world, car)
    await decide(world, row, accept=True)
    await settled(world, row, "folded_at")
    for days_ago, km in ((18.3, 1_991_470), (12, 1_995_250), (11.98, 1_995_260)):
        says(car, days_ago, km)

    async def active():
        found = await alert_of(world, car)
        return found is not None and found["state"] == "active"

    await until(active)
    return task, car, row


async def work(world, pool_as) -> None:
    context = Context(await pool_as("worker"), now, Wording(data.texts()), {}, "http://desk.example")
    while await job_runner.one(context):
        pass


async def memory_of(world, car, judge, *, checkpoint: bool) -> Car:
    """The car as a gateway that starts now loads it."""
    async with pool.transaction(world.pool) as connection:
        if not checkpoint:
            await connection.execute("DELETE FROM checkpoints WHERE vehicle_id = $1", car.id)
        (who,) = await vehicles.identities(connection, car.id)
        found = Car(who, bucket_of(car.vin))
        await Fleet(judge).load(connection, [found], 0.0)
    return found


async def test_what_was_let_in_by_mistake_is_taken_back_with_all_that_rested_on_it(
    world: World, pool_as: PoolAs, judge: Judge
):
    task, car, row = await believed_by_mistake(world)
    await work(world, pool_as)
    case = (await alert_of(world, car))["case_id"]
    assert await world.pool.fetchval("SELECT state FROM cases WHERE id = $1", case) == "open"

    await world.stop(task)  # a restart between the two
    world.gateways.remove(task)
    task = await world.start()
    await decide(world, row, accept=False)
    await settled(world, row, "taken_back_at")

    alert = await alert_of(world, car)
    assert alert["state"] == "withdrawn" and "taken back" in alert["because"]
    await until(lambda: [a for a in car.alerts if a["state"] == "withdrawn"])  # the driver's screen, too
    await work(world, pool_as)
    assert await world.pool.fetchval("SELECT state FROM cases WHERE id = $1", case) == "dismissed"
    async with pool.transaction(world.pool) as connection:
        told = [(c.old, c.new, c.actor) for c in await history.of(connection, world.dealer, "quarantine", row)]
        (*_, last) = await history.of(connection, world.dealer, "quarantine", row)
        points = await readings.series(connection, world.dealer, car.id, 2, now() - timedelta(days=30), now())
        facts = await replaying.explain(connection, judge, alert["id"])
        tried = await replaying.backtest(connection, lambda names: judge, ["service_due"], now() - timedelta(days=30))
    assert told == [
        ("waiting", "accepted", "staff:1"),
        ("accepted", "taken_back", "staff:1"),
        ("taken_back", "left_out", "system"),
    ]
    assert "an alert is withdrawn" in last.reason
    assert not any(point.mark & Mark.ACCEPTED for point in points) and points[0].value == 199_104_992.0
    assert facts["same_verdict"], facts["differs"]
    assert [step["state"] for step in facts["steps"]] == ["pending", "active", "withdrawn"]
    assert tried["would_fire"] == 0

    says(car, 2, 199_705, 14_400)  # the true odometer is believed again, the wrong one is not
    says(car, 1, 1_995_300, 14_400)
    await acked(car, 7)
    assert await world.rejections(car) == ["odometer", "odometer"]
    await world.stop(task)
    world.gateways.remove(task)
    kept = await memory_of(world, car, judge, checkpoint=True)
    whole = await memory_of(world, car, judge, checkpoint=False)
    assert (kept.memory, kept.place, kept.odometer) == (whole.memory, whole.place, whole.odometer) and abs(
        kept.odometer - 199_705_000
    ) < 32
    await world.start()  # and a gateway that starts from it goes on
    says(car, 0.5, 199_725, 14_380)
    await acked(car, 8)
    assert (await alert_of(world, car))["state"] == "withdrawn"


async def test_an_alert_that_does_not_rest_on_it_stays(world: World):
    _, car, row = await believed_by_mistake(world)
    result = {
        "boot": 1,
        "seq": 6,
        "oldest": 1,
        "ts": now().isoformat(),
        "mil": True,
        "codes": [{"system": "obd", "code": "P0301", "status": "confirmed"}],
    }
    car.seq = 6
    car.say(json.dumps(result).encode(), way="up/diagnostics")
    await until(lambda: [a for a in car.alerts if a["rule"] == "trouble_code"])
    await decide(world, row, accept=False)
    await settled(world, row, "taken_back_at")
    states = {
        r["rule"]: r["state"]
        for r in await world.pool.fetch("SELECT rule, state FROM alerts WHERE vehicle_id = $1", car.id)
    }
    assert states == {"service_due": "withdrawn", "trouble_code": "active"}


async def test_a_mind_changed_before_the_gateway_looks_folds_nothing(world: World):
    """Decided while the gateway is away: accepted and taken back is as if never believed."""
    task = await world.start()
    car = await world.car()
    says(car, 2, 100)
    says(car, 1, 1_991_050)
    row = await refused(world, car)
    await world.stop(task)
    world.gateways.remove(task)
    await decide(world, row, accept=True)
    await decide(world, row, accept=False)
    await world.start()
    says(car, 0.5, 150)
    await acked(car, 3)
    assert await world.pool.fetchval("SELECT count(*) FROM readings WHERE vehicle_id = $1 AND boot = -1", car.id) == 0
    assert await world.rejections(car) == ["odometer"]


async def test_traffic_of_the_same_car_goes_on_while_it_is_folded_again(world: World, judge: Judge):
    _, car, row = await believed_by_mistake(world)
    await decide(world, row, accept=False)
    for n in range(200):
        says(car, 0.9 - n / 1000, 199_600 + n / 10, 14_400)
    await acked(car, 205)
    await settled(world, row, "taken_back_at")
    for task in list(world.gateways):
        await world.stop(task)
        world.gateways.remove(task)
    places = [
        r["place"]
        for r in await world.pool.fetch("SELECT place FROM readings WHERE vehicle_id = $1 ORDER BY place", car.id)
    ]
    assert places == list(range(1, len(places) + 1))
    kept = await memory_of(world, car, judge, checkpoint=True)
    whole = await memory_of(world, car, judge, checkpoint=False)
    assert kept.memory == whole.memory


async def test_a_person_may_decide_only_what_the_table_allows(world: World):
    _, car, row = await believed_by_mistake(world)
    with pytest.raises(IllegalMove):
        await decide(world, row, accept=True)
    await decide(world, row, accept=False)
    for accept in (True, False):
        with pytest.raises(IllegalMove):
            await decide(world, row, accept=accept)
    car.say(b"{")
    broken = await until(
        lambda: world.pool.fetchval("SELECT id FROM quarantine WHERE reason = 'not_json' AND vehicle_id = $1", car.id)
    )
    with pytest.raises(BadInput, match="could be believed"):
        await decide(world, broken, accept=True)
    await settled(world, row, "taken_back_at")
    async with world.pool.acquire() as connection:
        assert await alerts.page(connection, world.dealer, vehicle_id=car.id, states=["active"]) == []
