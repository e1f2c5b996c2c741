"""What cannot be delivered goes the owner's other way, once, in the words of that channel; then somebody rings."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from actions import outbox, unreached
from providers.provider import Lookup, Receipt
from schemas.errors import DeliveryFailed
from schemas.message import Draft, Message, MessageKind, OwnerRecipient, Purpose, asserts
from store import consents, messages
from store.pool import transaction
from tests.integration.workers.conftest import Scene

BOX = "jo@muster.example"


@dataclass
class Mails:
    """A relay that refuses, or not."""

    refuses: bool = False
    permanent: bool = True
    came: list[Message] = field(default_factory=list)
    sender: str = "desk@nord.example"
    missed: None = None

    async def send(self, message: Message, sender: str) -> Receipt:
        if self.refuses:
            raise DeliveryFailed("the mailbox refuses it", permanent=self.permanent)
        self.came.append(message)
        return Receipt(f"mail-{len(self.came)}")

    async def lookup(self, message: Message, taken: Collection[str] = ()) -> Receipt | Lookup:
        return Lookup.CANNOT_TELL

    async def close(self) -> None: ...


@pytest.fixture
async def mails(scene: Scene) -> Mails:
    found = Mails()
    scene.context = replace(scene.context, channels={**scene.context.channels, "email": found, "sms": Mails(True)})
    return found


async def _offer(scene: Scene, channel: str, address: str) -> int:
    to = OwnerRecipient(scene.owner.id, channel, address, "en")
    draft = Draft(dealer_id=scene.dealer.id, to=to, kind=MessageKind.OFFER, purpose=Purpose.SERVICE, author="test")
    starts = scene.clock() + timedelta(hours=26)
    async with transaction(scene.worker) as connection:
        return await outbox.queue(
            connection,
            scene.context.wording,
            draft,
            scene.clock(),
            dealer="Nord",
            vehicle="Golf",
            severity="soon",
            kind="drop_off",
            windows=[(starts, starts + timedelta(hours=1))],
            zone="Europe/Berlin",
            now=scene.clock(),
            link="https://nord.example/o/x",
        )


async def _settle(scene: Scene) -> None:
    for _ in range(4):
        await scene.send_all()
        await scene.work()


async def _rung(scene: Scene) -> int:
    return int(await scene.admin.fetchval("SELECT count(*) FROM messages WHERE kind = 'staff_unreached'"))


async def test_a_mail_that_is_refused_becomes_a_text_with_digits(scene: Scene, mails: Mails) -> None:
    scene.owner, mails.refuses = await scene.another_owner(email=BOX, channel="email", language="en"), True
    found = await _offer(scene, "email", BOX)
    await _settle(scene)
    [text] = await scene.phone()
    assert "1 = " in text and "STOP" in text
    row = await scene.message(found)
    assert (row["state"], row["reason"]) == ("failed", "the mailbox refuses it; it goes as a text instead")
    assert await _rung(scene) == 0


async def test_a_text_that_is_refused_becomes_a_mail_with_a_link(scene: Scene, mails: Mails) -> None:
    scene.owner = await scene.another_owner(email=BOX, channel="sms", language="en")
    await _offer(scene, "sms", scene.owner.phone or "")
    await _settle(scene)
    [mail] = mails.came
    assert "answer on this page: https://nord.example/o/x" in mail.body and "1 = " not in mail.body
    assert await _rung(scene) == 0


@pytest.mark.parametrize("guard", [True, False])
async def test_when_both_ways_fail_somebody_rings_once(
    scene: Scene, mails: Mails, guard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not guard:  # without the mark it would go to and fro, and nobody would ring: the test must see it
        monkeypatch.setattr(unreached, "OTHER_WAY", "")
    scene.owner, mails.refuses = await scene.another_owner(email=BOX, channel="sms", language="en"), True
    await _offer(scene, "sms", scene.owner.phone or "")
    await _settle(scene)
    rows = await scene.admin.fetch("SELECT channel, state FROM messages WHERE kind = 'offer' ORDER BY id")
    people = await scene.admin.fetchval("SELECT count(*) FROM staff WHERE role = 'advisor'")
    good = [(row["channel"], row["state"]) for row in rows] == [("sms", "failed"), ("email", "failed")]
    assert (good and await _rung(scene) == people) == guard


async def test_what_came_back_after_it_had_left_goes_the_other_way_too(scene: Scene, mails: Mails) -> None:
    scene.owner = await scene.another_owner(email=BOX, channel="email", language="en")
    found = await _offer(scene, "email", BOX)
    await _settle(scene)
    assert len(mails.came) == 1
    reference = (await scene.message(found))["reference"]
    for _ in range(3):
        async with transaction(scene.house.pool, scene.dealer.id) as connection:
            await unreached.lost(connection, reference, "the mail came back", scene.clock(), actor="mail")
        await _settle(scene)
    assert len(await scene.phone()) == 1 and len(mails.came) == 1


@pytest.mark.parametrize("why", ["no consent", "stopped", "no other address", "nobody can tell"])
async def test_where_there_is_no_other_way_somebody_rings(scene: Scene, mails: Mails, why: str) -> None:
    changed: dict[str, Any] = {"phone": None} if why == "no other address" else {}
    scene.owner = await scene.another_owner(email=BOX, channel="email", language="en", **changed)
    found = await _offer(scene, "email", BOX)
    await scene.send_all()
    async with transaction(scene.house.pool, scene.dealer.id) as connection:
        if why == "no consent":
            await consents.give(
                connection,
                scene.dealer.id,
                scene.owner.id,
                {Purpose.SERVICE: False},
                now=scene.clock(),
                source="t",
                wording="",
            )
        if why == "stopped":
            await consents.stop(connection, scene.dealer.id, scene.owner.id, now=scene.clock(), wording="")
        message = await scene.message(found)
        if why == "nobody can tell":
            one = await messages.get(connection, scene.dealer.id, found)
            assert one is not None
            await unreached.follow(connection, one, scene.clock(), surely=False)
        else:
            await unreached.lost(connection, message["reference"], "came back", scene.clock(), actor="mail")
    await _settle(scene)
    assert await scene.phone() == [] and await _rung(scene) > 0


async def test_the_last_word_to_a_wrong_number_goes_nowhere_else(scene: Scene, mails: Mails) -> None:
    scene.owner, mails.refuses = await scene.another_owner(email=BOX, channel="email", language="en"), True
    to = OwnerRecipient(scene.owner.id, "email", BOX, "en")
    await scene.queue(MessageKind.WRONG, to=to)
    await _settle(scene)
    assert await scene.phone() == []


async def test_what_is_no_longer_so_goes_no_other_way_and_somebody_rings(scene: Scene, mails: Mails) -> None:
    scene.owner = await scene.another_owner(email=BOX, channel="email", language="en")
    to = OwnerRecipient(scene.owner.id, "email", BOX, "en")
    found = await scene.queue(to=to, asserts=[asserts("offer", 999, "open")])
    await scene.admin.execute("UPDATE messages SET state = 'sent', sent_at = queued_at WHERE id = $1", found)
    async with transaction(scene.house.pool, scene.dealer.id) as connection:
        reference = (await scene.message(found))["reference"]
        await unreached.lost(connection, reference, "the mail came back", scene.clock(), actor="mail")
    await _settle(scene)
    assert await scene.phone() == [] and await _rung(scene) > 0
