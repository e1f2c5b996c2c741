"""`explain` holds for what the sweeper said: silence and recalls, in every episode, and it says so when what is stored
tells otherwise."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rules.catalogue import RULES
from rules.engine.judge import Judge
from store import recalls, stages
from store.pool import transaction
from telltale import data
from tests.integration.workers.conftest import Scene
from workers import recalling, replaying, sweeping


@pytest.fixture(scope="module")
def judge():
    return Judge(RULES, data.profiles())


async def _heard(scene, at):
    await scene.admin.execute(
        "UPDATE vehicles SET enrolled_at = coalesce(enrolled_at, $2), last_heard_at = $2 WHERE id = $1",
        scene.car.id,
        at,
    )


async def _explained(scene, judge):
    async with transaction(scene.worker) as connection:
        ids = [row["id"] for row in await scene.admin.fetch("SELECT id FROM alerts ORDER BY id")]
        return [await replaying.explain(connection, judge, one) for one in ids]


async def _two_silences_and_a_recall(scene):
    for _ in range(2):
        await _heard(scene, scene.clock())
        scene.clock.on(days=9, minutes=7)
        assert await sweeping.silence_once(scene.context) == 2
        await _heard(scene, scene.clock())
        assert await sweeping.silence_once(scene.context) == 1
    vin = scene.car.vin
    for _ in range(2):
        async with transaction(scene.worker) as connection:
            await recalls.announce(connection, "24V-101", [vin])
        assert await recalling.recalls_once(scene.context) == 2
        scene.clock.on(days=3)
        async with transaction(scene.worker) as connection:
            await recalls.finish(connection, "24V-101", [vin])
        assert await recalling.recalls_once(scene.context) == 1


async def test_every_alert_of_the_sweeper_comes_out_byte_for_byte(scene: Scene, judge):
    await _two_silences_and_a_recall(scene)
    told = await _explained(scene, judge)
    assert [(one["rule"], one["episode"], len(one["steps"])) for one in told] == [
        ("silent_vehicle", 1, 3),
        ("silent_vehicle", 2, 3),
        ("recall", 1, 3),
        ("recall", 2, 3),
    ]
    assert all(one["same_verdict"] is True for one in told), [one["differs"] for one in told]


async def test_alerts_from_before_the_facts_were_kept_are_explained_by_what_is_stored(scene: Scene, judge):
    await _two_silences_and_a_recall(scene)
    await scene.admin.execute("UPDATE alert_steps SET evidence = NULL WHERE rule = 'recall'")
    told = await _explained(scene, judge)
    assert all(one["same_verdict"] is True for one in told), [one["differs"] for one in told]


async def test_a_message_that_came_in_the_silence_speaks_against_it(scene: Scene, judge):
    await _heard(scene, scene.clock())
    begin = scene.clock()
    scene.clock.on(days=9)
    await sweeping.silence_once(scene.context)
    await scene.admin.execute(
        "INSERT INTO readings (day, dealer_id, vehicle_id, boot, seq, ts, received_at, place, mark, ids, vals) "
        "VALUES (0, $1, $2, 1, 1, $3, $3, 1, 0, '{}', '{}')",
        scene.dealer.id,
        scene.car.id,
        begin + timedelta(days=4),
    )
    (told,) = await _explained(scene, judge)
    assert told["same_verdict"] is False and "a message of" in told["differs"]


async def test_a_changed_step_is_found(scene: Scene, judge):
    await _two_silences_and_a_recall(scene)
    await scene.admin.execute(
        "UPDATE alert_steps SET because = 'last heard 3 days ago: we cannot speak for this car' "
        "WHERE rule = 'silent_vehicle' AND episode = 2 AND step = 1"
    )
    told = await _explained(scene, judge)
    assert [one["same_verdict"] for one in told] == [True, False, True, True]


async def test_the_sweepers_rules_are_on_trial_and_switched_off_like_any_other(scene: Scene):
    await _heard(scene, scene.clock())
    scene.clock.on(days=9)
    for stage, shadow in (("off", []), ("shadow", [True])):
        async with transaction(scene.worker) as connection:
            await stages.move(connection, "silent_vehicle", stage, reason="a test", actor="system", now=scene.clock())
        await sweeping.silence_once(scene.context)
        await scene.work()
        assert [row["shadow"] for row in await scene.admin.fetch("SELECT shadow FROM alerts")] == shadow
    assert await scene.admin.fetchval("SELECT count(*) FROM cases") == 0
