"""How a witness looks at a running Telltale: as staff through the API, as owner through the phone, as anybody on
MQTT.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import aiohttp
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

Seen = TypeVar("Seen")


PATIENCE_S = 60.0
_BUSY = frozenset({429, 502, 503, 504})


class NotSeen(Exception):
    """What should have happened did not, in its time."""


class Busy(aiohttp.ClientConnectionError):
    """Nothing was done; it may be asked again."""


async def eventually(
    look: Callable[[], Awaitable[Seen | None]], within_s: float, what: str, every_s: float = 0.1
) -> Seen:
    """What `look` answers as soon as it is not None; NotSeen after `within_s` seconds of machine time."""
    deadline = asyncio.get_running_loop().time() + within_s
    trouble = ""
    while True:
        try:
            seen = await look()
        except (aiohttp.ClientError, OSError) as error:  # a service that is just being restarted
            seen, trouble = None, f" ({type(error).__name__})"
        if seen is not None:
            return seen
        if asyncio.get_running_loop().time() > deadline:
            raise NotSeen(f"{what}: not within {within_s:.0f} s{trouble}")
        await asyncio.sleep(every_s)


@dataclass
class Staff:
    """One signed-in person of the dealer, using nothing but the documented API."""

    base: str
    http: aiohttp.ClientSession
    me: dict[str, Any] = field(default_factory=dict)

    async def sign_in(self, email: str, password: str) -> dict[str, Any]:
        """Open a session with the demo's password."""
        self.me = await self.post("/session", email=email, password=password)
        return self.me

    async def get(self, path: str, **query: str | int) -> Any:
        """A JSON answer, or NotSeen with the problem's own words."""
        async with self.http.get(f"{self.base}/api/v1{path}", params={k: str(v) for k, v in query.items()}) as answer:
            return await _body(answer, path)

    async def post(self, path: str, **body: Any) -> Any:
        """A POST with a fresh idempotency key, repeated under it while the answer is "come again"."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}

        async def once() -> Any:
            async with self.http.post(f"{self.base}/api/v1{path}", json=body, headers=headers) as answer:
                return await _body(answer, path)

        return await repeated(once, Busy)

    async def send(self, path: str, query: Mapping[str, str], body: bytes, media: str) -> Any:
        """A POST of something that is no JSON."""
        headers = {"Idempotency-Key": uuid.uuid4().hex, "Content-Type": media}

        async def once() -> Any:
            async with self.http.post(f"{self.base}/api/v1{path}", params=query, data=body, headers=headers) as answer:
                return await _body(answer, path)

        return await repeated(once, Busy)

    async def patch(self, path: str, **body: Any) -> Any:
        """Change something."""
        async with self.http.patch(f"{self.base}/api/v1{path}", json=body) as answer:
            return await _body(answer, path)


async def repeated(once: Callable[[], Awaitable[Seen]], *passing: type[Exception]) -> Seen:
    """As a good client does it, with a busy machine."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        try:
            return await once()
        except passing:
            if asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(0.2)


async def _body(answer: aiohttp.ClientResponse, path: str) -> Any:
    if answer.status in _BUSY:
        raise Busy(f"{path}: {answer.status}")
    if answer.status >= 500:
        raise aiohttp.ClientConnectionError(f"{path}: {answer.status}")
    body = await answer.json(content_type=None) if answer.content_length != 0 else {}
    if answer.status >= 400:
        raise NotSeen(
            f"{path} answered {answer.status}: "
            f"{body.get('detail') or body.get('title') if isinstance(body, dict) else body}"
        )
    return body


class Handset(Protocol):
    """Somebody's phone, whatever brings the texts to it."""

    number: str

    async def texts(self) -> list[dict[str, Any]]:
        """Everything that arrived, oldest first: {body, parts}."""

    async def answer(self, dealer_number: str, body: str) -> None:
        """Type an answer."""

    async def page(self, url: str) -> str:
        """Follow a link from a text."""


@dataclass
class Phone:
    """One owner's phone, as the demo phone page shows it."""

    base: str
    http: aiohttp.ClientSession
    number: str

    async def texts(self) -> list[dict[str, Any]]:
        """Everything that arrived, oldest first."""
        async with self.http.get(f"{self.base}/phone/texts", params={"to": self.number}) as answer:
            found = await _body(answer, "/phone/texts")
        return list(found["texts"])

    async def answer(self, dealer_number: str, body: str) -> None:
        """Type an answer, as a thumb would."""
        form = {"from": self.number, "to": dealer_number, "body": body}

        async def once() -> None:
            async with self.http.post(f"{self.base}/inbound/phone", data=form, allow_redirects=False) as answer:
                if answer.status in _BUSY:
                    raise Busy(f"the phone's answer: {answer.status}")
                if answer.status >= 400:
                    raise NotSeen(f"the phone's answer was refused: {answer.status} {await answer.text()}")

        await repeated(once, Busy)

    async def page(self, url: str) -> str:
        """Follow a link from a text, as its owner (without any account)."""
        async with self.http.get(url) as answer:
            if answer.status != 200:
                raise NotSeen(f"the link answered {answer.status}")
            return await answer.text()


class Ear:
    """Listens to what cars publish, on a connection of its own; it can say nothing."""

    def __init__(self, url: str, trusted: Path | None = None) -> None:
        """`trusted`: the authority of the broker's certificate, for mqtts."""
        where = urlsplit(url)
        self.heard: dict[str, int] = {}
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"witness-{uuid.uuid4().hex[:8]}")
        self._client.username_pw_set(where.username, where.password)
        if where.scheme == "mqtts":
            self._client.tls_set(str(trusted) if trusted else None)
        self._client.on_connect = lambda client, *_: client.subscribe("vehicles/+/+/up/telemetry", qos=0)
        self._client.on_message = self._on_message
        self._client.connect(where.hostname or "127.0.0.1", where.port or 1883)
        self._client.loop_start()

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        vin = message.topic.split("/")[2]
        if json.loads(message.payload).get("signals"):
            self.heard[vin] = self.heard.get(vin, 0) + 1

    def close(self) -> None:
        """Stop listening."""
        self._client.disconnect()
        self._client.loop_stop()
