"""Who knocks: nobody, each role, programs with a key; and what they are answered."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from proofs.doors.requests import Knock

_keys = itertools.count(1)
_FIRST_S = 5.0  #: a stream is read for so long at most


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    media: str
    headers: Mapping[str, str]

    @property
    def where(self) -> str:
        """Where a page sends us on to, without what comes after the path."""
        return self.headers.get("Location", "").partition("?")[0]

    def tells(self, word: str) -> bool:
        """Whether that word is in it, in the body or in a header."""
        return word.encode() in self.body or any(word in value for value in self.headers.values())

    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Caller:
    """Somebody with a session's cookie or a key, or with neither."""

    name: str
    role: str = ""  #: a staff role, `api`, or nothing
    cookie: str = ""
    key: str = ""
    csrf: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What they send along."""
        found = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return (
            {**found, "Cookie": f"telltale_session={self.cookie}", "X-CSRF-Token": self.csrf} if self.cookie else found
        )


NOBODY = Caller("nobody")


async def person(http: aiohttp.ClientSession, url: str, role: str, cookie: str) -> Caller:
    """Somebody who is signed in, with the token that their forms carry."""
    async with http.get(f"{url}/more", headers={"Cookie": f"telltale_session={cookie}"}) as response:
        found = re.search(r'name="csrf" value="([^"]+)"', await response.text())
    assert found is not None, "the page of a signed-in person has a form, and a form has its token"
    return Caller(role, role, cookie=cookie, csrf=found[1])


async def knock(http: aiohttp.ClientSession, url: str, caller: Caller, ask: Knock, *, key: str | None = None) -> Answer:
    """One request as this caller would send it: JSON with a key of repetition, a form with its token."""
    headers = {**caller.headers, "Idempotency-Key": key if key is not None else f"proof-{next(_keys)}"}
    data: Any = None
    if ask.form is not None:
        data = aiohttp.FormData([*ask.form, ("csrf", caller.csrf)])
        if ask.path == "/import":
            data.add_field("file", b"name;vin;title;profile;phone\n", filename="list.csv")
    elif ask.raw is not None:
        data, headers["Content-Type"] = ask.raw, ask.media
    elif ask.text is not None:
        data, headers["Content-Type"] = ask.text.encode("utf-8", "surrogatepass"), ask.media
    elif ask.json is not None:
        data, headers["Content-Type"] = json.dumps(ask.json).encode(), "application/json"
    async with http.request(
        ask.method, url + ask.path, params=dict(ask.query) or None, data=data, headers=headers, allow_redirects=False
    ) as response:
        if response.content_type == "text/event-stream":
            async with asyncio.timeout(_FIRST_S):
                body = await response.content.readany()
        else:
            body = await response.read()
        return Answer(response.status, body, response.content_type, response.headers)
