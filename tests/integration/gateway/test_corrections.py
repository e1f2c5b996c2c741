"""From a message in psi to a corrected verdict: the item, what is proposed, one click, and back; live and after a
restart.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rules.engine.judge import Judge
from schemas.errors import IllegalMove
from schemas.reading import Mark
from store import corrections, latest, pool
from store.latest import AS_SAID
from tests.integration.gateway.test_retraction import memory_of
from tests.integration.gateway.world import World, now, until
from workers import replaying

BRANCH = "Vehicle.Chassis.Axle"
WHEELS = [f"{BRANCH}.Row{row}.Wheel.{side}.Tire.Pressure" for row in (1, 2) for side in ("Left", "Right")]


class Says:
    """Tyres in psi, ten seconds apart."""

    def __init__(self, car: Any) -> None:
        self.car, self.at = car, now() - timedelta(hours=3)

    async def times(self, count: int, rear_left: float = 31.5) -> None:
        for n in range(count):
            self.at += timedelta(seconds=10)
            psi = [33.4, 33.5, rear_left, 31.8]
            signals = dict(zip(WHEELS, [v + 0.1 * (n % 3) for v in psi], strict=True))
            self.car.say(self.car.body(ts=self.at, signals={**signals, "Vehicle.Speed": 80.0}))
        await until(lambda: self.car.acked and self.car.acked[-1]["upto"] >= self.car.seq)


async def states(world: World, car: Any) -> dict[tuple[str, str], str]:
    rows = await world.pool.fetch("SELECT rule, component, state FROM alerts WHERE vehicle_id = $1 ORDER BY id", car.id)
    return {(row["rule"], row["component"]): row["state"] for row in rows}


async def accept(connection: Any, world: World, car: Any) -> Any:
    return await corrections.add(
        connection,
        world.dealer,
        car.id,
        signals=(70, 71, 72, 73),
        unit="psi",
        because="each is near its placard",
        actor="staff:1",
        now=now(),
    )


async def accepted(world: World, car: Any) -> Any:
    async with pool.transaction(world.pool) as connection:
        return await accept(connection, world, car)


async def carried_out(world: World, row: Any, column: str = "read_since") -> None:
    await until(lambda: world.pool.fetchval(f"SELECT {column} IS NOT NULL FROM unit_corrections WHERE id = $1", row.id))


async def test_from_a_message_in_psi_to_a_verdict_in_kpa_and_back(world: World, judge: Judge):
    await world.start()
    car = await world.car()
    says = Says(car)
    await says.times(30)
    names = {f"tyre_pressure_{a}_{b}" for a in ("front", "rear") for b in ("left", "right")}

    async def told(state: str) -> bool:
        found = await states(world, car)
        return {c for (rule, c), s in found.items() if rule == "sensor_implausible" and s == state} == names

    await until(lambda: told("active"))
    assert {rule for rule, _ in await states(world, car)} == {"sensor_implausible"}, "nothing is said of the tyres"
    row = await accepted(world, car)
    await carried_out(world, row)
    assert await told("withdrawn"), "the items close with the click, without a word of the car"

    await says.times(10)  # healthy
    assert await told("withdrawn")
    await says.times(150, rear_left=20.0)  # 138 kPa
    await until(lambda: _active(world, car, "tyre_leak"))
    because = await world.pool.fetchval(
        "SELECT because FROM alerts WHERE vehicle_id = $1 AND rule = 'tyre_leak' AND state = 'active'", car.id
    )
    assert because.startswith("rear left tyre 1") and "kPa" in because and "placard" in because
    raw = await world.pool.fetch(
        "SELECT vals[array_position(ids, 72::smallint)] AS v FROM readings WHERE vehicle_id = $1 AND mark = 0", car.id
    )
    assert {round(r["v"], 1) for r in raw} <= {31.5, 31.6, 31.7, 20.0, 20.1, 20.2}, "what it said is kept as it was"

    async def shown() -> bool:
        async with pool.transaction(world.pool) as connection:
            newest = await latest.of_vehicle(connection, world.dealer, car.id)
        said, read = newest[1].get(AS_SAID + WHEELS[2]), newest[1].get(WHEELS[2])
        return bool(said) and 19 < said[0] < 21 and 130 < read[0] < 145 and said[1] == read[1]

    await until(shown)
    async with pool.transaction(world.pool) as connection:
        alert = await connection.fetchval("SELECT id FROM alerts WHERE vehicle_id = $1 AND rule = 'tyre_leak'", car.id)
        assert (await replaying.explain(connection, judge, alert))["same_verdict"] is True
        await corrections.undo(connection, world.dealer, row.id, reason="no", actor="staff:1", now=now())
    await carried_out(world, row, "read_until")
    assert (await states(world, car))["tyre_leak", "rear_left"] == "withdrawn"
    await says.times(30)
    await until(lambda: told("active"))


async def _active(world: World, car: Any, rule: str) -> bool:
    return any(r == rule and state == "active" for (r, _), state in (await states(world, car)).items())


async def test_a_gateway_that_starts_anew_reads_it_so_with_and_without_a_checkpoint(world: World, judge: Judge):
    task = await world.start()
    car = await world.car()
    says = Says(car)
    await says.times(30)
    row = await accepted(world, car)
    await carried_out(world, row)
    await says.times(5)
    await world.stop(task)
    world.gateways.remove(task)
    for checkpoint in (True, False):
        found = await memory_of(world, car, judge, checkpoint=checkpoint)
        assert {unit.name for unit in found.read_as.values()} == {"psi"} and len(found.read_as) == 4
        assert found.heard_ts <= says.at.timestamp(), "the marker is no word of the car"
    await world.start()
    await says.times(150, rear_left=20.0)
    await until(lambda: _active(world, car, "tyre_leak"))
    marks = await world.pool.fetchval(
        "SELECT count(*) FROM readings WHERE vehicle_id = $1 AND mark & $2 <> 0", car.id, int(Mark.REREAD)
    )
    assert marks == 1


async def test_undone_before_the_gateway_began_it_is_never_read_so(world: World):
    await world.start()
    car = await world.car()
    async with pool.transaction(world.pool) as connection:
        row = await accept(connection, world, car)
        await corrections.undo(connection, world.dealer, row.id, reason="no", actor="staff:1", now=now())
        with pytest.raises(IllegalMove):
            await corrections.undo(connection, world.dealer, row.id, reason="no", actor="staff:1", now=now())
    await carried_out(world, row, "read_until")
    says = Says(car)
    await says.times(30)
    await until(lambda: _active(world, car, "sensor_implausible"))
    assert {rule for rule, _ in await states(world, car)} == {"sensor_implausible"}
