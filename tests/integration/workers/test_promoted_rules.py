"""A rule that was on trial may speak: what stands comes before the desk, each find once, paced, whatever the gateway
wrote meanwhile."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from schemas.alert import AlertState
from schemas.verdict import Severity
from store import fleet, stages, trials
from store.pool import transaction
from tests.integration.workers.conftest import Scene
from workers import promoted_rules

PENDING, ACTIVE, RESOLVED = AlertState.PENDING, AlertState.ACTIVE, AlertState.RESOLVED


async def _stage(scene, rule, stage):
    async with transaction(scene.worker) as connection:
        await stages.move(connection, rule, stage, reason="a test", actor="system", now=scene.clock())


async def _cars(scene, number):
    async with transaction(scene.worker) as connection:
        vins = [f"WVWZZZ1KZAW1{n:05}" for n in range(number)]
        add = [{"vin": vin, "profile": "petrol_hatch", "title": f"Golf {vin[-2:]}", "plate": None} for vin in vins]
        return [await fleet.add(connection, scene.dealer.id, **one, actor="test", now=scene.clock()) for one in add]


async def _find(scene, car, *states, severity=Severity.SOON, rule="tyre_leak", first_step=0, shadow=True):
    """As the gateway commits it, of one car."""
    before, scene.car = scene.car, car
    try:
        return await scene.alert(*states, rule=rule, severity=severity, shadow=shadow, first_step=first_step)
    finally:
        scene.car = before


async def _before_the_desk(scene):
    return {row["vehicle_id"] for row in await scene.admin.fetch("SELECT vehicle_id FROM cases")}


async def test_what_stands_when_a_rule_is_promoted_comes_into_the_queue_as_the_workshop_can_take_it(scene: Scene):
    """Two bays, ten hours, two hours a visit: ten cars a day. Thirteen show it, one of them dangerously."""
    await _stage(scene, "tyre_leak", "shadow")
    cars = await _cars(scene, 13)
    for n, car in enumerate(cars):
        await _find(scene, car, PENDING, ACTIVE, severity=Severity.NOW if n == 12 else Severity.SOON)
    await scene.work()
    assert await promoted_rules.finds_once(scene.context) == 0 and await _before_the_desk(scene) == set()
    await _stage(scene, "tyre_leak", "live")
    assert await promoted_rules.finds_once(scene.context) == 11  # ten, and the dangerous one
    assert await promoted_rules.finds_once(scene.context) == 0  # no more today, however often we look
    await scene.work()
    assert await _before_the_desk(scene) == {car.id for car in (*cars[:10], cars[12])}
    told = await scene.staff_phone("advisor")
    assert len([text for text in told if "13 cars show it already" in text]) == 1 and len(told) == 2, (
        told
    )  # and one about the dangerous one
    scene.clock.on(days=1)
    assert await promoted_rules.finds_once(scene.context) == 2
    await scene.work()
    assert await _before_the_desk(scene) == {car.id for car in cars}
    assert len(await scene.staff_phone("advisor")) == 2  # nothing new is said of the rest
    assert await promoted_rules.finds_once(scene.context) == 0


async def test_what_the_gateway_writes_after_the_promotion_is_not_forgotten(scene: Scene):
    """A gateway hears of it a moment later: what it wrote as a find meanwhile, and what was pending, come before the
    desk as well."""
    late, pending, worse, healed = await _cars(scene, 4)
    await _find(scene, pending, PENDING)
    await _find(scene, worse, PENDING, ACTIVE, severity=Severity.ADVICE)
    await _find(scene, healed, PENDING, ACTIVE)
    await _stage(scene, "tyre_leak", "live")
    await _find(scene, late, PENDING, ACTIVE)  # still as a find
    await _find(scene, pending, ACTIVE, first_step=1, shadow=False)
    await _find(scene, worse, ACTIVE, severity=Severity.NOW, first_step=2, shadow=False)
    await _find(scene, healed, RESOLVED, first_step=2, shadow=False)
    await scene.work()
    assert await _before_the_desk(scene) == {pending.id, worse.id}  # like any alert of a rule that speaks
    await promoted_rules.finds_once(scene.context)
    await scene.work()
    assert await _before_the_desk(scene) == {pending.id, worse.id, late.id}
    assert await scene.admin.fetchval(
        "SELECT shadow FROM alerts WHERE vehicle_id = $1", healed.id
    )  # a find that ended stays one


async def test_a_rule_that_goes_back_on_trial_opens_nothing_new_but_ends_what_it_began(scene: Scene):
    known, new = await _cars(scene, 2)
    await _find(scene, known, PENDING, ACTIVE, shadow=False)
    await scene.work()
    await _stage(scene, "tyre_leak", "shadow")
    await _find(scene, new, PENDING, ACTIVE)
    await _find(scene, known, RESOLVED, first_step=2)
    await scene.work()
    assert await _before_the_desk(scene) == {known.id}
    said = await scene.admin.fetch("SELECT new FROM history WHERE noun = 'case' ORDER BY id")
    assert [row["new"] for row in said][-1] == "alert resolved"


async def test_two_workers_put_each_find_before_the_desk_once(scene: Scene):
    for car in await _cars(scene, 8):
        await _find(scene, car, PENDING, ACTIVE)
    await _stage(scene, "tyre_leak", "live")
    done = await asyncio.gather(*(promoted_rules.finds_once(scene.context) for _ in range(4)))
    assert sum(done) == 8
    assert (
        await scene.admin.fetchval("SELECT count(*) FROM wakeups WHERE topic = 'alert' AND payload ? 'after_trial'")
        == 8
    )


async def test_the_finds_and_what_came_of_them_can_be_looked_up(scene: Scene):
    stands, healed, repaired = await _cars(scene, 3)
    await _find(scene, stands, PENDING, ACTIVE)
    await _find(scene, healed, PENDING, ACTIVE, RESOLVED)
    await _find(scene, repaired, PENDING, ACTIVE)
    await scene.admin.execute(
        "INSERT INTO cases (dealer_id, vehicle_id, state, severity, title, origin, opened_at, changed_at, repaired_at) "
        "VALUES ($1, $2, 'done', 'soon', 'Tyre', 'call', $3, $3, $3)",
        scene.dealer.id,
        repaired.id,
        scene.clock() + timedelta(days=3),
    )
    async with transaction(scene.worker) as connection:
        found = await trials.finds(connection, scene.dealer.id, "tyre_leak")
        tried = await trials.tried(connection, scene.dealer.id)
    assert {(one.vehicle_id, one.state, one.repaired_at is not None) for one in found} == {
        (stands.id, "active", False),
        (healed.id, "resolved", False),
        (repaired.id, "active", True),
    }
    assert [(one.rule, one.found, one.standing, one.waiting, one.repaired) for one in tried] == [
        ("tyre_leak", 3, 2, 2, 1)
    ]


async def test_repeating_a_batch_after_a_crash_changes_nothing(scene: Scene):
    """The gateway's transaction may come twice; a find that came before the desk meanwhile stays before it."""
    (car,) = await _cars(scene, 1)
    await _find(scene, car, PENDING, ACTIVE)
    await _stage(scene, "tyre_leak", "live")
    await promoted_rules.finds_once(scene.context)
    await _find(scene, car, PENDING, ACTIVE)
    assert not await scene.admin.fetchval("SELECT shadow FROM alerts WHERE vehicle_id = $1", car.id)
