"""A stand-in for the provider of texts: it takes what we send, as Twilio's API does, remembers it with the moment, and
delivers answers to our door signed as Twilio signs them. Now and then it is busy, or takes a text and loses its own
answer.

Source: Twilio's pages "Message resource" and "Webhooks security".
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import random
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import smsutil
from aiohttp import web

from proofs.outside import repeated


@dataclass(frozen=True)
class Text:
    """One text that passed through; `at` is the machine's steady clock when we handed it over."""

    sid: str
    reference: str
    sender: str
    to: str
    body: str
    at: float
    inbound: bool = False

    @property
    def parts(self) -> int:
        """How many SMS it takes."""
        return len(smsutil.split(self.body).parts)


@dataclass
class Sms:
    """`async with Sms() as provider:`; `provider.url` is TELLTALE_TWILIO_API."""

    busy: float = 0.0  #: share of requests that are answered 429 or 503 and not taken
    lost: float = 0.0  #: share of texts that are taken, and the answer lost
    slowest_s: float = 0.0
    luck: random.Random = field(default_factory=lambda: random.Random(1))
    account: str = "ACstandin"
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    number: str = "+4930999999"
    webhook: str = ""  #: where what comes in to that number is brought, as it stands in the account
    texts: list[Text] = field(default_factory=list)
    refused: int = 0  #: requests with a wrong password
    silent: bool = False  #: texts are taken, and nobody ever hears that they were
    unheard: asyncio.Event = field(default_factory=asyncio.Event)  #: a text was taken so

    async def __aenter__(self) -> Sms:
        app = web.Application()
        where = f"/2010-04-01/Accounts/{self.account}/Messages.json"
        app.router.add_post(where, self._take)
        app.router.add_get(where, self._list)
        app.router.add_get(f"/2010-04-01/Accounts/{self.account}.json", self._self)
        app.router.add_get(where.replace("Messages", "IncomingPhoneNumbers"), self._numbers)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def _check(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != aiohttp.encode_basic_auth(self.account, self.token):
            self.refused += 1
            raise web.HTTPUnauthorized

    async def _take(self, request: web.Request) -> web.Response:
        self._check(request)
        form = {name: str(value) for name, value in (await request.post()).items()}
        if self.luck.random() < self.busy:
            busy = self.luck.random() < 0.5
            return web.json_response(
                {"code": 20429 if busy else 20503}, status=429 if busy else 503, headers={"Retry-After": "1"}
            )
        reference = (parse_qs(urlsplit(form.get("StatusCallback", "")).query).get("reference") or [""])[0]
        sender = form.get("From") or form.get("MessagingServiceSid", "")
        text = Text(
            f"SM{secrets.token_hex(16)}",
            reference,
            sender=sender,
            to=form["To"],
            body=form["Body"],
            at=time.monotonic(),
        )
        self.texts.append(text)
        if self.silent:
            self.unheard.set()
            await asyncio.Event().wait()  # until whoever asked is gone
        await asyncio.sleep(self.luck.random() * self.slowest_s)
        if self.luck.random() < self.lost and request.transport is not None:
            request.transport.abort()
        return web.json_response({"sid": text.sid, "status": "queued"}, status=201)

    async def _list(self, request: web.Request) -> web.Response:
        self._check(request)
        to = request.query.get("To")
        found = [_shown(text) for text in reversed(self.texts) if text.to == to]
        return web.json_response({"messages": found[: int(request.query.get("PageSize", "50"))]})

    async def _self(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.json_response({"sid": self.account, "status": "active", "type": "Full"})

    async def _numbers(self, request: web.Request) -> web.Response:
        self._check(request)
        mine = (
            [{"phone_number": self.number, "sms_url": self.webhook, "sms_method": "POST"}]
            if request.query.get("PhoneNumber") == self.number
            else []
        )
        return web.json_response({"incoming_phone_numbers": mine})

    def to(self, number: str) -> list[Text]:
        """All that went to this number, oldest first."""
        return [text for text in self.texts if text.to == number and not text.inbound]

    async def deliver(
        self, http: aiohttp.ClientSession, base: str, *, sender: str, to: str, body: str, sid: str | None = None
    ) -> int:
        """An owner's text to our door, once, as Twilio does it: the status of the answer.

        OSError when nobody answers.
        """
        sid = sid or f"SM{secrets.token_hex(16)}"
        if all(text.sid != sid for text in self.texts):
            self.texts.append(Text(sid, "", sender=sender, to=to, body=body, at=time.monotonic(), inbound=True))
        form = {"AccountSid": self.account, "Body": body, "From": sender, "MessageSid": sid, "NumMedia": "0", "To": to}
        address = f"{base}/inbound/twilio"
        async with http.post(
            address, data=form, headers={"X-Twilio-Signature": _signed(self.token, address, form)}
        ) as answer:
            await answer.read()
            return answer.status


def _signed(token: str, address: str, form: Mapping[str, str]) -> str:
    """The provider's own arithmetic, written down from its documentation: not shared with the code that checks it."""
    signed = address + "".join(f"{name}{value}" for name, value in sorted(form.items()))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), hashlib.sha1)).decode()


def _shown(text: Text) -> dict[str, Any]:
    direction = "inbound" if text.inbound else "outbound-api"
    return {
        "sid": text.sid,
        "body": text.body,
        "from": text.sender,
        "to": text.to,
        "direction": direction,
        "status": "received" if text.inbound else "sent",
    }


@dataclass
class SmsPhone:
    """One owner's phone at this provider; the story uses it as it uses the demo phone."""

    provider: Sms
    base: str
    http: aiohttp.ClientSession
    number: str

    async def texts(self) -> list[dict[str, Any]]:
        """Everything that arrived, oldest first."""
        return [{"body": text.body, "parts": text.parts} for text in self.provider.to(self.number)]

    async def answer(self, dealer_number: str, body: str) -> None:
        """Type an answer."""
        sid = f"SM{secrets.token_hex(16)}"

        async def once() -> None:
            status = await self.provider.deliver(
                self.http, self.base, sender=self.number, to=dealer_number, body=body, sid=sid
            )
            if status >= 400:
                raise aiohttp.ClientConnectionError(f"the door answered {status}")

        await repeated(once, aiohttp.ClientConnectionError, TimeoutError)

    async def page(self, url: str) -> str:
        """Follow a link from a text, without any account."""
        async with self.http.get(url) as answer:
            if answer.status != 200:
                raise aiohttp.ClientConnectionError(f"the link answered {answer.status}")
            return await answer.text()
