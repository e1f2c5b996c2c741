"""Each mail to an owner brings the way to end them all, in one press."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from actions import outbox
from providers.smtp.sending import Smtp
from rules.service import letters
from schemas.message import Draft, MessageKind, OwnerRecipient, Purpose, StaffRecipient
from store.house_key import KeyHolder
from store.pool import transaction
from tests.integration.workers.conftest import Scene
from tests.standing import SECRET

BOX = "jo@muster.example"
HOST = f"service.{'long-' * 8}name.nord.example"  #: no line of a mail holds it together with its path


class Mailbox:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.letters.append(email.message_from_bytes(envelope.content, policy=email.policy.default))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture
async def mailed(scene: Scene) -> AsyncIterator[tuple[Scene, Mailbox]]:
    """Owners are reached by mail, over a relay of our own."""
    box = Mailbox()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(box, hostname="relay"), "127.0.0.1", 0)
    relay = Smtp(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}", "desk@nord.example")
    scene.context = replace(
        scene.context,
        channels={**scene.context.channels, "email": relay},
        desk_url=f"https://{HOST}",
        house_key=KeyHolder(SECRET),
    )
    scene.owner = await scene.another_owner(email=BOX, channel="email", language="en")
    yield scene, box
    server.close()


async def _queue(scene: Scene, kind: MessageKind, **facts: Any) -> int:
    to = OwnerRecipient(scene.owner.id, "email", BOX, "en")
    draft = Draft(dealer_id=scene.dealer.id, to=to, kind=kind, purpose=Purpose.STATUS, author="test")
    async with transaction(scene.worker) as connection:
        facts = {"dealer": "Nord", "phone": "+4930111", **facts}
        return await outbox.queue(connection, scene.context.wording, draft, scene.clock(), **facts)


async def test_a_mail_to_an_owner_brings_the_link_in_its_head_and_at_its_end(mailed: tuple[Scene, Mailbox]) -> None:
    scene, box = mailed
    found = await _queue(scene, MessageKind.DECLINED)
    await scene.send_all()
    [letter] = box.letters
    key = await KeyHolder(SECRET).key(scene.admin)  # type: ignore[arg-type]
    link = f"https://{HOST}/u/{letters.end_token(key, scene.dealer.id, found)}"
    assert letter["List-Unsubscribe"] == f"<{link}>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    body = letter.get_content()
    assert body.startswith("Nord: all right") and body.rstrip().endswith(f"No more mails and texts from us: {link}")
    assert letters.named(key, [letter["Message-ID"]]) == (scene.dealer.id, found)
    assert "mails" not in (await scene.message(found))["body"], "what is stored is what we said"


async def test_the_last_mail_says_how_to_hear_from_us_again_and_asks_for_no_word(
    mailed: tuple[Scene, Mailbox],
) -> None:
    scene, box = mailed
    await _queue(scene, MessageKind.STOPPED)
    await _queue(scene, MessageKind.STARTED)
    await scene.send_all()
    last, begun = (letter.get_content() for letter in box.letters)
    assert "no more mails or texts" in last and "hear from us again: https://" in last
    assert "STOP" not in begun and "START" not in last


async def test_a_mail_to_a_colleague_has_no_such_link(mailed: tuple[Scene, Mailbox]) -> None:
    scene, box = mailed
    to = StaffRecipient(scene.people["advisor"].id, "email", "advisor@nord.example", "en")
    draft = Draft(dealer_id=scene.dealer.id, to=to, kind=MessageKind.FREE, purpose=Purpose.STAFF, author="test")
    async with transaction(scene.worker) as connection:
        await outbox.queue(connection, scene.context.wording, draft, scene.clock(), body="Please look.")
    await scene.send_all()
    assert box.letters[0]["List-Unsubscribe"] is None and box.letters[0].get_content().strip() == "Please look."


@pytest.mark.parametrize("language", ["ar", "de", "en", "es"])
async def test_no_mail_asks_for_a_digit_or_a_word(mailed: tuple[Scene, Mailbox], language: str) -> None:
    wording = mailed[0].context.wording
    facts = {"dealer": "Nord", "phone": "+4930111", "vehicle": "Golf", "link": f"https://{HOST}/f/x"}
    asked = {"severity": "now", "rule": "coolant_hot", "channel": "email"}
    for kind in (MessageKind.SAFETY, MessageKind.FEEDBACK, MessageKind.HELP, MessageKind.STOPPED, MessageKind.STARTED):
        body = wording.text(language, kind, **facts, **asked).body
        assert not {"STOP", "START", "1"} & set(body.replace(".", " ").split()), body
