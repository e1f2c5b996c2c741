"""A text is worded in the minute in which it is claimed: times are facts, too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from actions import outbox
from schemas.message import Draft, MessageKind, OwnerRecipient, Purpose, StaffRecipient
from store.pool import transaction
from workers import sending


async def queue(scene: Any, of: MessageKind, /, **facts: Any) -> int:
    to = OwnerRecipient(scene.owner.id, "phone", scene.owner.phone, "en")
    draft = Draft(dealer_id=scene.dealer.id, to=to, kind=of, purpose=Purpose.STATUS, author="test")
    async with transaction(scene.worker) as connection:
        return await outbox.queue(
            connection,
            scene.context.wording,
            draft,
            scene.clock(),
            dealer="Nord",
            zone="Europe/Berlin",
            now=scene.clock(),
            **facts,
        )


@pytest.mark.parametrize("guard", [True, False])
async def test_what_was_tomorrow_when_it_was_queued_is_today_when_it_leaves(
    scene: Any, guard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.clock.at = scene.clock().replace(hour=21, minute=0)  # quiet until 8
    starts = scene.clock() + timedelta(hours=13)
    if not guard:  # worded when it was queued, as it was: the test must see it
        monkeypatch.setattr(sending.outbox, "reworded", lambda wording, message, now: message.body)
    found = await queue(
        scene, MessageKind.REMINDER, kind="drop_off", starts_at=starts, ends_at=starts + timedelta(hours=1)
    )
    assert "tomorrow" in await scene.admin.fetchval("SELECT body FROM messages WHERE id = $1", found)
    await scene.work()
    assert await scene.phone() == []
    scene.clock.on(hours=11)
    await scene.work()
    text = (await scene.phone())[0]
    assert ("today" in text and "tomorrow" not in text) == guard
    assert await scene.admin.fetchval("SELECT body FROM messages WHERE id = $1", found) == text  # the words that went


async def test_an_offer_whose_time_has_passed_does_not_go(scene: Any) -> None:
    scene.clock.at = scene.clock().replace(hour=21, minute=0)
    starts = scene.clock() + timedelta(hours=10)
    windows = [(starts, starts + timedelta(hours=1)), (starts + timedelta(hours=8), starts + timedelta(hours=9))]
    found = await queue(
        scene,
        MessageKind.OFFER,
        vehicle="Golf",
        severity="soon",
        kind="drop_off",
        windows=windows,
        link="https://n.example/o/1",
    )
    scene.clock.on(hours=11)
    await scene.work()
    row = await scene.admin.fetchrow("SELECT state, reason FROM messages WHERE id = $1", found)
    assert (row["state"], row["reason"]) == ("cancelled", "no longer true: a time that it offers has passed")


@pytest.mark.parametrize("guard", [True, False])
async def test_a_notice_to_a_colleague_is_worded_when_it_leaves_too(
    scene: Any, guard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not guard:
        monkeypatch.setattr(sending.outbox, "reworded", lambda wording, message, now: message.body)
    advisor = scene.people["advisor"]
    to = StaffRecipient(advisor.id, "phone", advisor.phone, "en")
    draft = Draft(dealer_id=scene.dealer.id, to=to, kind=MessageKind.STAFF_LATE, purpose=Purpose.STAFF, author="test")
    promised = scene.clock() + timedelta(hours=25)
    async with transaction(scene.worker) as connection:
        await outbox.queue(
            connection,
            scene.context.wording,
            draft,
            scene.clock(),
            vehicle="Golf",
            promised="collect",
            due_at=promised,
            leaves=scene.clock() + timedelta(hours=2),
            zone="Europe/Berlin",
            now=scene.clock(),
            link="https://nord.example/cases/1",
        )
    scene.clock.on(hours=20)  # the workers were away
    await scene.send_all()
    [text] = await scene.staff_phone("advisor")
    assert ("tomorrow" not in text and "set out by" not in text) == guard, text
