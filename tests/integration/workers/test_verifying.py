"""The car proves the repair, the owner gets the all-clear, and is asked once how it was."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import timedelta
from typing import Any

from actions import bookings as booking_acts
from actions import offers as offer_acts
from schemas.alert import AlertState as A
from schemas.message import Purpose
from schemas.reading import Mark
from schemas.signal import BY_PATH
from store import consents, feedback, jobs
from store.pool import transaction
from tests.integration.workers.conftest import Scene
from workers import job_runner, sending
from workers.running import Verifier

ODOMETER = BY_PATH["Vehicle.TraveledDistance"].id
_seqs = itertools.count(1)


async def in_verification(scene: Any, rule: str = "tyre_low") -> None:
    await scene.alert(A.PENDING, A.ACTIVE, rule=rule)
    await scene.work()
    offer = await offer_acts.make(scene.house.acting(scene.dealer.id, "staff:1"), (await scene.case())["id"])
    await offer_acts.accept(scene.house.acting(scene.dealer.id, "owner"), offer.id, 1)
    booking_id = await scene.admin.fetchval("SELECT id FROM bookings ORDER BY id DESC LIMIT 1")
    await booking_acts.arrive(scene.house.acting(scene.dealer.id, "staff:1"), booking_id)
    await booking_acts.finish(scene.house.acting(scene.dealer.id, "staff:1"), booking_id, "new valve")
    await booking_acts.hand_over(scene.house.acting(scene.dealer.id, "staff:1"), booking_id)
    await scene.work()


async def drives(scene: Any, good: bool, count: int = 40) -> None:
    """The car is driven for a while: each demanded signal in its band, or below it; far enough, often enough."""
    case = await scene.case()
    for demand in case["proof"]:
        for _ in range(max(1, demand["cycles"])):
            scene.clock.on(hours=1)
            for _ in range(count):
                await scene.admin.execute("UPDATE vehicles SET last_heard_at = $1", scene.clock())
                scene.clock.on(seconds=30)
                value = (demand["low"] if demand["low"] is not None else demand["high"] - 1) + (1.0 if good else -30.0)
                await row(scene, {demand["signals"][0]: value})
    await scene.admin.execute("UPDATE vehicles SET last_heard_at = $1", scene.clock())


async def row(scene: Any, values: dict[int, float]) -> None:
    """One reading, ten kilometres after the last one."""
    seq = next(_seqs)
    values = values | {ODOMETER: (1000.0 + 10.0 * seq) * 1000}
    day = int(scene.clock().timestamp() // 86400)
    await scene.gateway.execute("SELECT open_day($1)", day)
    await scene.admin.execute(
        "INSERT INTO readings (dealer_id, vehicle_id, boot, seq, day, ts, received_at, mark, place, ids, vals) "
        "VALUES ($1, $2, 1, $3, $4, $5, $5, 0, $3, $6, $7)",
        scene.dealer.id,
        scene.car.id,
        seq,
        day,
        scene.clock(),
        list(values),
        list(values.values()),
    )


async def test_what_a_person_has_taken_back_proves_nothing(scene: Scene) -> None:
    await in_verification(scene)
    await drives(scene, good=True)
    await scene.admin.execute("UPDATE readings SET mark = $1", int(Mark.ACCEPTED | Mark.LATE | Mark.TAKEN_BACK))
    await Verifier(scene.context).once()
    assert (await scene.case())["state"] == "verifying"
    await scene.admin.execute("UPDATE readings SET mark = 0")
    await Verifier(scene.context).once()
    assert (await scene.case())["state"] == "done"


async def test_the_cars_own_proof_closes_the_case_and_sends_the_all_clear_and_later_one_question(scene: Scene) -> None:
    await in_verification(scene)
    verifier = Verifier(scene.context)
    await verifier.once()
    assert (await scene.case())["state"] == "verifying", "a silent car is not a healed car"
    await drives(scene, good=True)
    await verifier.once()
    case = await scene.case()
    assert (case["state"], case["healing"]) == ("done", None), "nothing was measured before: there is no healing to see"
    await scene.send_all()
    texts = await scene.phone()
    assert sum("Entwarnung" in text for text in texts) == 1
    await scene.work()
    assert not any("Wie war es" in text for text in await scene.phone())
    scene.clock.on(hours=2, minutes=1)
    await scene.work()
    await verifier.once()
    scene.clock.on(days=3)
    await scene.work()
    assert sum("Wie war es" in text for text in await scene.phone()) == 1

    await scene.says("5, alles bestens")
    await scene.work()
    found = await scene.admin.fetchrow("SELECT score, words FROM feedback")
    assert (found["score"], found["words"]) == (5, "alles bestens")
    assert "Danke" in (await scene.phone())[-1]
    heard = await scene.says("1")
    assert heard.understood.meaning == "other", "a score that stands is not overwritten"


async def test_the_healing_has_a_picture_that_outlives_the_readings(scene: Scene) -> None:
    signal = BY_PATH["Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure"].id
    for _ in range(20):
        await row(scene, {signal: 170.0})
        scene.clock.on(minutes=5)
    await in_verification(scene)
    demand = next(one for one in (await scene.case())["proof"] if one["kind"] == "band")
    await drives(scene, good=True)
    await Verifier(scene.context).once()
    await scene.admin.execute("DELETE FROM readings")
    found = (await scene.case())["healing"]
    after, before = found["series"]
    assert (after["label"], before["label"]) == ("after the repair", "before the repair")
    assert {point["value"] for point in before["samples"]} == {170.0} and demand["low"] > 170, "it was low"
    assert min(point["value"] for point in after["samples"]) >= demand["low"], "and is in its band since"
    assert max(point["ts"] for point in before["samples"]) < min(point["ts"] for point in after["samples"])
    assert [limit["value"] for limit in found["limits"]] == [demand["low"]]


async def test_bad_readings_prove_nothing_and_the_owner_hears_nothing(scene: Scene) -> None:
    await in_verification(scene)
    before = len(await scene.phone())
    await drives(scene, good=False)
    await Verifier(scene.context).once()
    await scene.work()
    assert (await scene.case())["state"] == "verifying"
    assert len(await scene.phone()) == before
    await scene.admin.execute("UPDATE vehicles SET last_heard_at = $1", scene.clock())
    await Verifier(scene.context).once()
    assert await scene.admin.fetchval("SELECT count(*) FROM history WHERE new = 'not healed yet'") == 1, (
        "said once, not at each look"
    )


async def test_after_a_comeback_nobody_is_asked_how_it_was(scene: Scene) -> None:
    await in_verification(scene)
    await scene.alert(A.RESOLVED, rule="tyre_low", first_step=2)
    scene.clock.on(hours=1)
    await scene.alert(A.PENDING, A.ACTIVE, rule="tyre_low", episode=2)
    await scene.work()
    assert (await scene.case())["comebacks"] == 1
    await scene.admin.execute(
        "UPDATE cases SET state = 'verifying', repaired_at = $1, proof = $2",
        scene.clock(),
        [{"kind": "none", "rule": "x", "component": ""}],
    )
    await row(scene, {})
    await Verifier(scene.context).once()
    scene.clock.on(hours=3)
    await scene.work()
    assert (await scene.case())["state"] == "done"
    assert not any("Wie war es" in text for text in await scene.phone())


async def test_who_wrote_something_that_nobody_has_read_is_not_asked_yet(scene: Scene) -> None:
    await in_verification(scene)
    await drives(scene, good=True)
    await Verifier(scene.context).once()
    await scene.says("There is oil on my seat!")
    scene.clock.on(hours=3)
    await scene.work()
    assert await scene.admin.fetchval("SELECT count(*) FROM feedback") == 0
    await scene.admin.execute("UPDATE threads SET needs_reading = false")
    scene.clock.on(hours=7)
    if not 8 <= scene.clock().hour < 18:
        scene.clock.at = (scene.clock() + timedelta(days=1)).replace(hour=10)
    await scene.work()
    assert sum("Wie war es" in text for text in await scene.phone()) == 1


async def test_who_said_no_to_questions_gets_none(scene: Scene) -> None:
    async with transaction(scene.worker) as connection:
        await consents.record(
            connection,
            scene.dealer.id,
            scene.owner.id,
            Purpose.SURVEY,
            False,
            now=scene.clock(),
            source="desk",
            wording="no",
        )
    await in_verification(scene)
    await drives(scene, good=True)
    await Verifier(scene.context).once()
    scene.clock.on(hours=3)
    await scene.work()
    row = await scene.admin.fetchrow("SELECT state, reason FROM messages WHERE kind = 'feedback'")
    assert row["state"] == "cancelled"
    assert "said no" in row["reason"]


async def test_a_low_score_reaches_a_person(scene: Scene) -> None:
    await in_verification(scene)
    await drives(scene, good=True)
    await Verifier(scene.context).once()
    scene.clock.on(hours=3)
    await scene.work()
    before = len(await scene.staff_phone("advisor"))
    await scene.says("1")
    await scene.work()
    assert await scene.admin.fetchval("SELECT score FROM feedback") == 1
    assert len(await scene.staff_phone("advisor")) == before + 1


async def test_an_all_clear_that_is_no_longer_true_is_not_sent(scene: Scene) -> None:
    await in_verification(scene)
    await drives(scene, good=True)
    await Verifier(scene.context).once()
    await scene.alert(A.RESOLVED, rule="tyre_low", first_step=2)
    await scene.alert(A.PENDING, A.ACTIVE, rule="tyre_low", episode=2)
    while await job_runner.one(scene.context):
        pass
    await scene.send_all()
    assert (await scene.case())["state"] == "open"
    row = await scene.admin.fetchrow("SELECT state, reason FROM messages WHERE kind = 'all_clear'")
    assert (row["state"], row["reason"]) == ("cancelled", "no longer true: the case is open now")


async def test_one_case_that_cannot_be_checked_does_not_hold_up_the_others(scene: Scene) -> None:
    await in_verification(scene)
    await drives(scene, good=True)
    context = dataclasses.replace(scene.context, wording=None)
    await Verifier(context).once()  # it cannot word the all-clear; nothing is half done
    assert (await scene.case())["state"] == "verifying"
    await Verifier(scene.context).once()
    assert (await scene.case())["state"] == "done"
    assert await sending.one(scene.context)


async def test_a_low_score_given_on_the_page_reaches_a_person_too(scene: Scene) -> None:
    await in_verification(scene)
    case = await scene.case()
    async with transaction(scene.worker) as connection:
        assert await feedback.ask(connection, scene.dealer.id, case["id"], scene.owner.id, scene.clock())
        assert await feedback.answer(
            connection, scene.dealer.id, case["id"], scene.owner.id, score=2, words="oil on the seat", now=scene.clock()
        )
        assert not await feedback.answer(
            connection, scene.dealer.id, case["id"], scene.owner.id, score=5, words=None, now=scene.clock()
        )
        await jobs.put(connection, scene.dealer.id, "scored", case["id"], due_at=scene.clock())
    await scene.work()
    assert any("2/5 oil on the seat" in text for text in await scene.staff_phone("advisor"))
