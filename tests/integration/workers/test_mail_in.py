"""The door for mail: signed over every byte, heard once, acted on where it answers a mail of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from actions import offers
from dealer_api.application import build
from dealer_api.inbound import trust
from dealer_api.live import Live
from providers.register import ProviderSettings
from providers.smtp.signature import signed
from rules.service import letters
from schemas.alert import AlertState as A
from schemas.booking import BookingKind
from schemas.message import OwnerRecipient
from store import threads
from store.pool import transaction
from telltale.bringing_mail import bring, reduced
from telltale.settings import Settings
from tests.conftest import Database
from tests.integration.workers.conftest import Scene
from tests.mails import away, bounce

SECRET = "whsec_dGVzdHMtb25seS1zZWNyZXQ="
BOX, DESK = "Jo@Muster.example", "desk@nord.example"


@dataclass
class Post:
    """Whoever brings mail, and what they brought."""

    scene: Scene
    door: TestClient[Any, Any]

    async def bring(self, raw: bytes, status: int = 204, **headers: str) -> None:
        made = signed(SECRET, raw, name="w1", at=datetime.now(UTC)) | {"Content-Type": "message/rfc822"}
        async with self.door.post("/inbound/mail", data=raw, headers=made | headers) as answer:
            assert answer.status == status, await answer.text()

    async def sent(self, **more: Any) -> tuple[int, str]:
        """A mail of ours to the owner, and its Message-ID."""
        scene = self.scene
        to = OwnerRecipient(scene.owner.id, "email", BOX, "en")
        found = await scene.queue(to=to, **more)
        await scene.admin.execute("UPDATE messages SET state = 'sent', sent_at = queued_at WHERE id = $1", found)
        return found, await self.name_of(found)

    async def name_of(self, message_id: int) -> str:
        async with transaction(self.scene.house.pool) as connection:
            key = await self.scene.house.key_holder.key(connection)
        return f"<{letters.name(key, self.scene.dealer.id, message_id)}@nord.example>"

    async def replies(self) -> list[tuple[str, str, bool]]:
        rows = await self.scene.admin.fetch("SELECT body, understood, read_at FROM replies ORDER BY id")
        return [(row["body"], row["understood"], row["read_at"] is not None) for row in rows]


@pytest.fixture
async def post(scene: Scene, database: Database) -> AsyncIterator[Post]:
    app = build(
        scene.house,
        Live(database.role("desk")),
        extensions=(lambda app: trust(ProviderSettings(mail_secret=SECRET), app),),
    )
    scene.owner = await scene.another_owner(email=BOX, channel="email", language="en")
    await scene.admin.execute("UPDATE vehicles SET owner_id = $1", scene.owner.id)
    await scene.admin.execute(
        "INSERT INTO senders (address, dealer_id, channel) VALUES ($1, $2, 'email')", DESK, scene.dealer.id
    )
    async with TestClient(TestServer(app)) as client:
        yield Post(scene, client)


def letter(body: str, about: str = "", name: str = "<a1@muster.example>", sender: str = BOX) -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"], made["Message-ID"] = sender, DESK, "Re: Nord", name
    if about:
        made["In-Reply-To"] = about
    made.set_content(body)
    return made.as_bytes()


async def _open_offer(post: Post) -> str:
    """The owner was asked by mail; the Message-ID of that mail."""
    scene = post.scene
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    case = await scene.case()
    await scene.admin.execute("UPDATE cases SET owner_id = $1 WHERE id = $2", scene.owner.id, case["id"])
    await offers.make(scene.house.acting(scene.dealer.id, "staff:1"), case["id"], BookingKind.DROP_OFF)
    found = await scene.admin.fetchval("SELECT id FROM messages WHERE kind = 'offer'")
    await scene.admin.execute("UPDATE messages SET state = 'sent', sent_at = queued_at WHERE id = $1", found)
    return await post.name_of(found)


async def test_an_answer_by_mail_books_as_one_by_text_does_and_is_heard_once(post: Post) -> None:
    about = await _open_offer(post)
    quoted = "2\n\nOn Mon, 23 Nov 2026, Nord <desk@nord.example> wrote:\n> 1 = Tue, 2 = Wed, 0 = no STOP"
    for _ in range(5):
        await post.bring(letter(quoted, about))
    assert await post.replies() == [("2", "choice", False)]
    assert (await post.scene.case())["state"] == "booked"
    booked = await post.scene.admin.fetchrow("SELECT channel, to_address FROM messages WHERE kind = 'booked'")
    assert (booked["channel"], booked["to_address"].lower()) == ("email", BOX.lower())


async def test_in_somebodys_name_without_a_mail_of_ours_only_a_stop_is_believed(post: Post) -> None:
    await _open_offer(post)
    await post.bring(letter("2", name="<a1@x>"))
    await post.bring(letter("wrong number", "<m1-1-00000000000000000000000000000000@nord.example>", name="<a2@x>"))
    assert [row[1] for row in await post.replies()] == ["other", "other"]
    assert (await post.scene.case())["state"] == "contacted"
    await post.bring(letter("please stop writing to me", name="<a3@x>"))
    assert (await post.replies())[-1][1] == "stop"
    assert await post.scene.admin.fetchval("SELECT stopped_at FROM owners WHERE id = $1", post.scene.owner.id)
    confirmed = "SELECT count(*) FROM messages WHERE kind = 'stopped' AND channel = 'email'"
    assert await post.scene.admin.fetchval(confirmed) == 1


async def test_who_answers_from_another_mailbox_is_whom_we_wrote_to(post: Post) -> None:
    _, about = await post.sent()
    await post.bring(letter("STOP", about, sender="jo.private@else.example"))
    assert await post.scene.admin.fetchval("SELECT stopped_at FROM owners WHERE id = $1", post.scene.owner.id)


async def test_what_a_machine_wrote_is_shown_and_answers_nothing(post: Post) -> None:
    about = await _open_offer(post)
    await post.bring(away(about, sender=BOX))
    [(body, understood, read)] = await post.replies()
    assert "holiday" in body and (understood, read) == ("auto", True)
    assert (await post.scene.case())["state"] == "contacted"
    async with transaction(post.scene.worker) as connection:
        assert await threads.unread(connection, post.scene.dealer.id) == []
        assert await threads.wrote_at(connection, post.scene.dealer.id, post.scene.owner.id) is None
    assert await post.scene.admin.fetchval("SELECT count(*) FROM messages WHERE kind = 'passed_on'") == 0


async def test_a_mail_that_came_back_has_failed_for_good_and_somebody_is_told(post: Post) -> None:
    found, about = await post.sent()
    for _ in range(3):
        await post.bring(bounce(about, "5.1.1"))
    row = await post.scene.message(found)
    assert (row["state"], row["reason"]) == ("failed", "the mail came back: there is no such mailbox (5.1.1)")
    assert await post.scene.admin.fetchval("SELECT count(*) FROM wakeups WHERE topic = 'unreached'") == 1
    assert await post.replies() == []


@pytest.mark.parametrize("about", ["<m-1@nord.example>", "<m1-1-00000000000000000000000000000000@nord.example>", ""])
async def test_a_mail_that_came_back_without_our_name_is_nothing(post: Post, about: str) -> None:
    found, _ = await post.sent()
    await post.bring(bounce(about, "5.1.1"))
    assert (await post.scene.message(found))["state"] == "sent" and await post.replies() == []


@pytest.mark.parametrize("forge", ["no signature", "another secret", "another body", "yesterday", "no name", "a form"])
async def test_a_forged_mail_has_no_effect(post: Post, forge: str) -> None:
    raw, now = letter("STOP"), datetime.now(UTC)
    headers = {
        "no signature": {"webhook-signature": ""},
        "another secret": signed("whsec_b3RoZXI=", raw, name="w1", at=now),
        "another body": signed(SECRET, raw + b"\n", name="w1", at=now),
        "yesterday": signed(SECRET, raw, name="w1", at=now - timedelta(days=1)),
        "no name": {"webhook-id": ""},
        "a form": {"Content-Type": "application/x-www-form-urlencoded"},
    }[forge]
    await post.bring(raw, 403, **headers)
    assert await post.replies() == []


async def test_mail_to_a_mailbox_that_is_nobodys_is_taken_and_forgotten(post: Post) -> None:
    await post.bring(letter("STOP").replace(DESK.encode(), b"else@else.example"))
    assert await post.replies() == []


@pytest.mark.parametrize(
    "raw", [b"", b"\x00\xff\xfe", b"From: \xff\n\n\x00STOP", b"To: desk@nord.example\n\n" + b"x" * 99_000]
)
async def test_odd_mails_are_no_error(post: Post, raw: bytes) -> None:
    await post.bring(raw)


async def test_the_end_of_a_mail_servers_pipe_brings_it_without_its_attachments(post: Post) -> None:
    base = str(post.door.make_url("")).rstrip("/")
    settings = Settings(mail_secret=SECRET, public_url=base)
    made = EmailMessage()
    made["From"], made["To"], made["Message-ID"] = BOX, DESK, "<photo@muster.example>"
    made.set_content("please stop writing to me")
    made.add_attachment(b"x" * 3_000_000, maintype="image", subtype="jpeg", filename="car.jpg")
    assert len(reduced(made.as_bytes())) < 2_000
    assert await bring(settings, made.as_bytes()) == 204
    assert [row[1] for row in await post.replies()] == ["stop"]
    found, about = await post.sent()
    assert await bring(settings, bounce(about, "5.2.1")) == 204
    assert "switched off" in (await post.scene.message(found))["reason"]
    assert await bring(Settings(mail_secret="whsec_b3RoZXI=", public_url=base), made.as_bytes()) == 403
    assert await bring(Settings(mail_secret=SECRET, public_url="http://127.0.0.1:1"), made.as_bytes()) is None
