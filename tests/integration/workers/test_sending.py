"""The outbox under rivalry, death and doubt."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from providers.demo_phone.sending import DemoPhone
from providers.provider import Blocked, Busy, Lookup, Receipt
from schemas.errors import DeliveryFailed
from schemas.message import Draft, Message, MessageKind, OwnerRecipient, Purpose, StaffRecipient
from store import consents, fleet, messages
from store.pool import transaction
from tests.integration.workers.conftest import Scene
from workers import sending


class Odd:
    """A provider in front of the phone that fails as told: before it takes the text, or after."""

    sender = ""

    def __init__(self, phone: DemoPhone) -> None:
        self.phone = phone
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self.calls: list[str] = []
        self.knows = True
        self.gate: asyncio.Event | None = None
        self.reached = asyncio.Event()

    async def send(self, message: Message, sender: str) -> Receipt:
        self.calls.append(message.reference)
        self.reached.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.before:
            raise self.before.pop(0)
        receipt = await self.phone.send(message, sender)
        if self.after:
            raise self.after.pop(0)
        return receipt

    async def lookup(self, message: Message, taken: Collection[str] = ()) -> Receipt | Lookup:
        return await self.phone.lookup(message) if self.knows else Lookup.CANNOT_TELL

    async def close(self) -> None: ...


@pytest.fixture
def odd(scene: Scene) -> Odd:
    found = Odd(scene.context.channels["phone"])
    scene.context = dataclasses.replace(scene.context, channels={"phone": found})
    return found


async def test_a_text_goes_out_from_the_dealers_number_and_stands_in_the_thread(scene: Scene) -> None:
    message_id = await scene.queue(body="your car is ready")
    await scene.send_all()
    row = await scene.admin.fetchrow("SELECT from_address, body FROM phone_texts")
    assert (row["from_address"], row["body"]) == (scene.dealer.phone, "your car is ready")
    assert (await scene.message(message_id))["state"] == "sent"
    assert await scene.admin.fetchval("SELECT last_out_at FROM threads") == scene.clock()


async def test_the_same_reference_is_one_message(scene: Scene) -> None:
    assert await scene.queue(reference="ready-1") == await scene.queue(reference="ready-1")
    await scene.send_all()
    assert len(await scene.phone()) == 1


async def test_fifteen_workers_send_each_text_once_and_in_order(scene: Scene, odd: Odd) -> None:
    owners = [await scene.another_owner() for _ in range(30)]
    async with transaction(scene.worker) as connection:
        for n in range(10):
            for owner in owners:
                to = OwnerRecipient(owner.id, "phone", owner.phone or "", "de")
                draft = Draft(
                    dealer_id=scene.dealer.id, to=to, kind=MessageKind.FREE, purpose=Purpose.STATUS, author="test"
                )
                await messages.queue(connection, draft, f"{n}", scene.clock())

    async def worker() -> None:
        idle = 0
        while idle < 20:
            if await sending.one(scene.context):
                idle = 0
            else:
                idle += 1
                await asyncio.sleep(0.01)

    await asyncio.gather(*(worker() for _ in range(5)))
    assert max(Counter(odd.calls).values()) == 1
    assert len(odd.calls) == 300
    for owner in owners:
        assert await scene.phone(owner.phone) == [str(n) for n in range(10)]


@pytest.mark.parametrize("moment", ["before it was handed over", "after it was handed over"])
async def test_a_worker_that_dies_leaves_a_claim_that_another_takes_over(scene: Scene, odd: Odd, moment: str) -> None:
    message_id = await scene.queue(body="once")
    (odd.before if moment.startswith("before") else odd.after).append(ConnectionError("the worker is gone"))
    await scene.send_all()
    assert (await scene.message(message_id))["state"] == "claimed"
    assert not await sending.reconcile(scene.context), "the claim is fresh: its worker may be alive"
    scene.machine.on(seconds=60)
    assert await sending.reconcile(scene.context)
    assert (await scene.message(message_id))["state"] == "sent"
    assert await scene.phone() == ["once"]
    assert not await sending.reconcile(scene.context)


async def test_a_slow_worker_whose_claim_was_taken_over_does_not_mark_it(scene: Scene, odd: Odd) -> None:
    message_id = await scene.queue(body="once")
    odd.gate = asyncio.Event()
    slow = asyncio.create_task(sending.one(scene.context))
    await odd.reached.wait()
    odd.gate, gate = None, odd.gate
    scene.machine.on(seconds=60)
    assert await sending.reconcile(scene.context)
    gate.set()
    await slow
    assert (await scene.message(message_id))["state"] == "sent"
    assert await scene.phone() == ["once"]


async def test_where_nobody_can_tell_status_is_repeated_and_an_offer_is_not(scene: Scene, odd: Odd) -> None:
    odd.knows = False
    for purpose, state, sent in ((Purpose.STATUS, "sent", 2), (Purpose.SERVICE, "failed", 1)):
        odd.calls.clear()
        odd.after.append(TimeoutError())
        message_id = await scene.queue(purpose=purpose)
        await scene.send_all()
        scene.machine.on(seconds=60)
        assert await sending.reconcile(scene.context)
        assert ((await scene.message(message_id))["state"], len(odd.calls)) == (state, sent)
    assert (
        await scene.admin.fetchval("SELECT count(*) FROM history WHERE noun = 'message' AND reason LIKE 'sent again%'")
        == 1
    )


async def test_a_failure_that_may_pass_is_tried_again_with_jitter_and_one_that_stays_is_shown(
    scene: Scene, odd: Odd
) -> None:
    message_id = await scene.queue()
    odd.before += [DeliveryFailed("busy"), DeliveryFailed("busy")]
    await scene.send_all()
    row = await scene.message(message_id)
    assert (row["state"], row["retry_at"] > scene.machine()) == ("queued", True)
    assert "busy" in row["reason"]
    for _ in range(2):
        scene.machine.on(minutes=10)
        await scene.send_all()
    assert (await scene.message(message_id))["state"] == "sent"

    odd.before.append(DeliveryFailed("no such number", permanent=True))
    message_id = await scene.queue()
    await scene.send_all()
    row = await scene.message(message_id)
    assert (row["state"], row["reason"]) == ("failed", "no such number")
    await scene.work()
    [told] = await scene.staff_phone("advisor")
    assert "did not arrive (no such number)" in told
    assert scene.owner.phone in told


async def test_what_the_provider_asks_for_is_waited_for(scene: Scene, odd: Odd) -> None:
    message_id = await scene.queue()
    odd.before.append(Busy(90.0))
    await scene.send_all()
    assert (await scene.message(message_id))["retry_at"] == scene.machine() + timedelta(seconds=90)


async def test_a_text_does_not_follow_an_owner_to_a_number_that_is_no_longer_theirs(scene: Scene) -> None:
    message_id = await scene.queue()
    await scene.admin.execute("UPDATE owners SET phone = '+49999' WHERE id = $1", scene.owner.id)
    await scene.send_all()
    row = await scene.message(message_id)
    assert (row["state"], row["reason"]) == ("cancelled", "no longer true: the owner has another number or mailbox now")


async def test_a_car_that_was_sold_tells_its_former_owner_nothing(scene: Scene) -> None:
    case_id = await scene.admin.fetchval(
        "INSERT INTO cases (dealer_id, vehicle_id, owner_id, state, severity, title, origin, opened_at, changed_at) "
        "VALUES ($1, $2, $3, 'open', 'soon', 'x', 'call', $4, $4) RETURNING id",
        scene.dealer.id,
        scene.car.id,
        scene.owner.id,
        scene.clock(),
    )
    told = await scene.queue(kind=MessageKind.READY, case_id=case_id)
    stop = await scene.queue(kind=MessageKind.STOPPED, case_id=case_id, body="no more texts")
    buyer = await scene.another_owner()
    async with transaction(scene.worker) as connection:
        await fleet.give(connection, scene.dealer.id, scene.car.id, buyer.id, actor="test", now=scene.clock())
    await scene.send_all()
    row = await scene.message(told)
    assert (row["state"], row["reason"]) == ("cancelled", "no longer true: the car has changed hands")
    assert (await scene.message(stop))["state"] == "sent"


async def test_a_block_at_the_provider_is_a_stop_that_we_did_not_hear(scene: Scene, odd: Odd) -> None:
    odd.before.append(Blocked())
    await scene.queue()
    await scene.queue()
    await scene.send_all()
    assert await scene.admin.fetchval("SELECT stopped_at FROM owners WHERE id = $1", scene.owner.id) == scene.clock()
    assert await scene.phone() == []
    assert (
        await scene.admin.fetchval(
            "SELECT count(*) FROM consents WHERE source = 'blocked at the provider' AND NOT given"
        )
        == 4
    )


async def test_no_stop_is_committed_while_a_text_of_that_owner_is_being_handed_over(scene: Scene, odd: Odd) -> None:
    """Whatever the provider gets, it got before the STOP was stored."""
    await scene.queue(body="first")
    await scene.queue(body="second")
    odd.gate = asyncio.Event()
    sender = asyncio.create_task(sending.one(scene.context))
    await odd.reached.wait()
    stop = asyncio.create_task(scene.says("STOP"))
    while not await scene.admin.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    ):
        await asyncio.sleep(0.01)
    assert await scene.admin.fetchval("SELECT stopped_at FROM owners WHERE id = $1", scene.owner.id) is None
    odd.gate.set()
    await asyncio.gather(sender, stop)
    await scene.send_all()
    texts = await scene.phone()
    assert texts[0] == "first"
    assert len(texts) == 2
    assert "START" in texts[1]


async def test_stop_racing_with_a_hundred_texts_lets_none_through_after_it(scene: Scene, odd: Odd) -> None:
    for n in range(100):
        await scene.queue(body=str(n))
    stopped_after: list[int] = []

    async def stop() -> None:
        while len(odd.calls) < 20:
            await asyncio.sleep(0.001)
        await scene.says("STOP!")
        stopped_after.append(len(odd.calls))

    async def send() -> None:
        while await sending.one(scene.context):
            pass

    await asyncio.gather(stop(), send(), send(), send())
    await scene.send_all()
    assert len(odd.calls) == stopped_after[0] + 1, "only the confirmation goes out after the STOP"
    confirmations = [text for text in await scene.phone() if "START" in text]
    assert len(confirmations) == 1
    assert await scene.admin.fetchval("SELECT count(*) FROM messages WHERE state IN ('queued', 'claimed')") == 0


async def test_stop_twice_confirms_once_and_start_restores_what_was_agreed(scene: Scene) -> None:
    await scene.says("stop", provider_id="a")
    await scene.says("stop", provider_id="a")
    await scene.says("Stopp!", provider_id="b")
    await scene.send_all()
    assert len(await scene.phone()) == 1
    blocked = await scene.queue(purpose=Purpose.SAFETY)
    await scene.send_all()
    assert (await scene.message(blocked))["reason"] == "not allowed: the owner said STOP"
    await scene.says("START")
    await scene.queue(body="welcome back")
    await scene.send_all()
    assert (await scene.phone())[-1] == "welcome back"


async def test_start_gives_no_consent_that_was_not_there_before(scene: Scene) -> None:
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
    await scene.says("STOP")
    await scene.says("START")
    async with transaction(scene.worker) as connection:
        agreed = await consents.of_owner(connection, scene.dealer.id, scene.owner.id)
    assert {purpose: result.given for purpose, result in agreed.items()} == {
        Purpose.SAFETY: True,
        Purpose.SERVICE: True,
        Purpose.STATUS: True,
        Purpose.SURVEY: False,
    }


async def test_a_text_without_consent_is_cancelled_with_its_reason(scene: Scene) -> None:
    silent = await scene.another_owner(agreed=())
    message_id = await scene.queue(to=OwnerRecipient(silent.id, "phone", silent.phone, "de"))
    await scene.send_all()
    row = await scene.message(message_id)
    assert (row["state"], row["reason"]) == ("cancelled", "not allowed: no consent to texts about a visit on record")
    assert await scene.phone(silent.phone) == []


async def test_a_text_at_night_waits_for_the_owners_morning_and_is_checked_again_then(scene: Scene) -> None:
    scene.clock.at = datetime(2026, 11, 23, 21, 30, tzinfo=UTC)
    case_id = await scene.admin.fetchval(
        "INSERT INTO cases (dealer_id, vehicle_id, owner_id, state, severity, title, origin, opened_at, changed_at) "
        "VALUES ($1, $2, $3, 'open', 'soon', 'x', 'call', $4, $4) RETURNING id",
        scene.dealer.id,
        scene.car.id,
        scene.owner.id,
        scene.clock(),
    )
    result = [{"noun": "case", "id": case_id, "state": ["open"]}]
    stays = await scene.queue(purpose=Purpose.SERVICE, body="still open")
    changes = await scene.queue(purpose=Purpose.SERVICE, body="it is open", asserts=result)
    await scene.send_all()
    row = await scene.message(stays)
    assert (row["state"], row["due_at"]) == ("queued", datetime(2026, 11, 24, 7, 0, tzinfo=UTC))
    await scene.admin.execute("UPDATE cases SET state = 'dismissed'")
    scene.clock.at = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    await scene.send_all()
    assert await scene.phone() == ["still open"]
    row = await scene.message(changes)
    assert (row["state"], row["reason"]) == ("cancelled", "no longer true: the case is dismissed now")


@pytest.mark.parametrize(
    "words",
    [{"noun": "weather", "id": 1, "state": ["fine"]}, {"noun": "booking", "id": 999, "state": ["agreed"]}, {"id": 1}],
)
async def test_what_cannot_be_checked_is_not_said(scene: Scene, words: dict[str, Any]) -> None:
    message_id = await scene.queue(asserts=[words])
    await scene.send_all()
    assert (await scene.message(message_id))["state"] == "cancelled"


async def test_the_budget_defers_the_fifth_offer_in_a_week_and_counts_nothing_that_a_person_writes(
    scene: Scene,
) -> None:
    for n in range(5):
        last = await scene.queue(kind=MessageKind.OFFER, purpose=Purpose.SERVICE, body=str(n))
        await scene.send_all()
        scene.clock.on(minutes=30)
    await scene.queue(purpose=Purpose.SERVICE, body="a person")
    await scene.send_all()
    assert await scene.phone() == ["0", "1", "2", "3", "a person"]
    row = await scene.message(last)
    assert row["due_at"] >= scene.clock() + timedelta(days=6)


async def test_a_message_of_an_unknown_channel_fails_and_says_so(scene: Scene) -> None:
    message_id = await scene.queue(to=OwnerRecipient(scene.owner.id, "pigeon", "roof", "de"))
    await scene.send_all()
    assert (await scene.message(message_id))["reason"] == "there is no channel called pigeon"


async def test_what_could_not_leave_for_a_day_is_given_to_a_person_instead(scene: Scene) -> None:
    message_id = await scene.queue(body="we are on the way")
    scene.clock.on(days=3)  # no worker, or no provider
    await scene.send_all()
    row = await scene.message(message_id)
    assert row["state"] == "failed" and row["reason"].startswith("too late: it was due on 23 November at 09:00"), row[
        "reason"
    ]
    assert await scene.phone() == []
    await scene.work()
    [told] = await scene.staff_phone("advisor")
    assert "too late" in told


async def test_a_claim_of_a_worker_that_died_three_days_ago_does_not_leave_now(scene: Scene, odd: Odd) -> None:
    message_id = await scene.queue(body="we are on the way")
    async with transaction(scene.worker) as connection:
        await messages.claim(connection, message_id, scene.machine())
    scene.clock.on(days=3)
    scene.machine.on(days=3)
    await sending.reconcile(scene.context)
    assert (await scene.message(message_id))["state"] == "failed" and await scene.phone() == []


async def test_what_our_own_people_must_know_is_told_late_as_long_as_it_is_true(scene: Scene) -> None:
    advisor = scene.people["advisor"]
    await scene.queue(
        kind=MessageKind.STAFF_ALERT,
        purpose=Purpose.STAFF,
        body="look at this",
        to=StaffRecipient(advisor.id, "phone", advisor.phone, "en"),
    )
    scene.clock.on(days=3)
    await scene.send_all()
    assert await scene.staff_phone("advisor") == ["look at this"]
