"""Texts: what can be known of the provider without sending one; and, when a number is given, one text out and its
answer back.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import UTC, datetime

import aiosmtplib

from providers.register import texts_at
from providers.smtp.sending import Smtp
from providers.twilio.sending import Twilio
from rules.service.numbers import e164
from schemas.errors import DeliveryFailed, Misconfigured
from schemas.message import Message, MessageKind, MessageState, Purpose
from store import check
from telltale.checking.database import office
from telltale.checking.finding import Finding, Wrong
from telltale.settings import Settings

SMS = ("sms", "twilio")
ASK_AGAIN_S = 1.0
NOT_PROVED = "not proved: that a text arrives and its answer is heard (telltale check texts --to +49…)"


def channel(settings: Settings) -> Twilio:
    """The provider as the workers use it."""
    if not settings.twilio_account:
        raise Wrong("no provider of SMS is set up", "set TELLTALE_TWILIO_ACCOUNT, _TOKEN and _FROM")
    return Twilio(
        settings.twilio_account, settings.twilio_token.get_secret_value(), settings.twilio_from, api=settings.twilio_api
    )


async def sms(settings: Settings) -> str:
    """The provider knows us, every dealer has a number of it, and what comes in to that number is brought to our
    door.
    """
    if not settings.twilio_account and settings.smtp_url.get_secret_value():
        return "no provider of SMS: owners are reached by mail"
    if not settings.twilio_account:
        raise Wrong(
            "no text leaves this machine: they stay on the demo phone's page",
            "set TELLTALE_TWILIO_ACCOUNT, _TOKEN and _FROM, or TELLTALE_SMTP_URL and TELLTALE_MAIL_FROM",
        )
    async with office(settings) as connection:
        dealers = await check.senders(connection, SMS)
    provider = channel(settings)
    try:
        state = await provider.account_state()
        if state != "active":
            raise Wrong(
                f"the provider says of our account: {state}",
                "look at TELLTALE_TWILIO_ACCOUNT and TELLTALE_TWILIO_TOKEN, and at the account itself",
            )
        for _, name, number in dealers:
            if number is None and not settings.twilio_from.startswith("MG"):
                raise Wrong(
                    f"{name} has no number that its texts could come from",
                    "telltale dealer sender +49…, or TELLTALE_TWILIO_FROM and a running worker",
                )
        numbers = sorted({number for _, _, number in dealers if number})
        for number in numbers:
            await _registered(provider, number, settings)
    finally:
        await provider.close()
    return f"the provider knows the account and {len(numbers)} numbers, and brings answers to our door; {NOT_PROVED}"


async def _registered(provider: Twilio, number: str, settings: Settings) -> None:
    found = await provider.number(number)
    if found is None:
        raise Wrong(
            f"{number} is no number of our account",
            "texts cannot come from it (a landline never can): "
            "telltale dealer sender with one of the account's numbers",
        )
    wanted = f"{settings.public_url.rstrip('/')}{texts_at('twilio')}"
    if found.webhook != wanted:
        raise Wrong(
            f"what is sent to {number} is brought to {found.webhook or 'nobody'}",
            f"set the number's webhook for incoming messages to {wanted} (POST)",
        )


async def mail(settings: Settings) -> str:
    """The relay lets us in; nothing is sent."""
    url = settings.smtp_url.get_secret_value()
    if not url:
        return "no mail relay: owners are reached by SMS only" if settings.twilio_account else "no mail relay"
    try:
        await Smtp(url, settings.mail_from).greet()
    except Misconfigured as error:
        raise Wrong(
            f"{error.setting} {error.reason}", "smtp://user:password@host:587 and the sender's address"
        ) from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Wrong(
            f"the relay does not let us in: {type(error).__name__}",
            "look at TELLTALE_SMTP_URL: host, port, user and password",
        ) from None
    return "the relay lets us in; not proved: that mails arrive"


async def out_and_back(settings: Settings, to: str, within_s: float) -> list[Finding]:
    """Send a text with a word to this number, and wait until it comes back through our door."""
    number, word = e164(to, "US"), f"OK {secrets.randbelow(9000) + 1000}"
    async with office(settings) as connection:
        dealers = await check.senders(connection, SMS)
        before = await check.last_reply(connection)
    provider = channel(settings)
    try:
        sender = next((address for _, _, address in dealers if address), "")
        began = datetime.now(UTC)
        try:
            await provider.send(_message(number, f"Telltale check. Please answer: {word}"), sender)
        except DeliveryFailed as error:
            return [
                Finding("a text out", False, error.reason, "look at the number and at the provider's console"),
                _unlooked(),
            ]
        out = Finding("a text out", True, f"the provider took it, from {sender or provider.sender}")
        return [out, await _back(settings, provider, number, word=word, before=before, began=began, within_s=within_s)]
    finally:
        await provider.close()


def _unlooked() -> Finding:
    return Finding("its answer back", False, "not looked at, for no text went out", "see the line above")


async def _back(
    settings: Settings, provider: Twilio, number: str, *, word: str, before: int, began: datetime, within_s: float
) -> Finding:
    deadline = time.monotonic() + within_s
    async with office(settings) as connection:
        while time.monotonic() < deadline:
            found = await check.answer(connection, number, before, word)
            if found is not None:
                await check.mark_read(connection, *found, datetime.now(UTC))
                took = (datetime.now(UTC) - began).total_seconds()
                return Finding("its answer back", True, f"{word} came in at our door after {took:.0f} s")
            await asyncio.sleep(ASK_AGAIN_S)
        for _, _, ours in await check.senders(connection, SMS):
            if ours and any(
                text["From"] == number and word in text["Body"].upper() for text in await provider.received(ours, began)
            ):
                door = f"{settings.public_url.rstrip('/')}{texts_at('twilio')}"
                return Finding(
                    "its answer back",
                    False,
                    "the provider has it, and our door never got it",
                    f"set the number's webhook to {door} (POST); is TELLTALE_TWILIO_TOKEN set for dealer-api?",
                )
    return Finding(
        "its answer back",
        False,
        f"nothing came within {within_s:.0f} s",
        f"answer {word} from {number}; did the text arrive there?",
    )


def _message(number: str, body: str) -> Message:
    now = datetime.now(UTC)
    return Message(
        id=0,
        dealer_id=0,
        thread_id=None,
        owner_id=None,
        staff_id=None,
        case_id=None,
        kind=MessageKind.FREE,
        purpose=Purpose.STAFF,
        channel="sms",
        to_address=number,
        language="en",
        body=body,
        facts={},
        state=MessageState.CLAIMED,
        reason=None,
        reference=f"check-{secrets.token_hex(8)}",
        attempts=1,
        queued_at=now,
        due_at=now,
        sent_at=None,
    )
