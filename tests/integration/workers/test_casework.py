"""From an alert to the people who must know, and on to the manager when nobody acts."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from actions import bookings as booking_acts
from actions import cases as case_acts
from actions import messages as message_acts
from actions import offers as offer_acts
from rules.catalogue import RULES
from rules.engine.judge import Judge
from rules.engine.thresholds import COOLANT
from schemas.alert import AlertState as A
from schemas.booking import BookingKind
from schemas.errors import Unavailable
from schemas.moment import local
from schemas.reading import Reading
from schemas.signal import BY_PATH
from schemas.verdict import Severity
from store import alerts, jobs
from store.pool import transaction
from telltale import data
from tests.integration.workers.conftest import Scene
from workers import job_runner, sending, sweeping


async def test_an_active_alert_opens_a_case_and_tells_the_advisor_once(scene: Scene) -> None:
    alert_id = await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    case = await scene.case()
    assert (case["state"], case["severity"], case["origin"], case["owner_id"]) == (
        "open",
        "soon",
        "alert",
        scene.owner.id,
    )
    assert case["title"] == "Front left tyre is losing air"
    assert await scene.admin.fetchval("SELECT case_id FROM alerts WHERE id = $1", alert_id) == case["id"]
    told = await scene.staff_phone("advisor")
    assert len(told) == 1
    assert f"http://desk.example/cases/{case['id']}" in told[0]
    assert "VW Golf" in told[0]
    assert await scene.staff_phone("manager") == await scene.staff_phone("driver") == await scene.phone() == []


async def test_ten_thousand_bad_samples_are_one_alert_one_case_and_one_text(scene: Scene) -> None:
    judge, at, coolant = Judge(RULES, data.profiles()), scene.clock().timestamp(), (BY_PATH[COOLANT].id,)
    memory = judge.memory("petrol_hatch")
    steps = [
        step
        for n in range(10_000)
        for step in judge.step(
            memory, Reading(scene.car.id, 1, n, at - 1_000 + n / 10, at, coolant, (117.0,), int(at // 86_400), place=n)
        )
    ]
    for step in steps:  # each as the gateway commits it, and heard by itself
        async with transaction(scene.gateway) as connection:
            await alerts.move(connection, [alerts.Moved(scene.dealer.id, scene.car.id, at, step)], scene.clock())
        await scene.work()
    assert (
        await scene.admin.fetchval("SELECT count(*) FROM alerts")
        == await scene.admin.fetchval("SELECT count(*) FROM cases")
        == 1
    )
    assert (
        len(await scene.staff_phone("advisor")) == len(await scene.phone()) == 1
    )  # and one warning to its owner: it must not be driven on
    assert await scene.staff_phone("manager") == await scene.staff_phone("driver") == []


async def test_an_alert_whose_step_is_told_again_and_again_is_one_case_and_one_notice(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE)
    for step in range(2, 12):
        await scene.alert(A.ACTIVE, first_step=step)
    await scene.work()
    assert await scene.admin.fetchval("SELECT count(*) FROM cases") == 1
    assert len(await scene.staff_phone("advisor")) == 1


async def test_advice_waits_in_the_queue_and_disturbs_nobody(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE, severity=Severity.ADVICE)
    await scene.work()
    assert (await scene.case())["severity"] == "advice"
    assert await scene.staff_phone("advisor") == []


async def test_late_data_opens_a_case_but_is_never_told_as_now(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE, late=True)
    await scene.work()
    assert (await scene.case())["state"] == "open"
    assert await scene.staff_phone("advisor") == []


async def test_a_second_fault_joins_and_raises_the_case(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    await scene.alert(A.PENDING, A.ACTIVE, rule="battery_12v", component="", severity=Severity.ADVICE)
    await scene.work()
    assert len(await scene.staff_phone("advisor")) == 1
    await scene.alert(A.PENDING, A.ACTIVE, rule="oil_pressure", component="", severity=Severity.NOW)
    await scene.work()
    case = await scene.case()
    assert (await scene.admin.fetchval("SELECT count(*) FROM cases"), case["severity"]) == (1, "now")
    told = await scene.staff_phone("advisor")
    assert len(told) == 2
    assert told[1].startswith("NOW")
    assert await scene.admin.fetchval("SELECT count(*) FROM alerts WHERE case_id = $1", case["id"]) == 3


async def test_nobody_takes_it_so_the_manager_hears_of_it_once(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    scene.clock.on(minutes=scene.dealer.acknowledge_minutes_soon - 1)
    await scene.work()
    assert await scene.staff_phone("manager") == []
    scene.clock.on(minutes=1)
    await scene.work()
    told = await scene.staff_phone("manager")
    assert len(told) == 1
    assert "60 minutes" in told[0]
    assert (await scene.case())["escalated_at"] == scene.clock()
    scene.clock.on(days=1)
    await scene.work()
    assert len(await scene.staff_phone("manager")) == 1


async def test_a_case_that_somebody_took_is_not_escalated(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    await case_acts.acknowledge(
        scene.house.acting(scene.dealer.id, f"staff:{scene.people['advisor'].id}"), (await scene.case())["id"]
    )
    scene.clock.on(hours=2)
    await scene.work()
    assert await scene.staff_phone("manager") == []


async def test_rejected_readings_take_their_case_with_them(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    await scene.alert(A.WITHDRAWN, first_step=2)
    await scene.work()
    case = await scene.case()
    assert case["state"] == "dismissed"


async def test_a_fault_that_goes_away_lowers_the_case_but_a_person_decides(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.alert(A.PENDING, A.ACTIVE, rule="oil_pressure", component="", severity=Severity.NOW)
    await scene.work()
    await scene.alert(A.RESOLVED, rule="oil_pressure", component="", severity=Severity.NOW, first_step=2)
    await scene.work()
    case = await scene.case()
    assert (case["state"], case["severity"]) == ("open", "soon")


async def test_a_poisoned_wakeup_is_put_off_and_seen_and_the_others_go_on(scene: Scene) -> None:
    async with transaction(scene.worker) as connection:
        await jobs.put(connection, scene.dealer.id, "alert", 424242, due_at=scene.clock() - timedelta(hours=1))
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    assert (await scene.case())["state"] == "open"
    row = await scene.admin.fetchrow("SELECT attempts, failed, due_at FROM wakeups WHERE subject_id = 424242")
    assert row["attempts"] == 1
    assert "no such alert" in row["failed"]
    assert row["due_at"] > scene.clock()
    for _ in range(3):
        scene.clock.on(hours=1)
        await scene.work()
    assert await scene.admin.fetchval("SELECT times FROM tallies WHERE name = 'work_stuck'") == 2


async def test_two_workers_do_not_open_two_cases_for_two_alerts_of_a_car(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.alert(A.PENDING, A.ACTIVE, rule="oil_pressure", component="")
    await asyncio.gather(job_runner.one(scene.context), job_runner.one(scene.context), job_runner.one(scene.context))
    scene.clock.on(minutes=5)
    await scene.work()
    assert await scene.admin.fetchval("SELECT count(*) FROM cases") == 1
    assert await scene.admin.fetchval("SELECT count(*) FROM alerts WHERE case_id IS NOT NULL") == 2
    assert await scene.admin.fetchval("SELECT count(*) FROM wakeups WHERE topic = 'alert'") == 0


async def offered(scene: Any) -> int:
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    actor = f"staff:{scene.people['advisor'].id}"
    offer = await offer_acts.make(scene.house.acting(scene.dealer.id, actor), (await scene.case())["id"])
    await scene.work()
    found: int = offer.id
    return found


async def test_an_offer_by_text_is_answered_with_a_digit_and_booked(scene: Scene) -> None:
    offer_id = await offered(scene)
    [text] = await scene.phone()
    assert "1 = heute" in text
    assert "http://desk.example/o/" in text
    heard = await scene.says("1 bitte")
    assert heard.understood.meaning == "choice"
    await scene.send_all()
    assert (await scene.case())["state"] == "booked"
    assert await scene.admin.fetchval("SELECT state FROM offers WHERE id = $1", offer_id) == "accepted"
    assert "Gebucht" in (await scene.phone())[-1]
    again = await scene.says("1")
    assert again.understood.meaning == "other"
    assert await scene.admin.fetchval("SELECT count(*) FROM bookings") == 1


async def test_zero_declines_and_gives_the_case_back(scene: Scene) -> None:
    await offered(scene)
    await scene.says("0")
    await scene.send_all()
    assert (await scene.case())["state"] == "open"
    assert await scene.admin.fetchval("SELECT count(*) FROM slots WHERE state <> 'released'") == 0
    assert "buchen nichts" in (await scene.phone())[-1]


async def test_an_offer_that_nobody_answers_runs_out_and_a_late_digit_gets_fresh_windows(scene: Scene) -> None:
    offer_id = await offered(scene)
    until = await scene.admin.fetchval("SELECT expires_at FROM offers WHERE id = $1", offer_id)
    scene.clock.at = until
    assert await sweeping.offers_once(scene.context) == 1
    assert await sweeping.offers_once(scene.context) == 0
    assert (await scene.case())["state"] == "open"
    assert await scene.admin.fetchval("SELECT count(*) FROM slots WHERE state <> 'released'") == 0
    reasons = [
        row["reason"]
        for row in await scene.admin.fetch("SELECT reason FROM history WHERE noun = 'case' AND new = 'ask_again'")
    ]
    assert len(reasons) == 1
    assert "ask again" in reasons[0]
    await scene.says("2")
    await scene.send_all()
    assert (await scene.case())["state"] == "contacted"
    assert await scene.admin.fetchval("SELECT count(*) FROM bookings") == 0
    assert "2 = " in (await scene.phone())[-1]
    await scene.says("2")
    assert (await scene.case())["state"] == "booked"


async def test_a_digit_a_second_after_the_hold_gets_fresh_windows_even_before_the_sweep(scene: Scene) -> None:
    offer_id = await offered(scene)
    scene.clock.at = await scene.admin.fetchval("SELECT expires_at FROM offers WHERE id = $1", offer_id)
    await scene.says("1")
    assert (await scene.case())["state"] == "contacted"
    assert await scene.admin.fetchval("SELECT state FROM offers WHERE id = $1", offer_id) == "expired"
    assert await scene.admin.fetchval("SELECT count(*) FROM offers WHERE state = 'open'") == 1
    assert await scene.admin.fetchval("SELECT count(*) FROM history WHERE noun = 'case' AND new = 'ask_again'") == 1, (
        "as if the sweep had been first"
    )


async def test_a_held_offer_text_that_outlives_its_windows_is_not_sent(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    offer = await offer_acts.make(scene.house.acting(scene.dealer.id, "staff:1"), (await scene.case())["id"])
    scene.clock.at = offer.expires_at
    await scene.send_all()
    row = await scene.admin.fetchrow("SELECT state, reason FROM messages WHERE kind = 'offer'")
    assert (row["state"], row["reason"]) == ("cancelled", "no longer true: the offered windows are held no longer")


async def test_anything_else_reaches_a_person_and_the_owner_hears_so_once_an_hour(scene: Scene) -> None:
    await offered(scene)
    before = len(await scene.staff_phone("advisor"))
    await scene.says("Can I stop by at 5 instead?")
    await scene.says("Hello??")
    await scene.work()
    told = (await scene.staff_phone("advisor"))[before:]
    assert len(told) == 2
    assert "stop by at 5" in told[0]
    assert len(await scene.phone()) == 2, "the offer and one 'a person will read this'"
    assert await scene.admin.fetchval("SELECT needs_reading FROM threads WHERE owner_id = $1", scene.owner.id)
    assert (await scene.case())["state"] == "contacted"


async def test_a_stranger_is_kept_for_the_desk_and_answered_by_nobody(scene: Scene) -> None:
    heard = await scene.says("1", number="+4900000")
    await scene.work()
    assert heard.owner_id is None
    assert await scene.phone("+4900000") == []
    assert await scene.admin.fetchval("SELECT count(*) FROM replies WHERE thread_id IS NULL AND body = '1'") == 1


async def test_the_same_text_five_times_at_once_counts_once(scene: Scene) -> None:
    await offered(scene)
    heard = await asyncio.gather(*(scene.says("1", provider_id="SM1") for _ in range(5)))
    assert sum(one.reply_id is not None for one in heard) == 1
    assert await scene.admin.fetchval("SELECT count(*) FROM bookings") == 1


async def test_a_booking_is_reminded_of_only_while_it_stands(scene: Scene) -> None:
    await offered(scene)
    await scene.says("2")
    await scene.work()
    starts_at = await scene.admin.fetchval("SELECT starts_at FROM bookings")
    queued = await scene.admin.fetch("SELECT due_at, body FROM messages WHERE kind = 'reminder'")
    assert [row["due_at"] for row in queued] == [starts_at - timedelta(hours=1)] or not queued
    booking_id = await scene.admin.fetchval("SELECT id FROM bookings")
    await booking_acts.cancel(scene.house.acting(scene.dealer.id, "staff:1"), booking_id, "the customer rang")
    scene.clock.at = starts_at - timedelta(minutes=30)
    await scene.work()
    assert not any("Erinnerung" in text for text in await scene.phone())


async def test_a_reminder_tells_the_places_time_to_an_owner_far_away(scene: Scene) -> None:
    await offered(scene)
    await scene.admin.execute("UPDATE owners SET zone = 'America/New_York'")
    await scene.says("2")
    await scene.admin.execute(
        "UPDATE bookings SET starts_at = starts_at + interval '5 hours', ends_at = ends_at + interval '5 hours'"
    )
    while await job_runner.one(scene.context):
        pass
    row = await scene.admin.fetchrow(
        "SELECT m.body, b.starts_at FROM messages m JOIN bookings b USING (case_id) WHERE m.kind = 'reminder'"
    )
    assert f"{local(row['starts_at'], 'Europe/Berlin'):%H:%M}-" in row["body"] and "(Ortszeit Berlin)" in row["body"]


async def test_nobody_is_reminded_of_a_visit_that_has_begun(scene: Scene) -> None:
    await offered(scene)
    await scene.says("2")
    while await job_runner.one(scene.context):  # planned, and then no worker is there to send
        pass
    scene.clock.at = await scene.admin.fetchval("SELECT starts_at FROM bookings") + timedelta(minutes=1)
    await scene.send_all()
    rows = await scene.admin.fetch("SELECT kind, state, reason FROM messages WHERE kind IN ('booked', 'reminder')")
    assert {(row["state"], row["reason"]) for row in rows} == {
        ("cancelled", "no longer true: the visit lies ahead no longer")
    }


async def repaired(scene: Any) -> None:
    await offered(scene)
    await scene.says("1")
    actor = "staff:1"
    booking_id = await scene.admin.fetchval("SELECT id FROM bookings")
    await booking_acts.arrive(scene.house.acting(scene.dealer.id, actor), booking_id)
    await booking_acts.start(scene.house.acting(scene.dealer.id, actor), booking_id)
    await booking_acts.finish(scene.house.acting(scene.dealer.id, actor), booking_id, "new valve")
    await scene.work()


async def test_a_fault_that_returns_while_the_repair_is_being_proved_is_a_comeback_and_the_dealer_hears_first(
    scene: Scene,
) -> None:
    await repaired(scene)
    await scene.alert(A.RESOLVED, first_step=2)
    await scene.work()
    owner_texts = len(await scene.phone())
    scene.clock.on(hours=3)
    await scene.alert(A.PENDING, A.ACTIVE, episode=2)
    await scene.work()
    case = await scene.case()
    assert (case["state"], case["comebacks"], case["acknowledged_at"]) == ("open", 1, None)
    assert any(text.startswith("Comeback") for text in await scene.staff_phone("advisor"))
    assert any(text.startswith("Comeback") for text in await scene.staff_phone("manager"))
    assert len(await scene.phone()) == owner_texts
    scene.clock.on(hours=2)
    await scene.work()
    assert any("minutes" in text for text in await scene.staff_phone("manager"))


async def test_the_old_episode_moving_on_after_the_repair_is_no_comeback(scene: Scene) -> None:
    await repaired(scene)
    await scene.alert(A.ACTIVE, first_step=2, severity=Severity.NOW)
    await scene.work()
    assert (await scene.case())["state"] == "verifying"


@pytest.mark.parametrize(
    ("state", "after"),
    [("open", "dismissed"), ("contacted", "contacted"), ("booked", "booked"), ("in_workshop", "in_workshop")],
)
async def test_a_withdrawn_alert_ends_a_case_that_nobody_has_acted_on_and_is_told_in_any_other(
    scene: Scene, state: str, after: str
) -> None:
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    await scene.admin.execute("UPDATE cases SET state = $1", state)
    await scene.alert(A.WITHDRAWN, first_step=2)
    await scene.work()
    case = await scene.case()
    assert case["state"] == after
    told = await scene.admin.fetch(
        "SELECT new, reason FROM history WHERE noun = 'case' AND subject_id = $1 ORDER BY id", case["id"]
    )
    assert told[-1]["new"] == ("dismissed" if after == "dismissed" else "alert withdrawn")


@pytest.mark.parametrize(("days", "comes_back"), [(29, True), (31, False)])
async def test_within_thirty_days_of_the_repair_it_is_a_comeback_and_later_a_new_case(
    scene: Scene, days: int, comes_back: bool
) -> None:
    await repaired(scene)
    await scene.alert(A.RESOLVED, first_step=2)
    await scene.work()
    await scene.admin.execute("UPDATE cases SET state = 'done'")
    scene.clock.on(days=days)
    await scene.alert(A.PENDING, A.ACTIVE, episode=2)
    await scene.work()
    assert await scene.admin.fetchval("SELECT count(*) FROM cases") == (1 if comes_back else 2)


async def test_a_car_silent_for_long_is_a_case_of_advice_and_ends_when_it_speaks(scene: Scene) -> None:
    await scene.admin.execute("UPDATE vehicles SET enrolled_at = $1, last_heard_at = $1", scene.clock())
    scene.clock.on(days=6)
    assert await sweeping.silence_once(scene.context) == 0
    scene.clock.on(days=2)
    assert await sweeping.silence_once(scene.context) == 2
    assert await sweeping.silence_once(scene.context) == 0
    await scene.work()
    assert (await scene.case())["severity"] == "advice"
    await scene.admin.execute("UPDATE vehicles SET last_heard_at = $1", scene.clock())
    assert await sweeping.silence_once(scene.context) == 1
    assert await scene.admin.fetchval("SELECT state FROM alerts WHERE rule = 'silent_vehicle'") == "resolved"


async def test_staff_notices_go_at_night_too(scene: Scene) -> None:
    scene.clock.on(hours=14)
    await scene.alert(A.PENDING, A.ACTIVE, severity=Severity.NOW)
    await scene.work()
    assert len(await scene.staff_phone("advisor")) == 1
    assert not await sending.one(scene.context)


async def test_a_customer_who_waits_and_hears_nothing_is_brought_to_the_desks_mind_once(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    case_id = (await scene.case())["id"]
    window = (await booking_acts.free_windows(scene.house, scene.dealer.id, BookingKind.WAITING))[0]
    booking = await booking_acts.book(
        scene.house.acting(scene.dealer.id, "staff:1"), case_id, BookingKind.WAITING, window.window.starts_at
    )
    scene.clock.at = booking.starts_at
    await booking_acts.arrive(scene.house.acting(scene.dealer.id, "staff:1"), booking.id)
    await scene.work()
    before = len(await scene.staff_phone("advisor"))
    scene.clock.on(minutes=scene.dealer.waiting_word_minutes - 1)
    assert await sweeping.waiting_once(scene.context) == 0
    scene.clock.on(minutes=2)
    assert await sweeping.waiting_once(scene.context) == 1
    assert await sweeping.waiting_once(scene.context) == 0
    await scene.work()
    told = (await scene.staff_phone("advisor"))[before:]
    assert len(told) == 1
    assert "has not heard from us for 31 minutes" in told[0]
    await message_acts.send_waiting(scene.house.acting(scene.dealer.id, "staff:1"), booking.id)
    scene.clock.on(minutes=10)
    assert await sweeping.waiting_once(scene.context) == 0
    scene.clock.on(minutes=30)
    assert await sweeping.waiting_once(scene.context) == 1


async def test_work_that_loses_its_connection_is_neither_put_off_nor_a_riddle(scene: Scene) -> None:
    async def cut(context: Any, connection: Any, job: Any) -> None:
        await scene.admin.execute("SELECT pg_terminate_backend($1)", connection.get_server_pid())
        await connection.execute("SELECT 1")

    async with transaction(scene.worker) as connection:
        await jobs.put(connection, scene.dealer.id, "cut", 1, due_at=scene.clock())
    with pytest.raises(Unavailable):
        await job_runner.one(scene.context, {"cut": cut})
    assert await scene.admin.fetchval("SELECT attempts FROM wakeups WHERE topic = 'cut'") == 0
