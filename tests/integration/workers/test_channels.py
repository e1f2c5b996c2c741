"""Mail and SMS against servers of our own: what they are handed, and what a refusal means."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiosmtpd.smtp import SMTP
from icalendar import Calendar

from providers.demo_phone.sending import DemoPhone
from providers.provider import Blocked, Lookup, Receipt
from providers.register import ProviderSettings, open_channels
from providers.smtp.sending import Smtp
from providers.twilio.sending import Twilio
from rules.service.rewording import kept
from schemas.errors import DeliveryFailed, Misconfigured
from schemas.message import Message, MessageKind, MessageState, Purpose, asserts
from tests.integration.workers.conftest import Scene

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def message(to: str, body: str = "Autohaus Nord: gebucht.") -> Message:
    return Message(
        id=1,
        dealer_id=1,
        thread_id=1,
        owner_id=1,
        staff_id=None,
        case_id=None,
        kind=MessageKind.BOOKED,
        purpose=Purpose.STATUS,
        channel="sms",
        to_address=to,
        language="de",
        body=body,
        facts={},
        state=MessageState.CLAIMED,
        reason=None,
        reference="m-1",
        attempts=1,
        queued_at=NOW,
        due_at=NOW,
        sent_at=None,
    )


class Mailbox:
    """Keeps what it is handed; refuses `gone@`, is busy for `busy@`."""

    def __init__(self) -> None:
        self.letters: list[Any] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address.startswith("gone@"):
            return "550 no such mailbox"
        if address.startswith("busy@"):
            return "451 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.letters.append(envelope)
        return "250 OK"


@pytest.fixture
async def relay() -> AsyncIterator[tuple[Mailbox, Smtp]]:
    mailbox = Mailbox()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(mailbox, hostname="relay"), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield mailbox, Smtp(f"smtp://127.0.0.1:{port}", "desk@nord.example")
    server.close()


async def test_a_mail_carries_the_reference_as_its_name_and_the_words_as_they_are(relay: Any) -> None:
    mailbox, channel = relay
    receipt = await channel.send(
        message("jo@muster.example", "Grüße aus der Werkstatt\nbis gleich"), "desk@sued.example"
    )
    assert receipt == Receipt("<m-1@nord.example>")
    letter = mailbox.letters[0].content.decode()
    assert "Message-ID: <m-1@nord.example>" in letter
    assert "Reply-To: desk@sued.example" in letter
    assert await channel.lookup(message("jo@muster.example")) is Lookup.CANNOT_TELL


async def test_a_mail_about_a_visit_brings_it_for_the_calendar_and_any_other_brings_nothing(relay: Any) -> None:
    mailbox, channel = relay
    starts_at = datetime(2026, 11, 24, 13, tzinfo=UTC)
    words = kept(
        {
            "now": NOW,
            "dealer": "Autohaus Nord",
            "vehicle": "Golf",
            "zone": "Europe/Berlin",
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(hours=1),
        }
    )
    facts = {"asserts": [asserts("booking", 7, "agreed", at=starts_at)], "words": words}
    about = message("jo@muster.example").model_copy(update={"facts": facts})
    for kind, status in ((MessageKind.BOOKED, "CONFIRMED"), (MessageKind.CANCELLED, "CANCELLED")):
        await channel.send(about.model_copy(update={"kind": kind}), "")
        letter = email.message_from_bytes(mailbox.letters[-1].content, policy=email.policy.default)
        [file] = letter.iter_attachments()
        [event] = Calendar.from_ical(file.get_content()).walk("VEVENT")
        assert (file.get_filename(), str(event["uid"]), str(event["status"])) == (
            "visit.ics",
            "visit-7@telltale",
            status,
        )
        assert event["dtstart"].dt == starts_at and event["dtstart"].dt.strftime("%H:%M") == "14:00"
    await channel.send(about.model_copy(update={"kind": MessageKind.READY}), "")
    assert b"VEVENT" not in mailbox.letters[-1].content


@pytest.mark.parametrize(("to", "permanent"), [("gone@muster.example", True), ("busy@muster.example", False)])
async def test_a_refused_mailbox_is_final_and_a_busy_one_is_not(relay: Any, to: str, permanent: bool) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        await relay[1].send(message(to), "")
    assert caught.value.permanent is permanent


async def test_a_relay_that_is_not_there_may_come_back() -> None:
    with pytest.raises(DeliveryFailed) as caught:
        await Smtp("smtp://127.0.0.1:1", "desk@nord.example").send(message("jo@muster.example"), "")
    assert not caught.value.permanent


class FakeTwilio:
    """The few doors of the provider that we use."""

    def __init__(self) -> None:
        self.texts: list[dict[str, str]] = []
        self.answers: list[tuple[int, dict[str, Any]]] = []
        self.slow = False

    async def post(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        if self.answers:
            status, body = self.answers.pop(0)
            if status == 500:
                self.texts.append(form)
            return web.json_response(body, status=status)
        self.texts.append(form)
        return web.json_response({"sid": f"SM{len(self.texts)}"}, status=201)

    async def get(self, request: web.Request) -> web.Response:
        found = [
            {"sid": f"SM{n}", "body": t["Body"], "status": "sent"}
            for n, t in enumerate(self.texts, 1)
            if t["To"] == request.query["To"]
        ]
        return web.json_response({"messages": found})


@pytest.fixture
async def twilio() -> AsyncIterator[tuple[FakeTwilio, Twilio]]:
    fake, app = FakeTwilio(), web.Application()
    app.router.add_post("/2010-04-01/Accounts/AC1/Messages.json", fake.post)
    app.router.add_get("/2010-04-01/Accounts/AC1/Messages.json", fake.get)
    async with TestServer(app) as server:
        channel = Twilio(
            "AC1",
            "token",
            "+4930222",
            callback="https://desk.example/inbound/twilio/status",
            api=str(server.make_url("/")).rstrip("/"),
        )
        yield fake, channel
        await channel.close()


async def test_an_sms_comes_from_the_dealers_number_and_names_its_reference_in_the_callback(twilio: Any) -> None:
    fake, channel = twilio
    assert await channel.send(message("+491701"), "+4930111") == Receipt("SM1")
    assert fake.texts == [
        {
            "To": "+491701",
            "Body": "Autohaus Nord: gebucht.",
            "From": "+4930111",
            "StatusCallback": "https://desk.example/inbound/twilio/status?reference=m-1",
        }
    ]


@pytest.mark.parametrize(
    ("status", "code", "permanent"), [(400, 21211, True), (429, 20429, False), (401, 20003, False)]
)
async def test_what_the_provider_surely_did_not_take_is_a_failure(
    twilio: Any, status: int, code: int, permanent: bool
) -> None:
    fake, channel = twilio
    fake.answers.append((status, {"code": code}))
    with pytest.raises(DeliveryFailed) as caught:
        await channel.send(message("+491701"), "+4930111")
    assert caught.value.permanent is permanent


async def test_a_number_that_blocked_us_is_told_apart(twilio: Any) -> None:
    fake, channel = twilio
    fake.answers.append((400, {"code": 21610}))
    with pytest.raises(Blocked):
        await channel.send(message("+491701"), "+4930111")


async def test_an_answer_of_500_may_have_taken_it_and_the_lookup_tells(twilio: Any) -> None:
    fake, channel = twilio
    assert await channel.lookup(message("+491701")) is Lookup.NEVER_CAME
    fake.answers.append((500, {}))
    with pytest.raises(OSError):
        await channel.send(message("+491701"), "+4930111")
    assert await channel.lookup(message("+491701")) == Receipt("SM1")
    assert await channel.lookup(message("+491701", "other words")) is Lookup.NEVER_CAME


async def test_a_text_of_the_same_words_that_is_booked_already_is_not_this_one(twilio: Any) -> None:
    _, channel = twilio
    assert await channel.send(message("+491701"), "+4930111") == Receipt("SM1")  # "welcome back", this morning
    assert await channel.lookup(message("+491701"), {"SM1"}) is Lookup.NEVER_CAME
    await channel.send(message("+491701"), "+4930111")
    assert await channel.lookup(message("+491701"), {"SM1"}) == Receipt("SM2")


async def test_without_providers_everything_lies_on_the_demo_phone_and_a_time_lapse_refuses_real_ones(
    scene: Scene,
) -> None:
    found = open_channels(ProviderSettings(), scene.worker, scene.clock, time_lapse=True)
    assert {type(channel) for channel in found.values()} == {DemoPhone}
    for settings in (
        ProviderSettings(twilio_account="AC1", twilio_token="t"),
        ProviderSettings(smtp_url="smtp://localhost", mail_from="a@b"),
    ):
        with pytest.raises(Misconfigured, match="time-lapse"):
            open_channels(settings, scene.worker, scene.clock, time_lapse=True)
    with pytest.raises(Misconfigured, match="TELLTALE_TWILIO_TOKEN"):
        open_channels(ProviderSettings(twilio_account="AC1"), scene.worker, scene.clock, time_lapse=False)


async def test_a_rehearsal_in_time_lapse_may_text_to_a_stand_in_on_this_machine(scene: Scene) -> None:
    here = ProviderSettings(twilio_account="AC1", twilio_token="t", twilio_api="http://127.0.0.1:4010")
    found = open_channels(here, scene.worker, scene.clock, time_lapse=True)
    assert isinstance(found["sms"], Twilio)
    elsewhere = ProviderSettings(twilio_account="AC1", twilio_token="t", twilio_api="https://api.dublin.ie1.twilio.com")
    with pytest.raises(Misconfigured, match="time-lapse"):
        open_channels(elsewhere, scene.worker, scene.clock, time_lapse=True)
