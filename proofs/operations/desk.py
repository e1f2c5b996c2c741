"""The load of people: advisors write, offer and book through nginx, owners answer and say STOP through the provider's
signed webhooks.

Every call is repeated, under the same key, until it is answered, as a good client does; what must never be answered is
kept as trouble.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from proofs.production.house import House
from proofs.production.people import Household
from schemas.errors import Unavailable

CLERKS = 3
PAUSE_S = (0.1, 0.5)
PATIENCE_S = 120.0
_AGAIN = frozenset({429, 502, 503, 504})


@dataclass
class Written:
    """A text that an advisor was told is queued."""

    body: str
    owner: int
    at: float  #: steady clock, when it was answered


@dataclass
class Refusals:
    """From when to when an owner wants no texts, by the steady clock: from our answer to STOP until START is on its
    way.
    """

    since: float
    until: float = float("inf")
    at_the_desk: bool = False  #: told by telephone, not by STOP


@dataclass
class History:
    """What people did, for the checker."""

    written: list[Written] = field(default_factory=list)
    refusals: dict[int, list[Refusals]] = field(default_factory=dict)  # owner id ->
    answers: Counter[str] = field(default_factory=Counter)  # status -> how often
    troubles: list[str] = field(default_factory=list)  # answers that must not be
    reads_refused: int = 0  # GETs that did not get their answer at the first try
    done: Counter[str] = field(default_factory=Counter)  # act -> how often


class Desk:
    """`start`, `stop`; `history` is what the checker reads."""

    def __init__(
        self, house: House, household: Household, cars: dict[str, tuple[int, int]], phones: dict[int, str], seed: int
    ) -> None:
        self._house, self._household, self._cars, self._phones = house, household, cars, phones
        self._dice = random.Random(f"desk {seed}")
        self._owners = [owner for _, owner in cars.values()]
        self.history = History()
        self._http: aiohttp.ClientSession | None = None
        self._clerks: list[asyncio.Task[None]] = []
        self._probe = self._owners[-1]  #: says neither STOP nor anything else
        self._probes = 0
        self._busy: set[int] = set()

    async def sign_in(self) -> None:
        """An advisor's session, for the whole night."""
        if self._http is None:
            self._http = self._house.session()
        await self._sign_in()

    async def sign_in_anew(self) -> None:
        """The next morning: sessions last a working day."""
        await self._sign_in()

    async def trust_anew(self) -> None:
        """A browser that has heard of the new authority; it keeps its cookies, and so its session."""
        assert self._http is not None
        before, self._http = self._http, self._house.session(cookies=self._http.cookie_jar)
        await before.close()

    async def _sign_in(self) -> None:
        email, password = self._household.passwords["advisor"]
        await self._call("POST", "/session", {"email": email, "password": password})

    def start(self) -> None:
        """A few clerks, each with one thing at a time."""
        self._clerks = [asyncio.create_task(self._clerk(n)) for n in range(CLERKS)]

    async def pause(self) -> None:
        """Nobody is at the desk."""
        clerks, self._clerks = self._clerks, []
        for clerk in clerks:
            clerk.cancel()
        await asyncio.gather(*clerks, return_exceptions=True)

    async def stop(self) -> None:
        """They go home."""
        await self.pause()
        if self._http is not None and not self._http.closed:
            await self._http.close()
        self._http = None

    async def _clerk(self, n: int) -> None:
        acts = [self._write, self._write, self._visit, self._visit, self._refuse, self._look, self._look]
        while True:
            act, at = self._dice.choice(acts), self._dice.randrange(len(self._owners) - 1)
            (vehicle, owner) = list(self._cars.values())[at]
            if owner not in self._busy:
                self._busy.add(owner)
                try:
                    await act(vehicle, owner)
                    self.history.done[act.__name__.strip("_")] += 1
                except Unanswered as error:
                    self.history.troubles.append(str(error))
                finally:
                    self._busy.discard(owner)
            await asyncio.sleep(self._dice.uniform(*PAUSE_S))

    # -- acts ---------------------------------------------------------------------------------------------------------

    async def _write(self, _vehicle: int, owner: int) -> None:
        """A free text."""
        body = f"Your car is on my list, {uuid.uuid4().hex[:10]}"
        status, _ = await self._call("POST", f"/owners/{owner}/messages", {"body": body})
        if status == 201:
            self.history.written.append(Written(body, owner, time.monotonic()))

    async def _visit(self, vehicle: int, owner: int) -> None:
        """One step of whatever is next for this car: a case, an offer, the owner's answer, a cancelled visit."""
        status, found = await self._call("GET", f"/vehicles/{vehicle}")
        if status != 200:
            return
        case_id = (found["case"] or {}).get("id")
        if case_id is None:
            await self._call(
                "POST", "/cases", {"vehicle_id": vehicle, "note": "A rattle over bumps.", "severity": "soon"}
            )
            return
        status, whole = await self._call("GET", f"/cases/{case_id}")
        if status != 200:
            return
        offers = [offer for offer in whole["offers"] if offer["state"] == "open"]
        visits = [visit for visit in whole["bookings"] if visit["state"] == "agreed"]
        if visits and self._dice.random() < 0.5:
            await self._call("POST", f"/bookings/{visits[0]['id']}/cancel", {"reason": "They cannot come."})
            await self._call("POST", f"/cases/{case_id}/dismiss", {"reason": "They will ring again."})
        elif offers:
            await self._says(owner, self._dice.choice("120"))
        elif whole["state"] in ("open", "contacted"):
            await self._offer(case_id)

    async def _offer(self, case_id: int) -> None:
        """Taken, and windows offered; where some are offered already or a visit stands, that is refused."""
        await self._call("POST", f"/cases/{case_id}/acknowledge")
        await self._call("POST", f"/cases/{case_id}/offers", {"kind": self._dice.choice(("drop_off", "waiting"))})

    async def _case(self, vehicle: int) -> int:
        """The car's open case; a new one where there is none."""
        _, found = await self._call("GET", f"/vehicles/{vehicle}")
        case = (
            found["case"]
            or (
                await self._call(
                    "POST", "/cases", {"vehicle_id": vehicle, "note": "A rattle over bumps.", "severity": "soon"}
                )
            )[1]
        )
        return int(case["id"])

    async def _refuse(self, _vehicle: int, owner: int) -> None:
        """STOP by text, or a no told to the desk, which cancels nothing by itself; later START, or a yes."""
        refusals = self.history.refusals.setdefault(owner, [])
        if refusals and refusals[-1].until == float("inf"):
            refusals[-1].until = time.monotonic()
            await (self._agrees(owner, True) if refusals[-1].at_the_desk else self._says(owner, "START"))
        else:
            at_the_desk = self._dice.random() < 0.5
            refusals.append(Refusals(float("inf"), at_the_desk=at_the_desk))  # it counts from our answer on
            if await (self._agrees(owner, False) if at_the_desk else self._says(owner, "STOP")) == 200:
                refusals[-1].since = time.monotonic()

    async def _agrees(self, owner: int, given: bool) -> int:
        agreed = dict.fromkeys(("safety", "service", "status", "survey"), given)
        status, _ = await self._call(
            "POST",
            f"/owners/{owner}/consents",
            {**agreed, "source": "by telephone", "wording": "yes" if given else "no"},
        )
        return status

    async def minds_change(self, count: int = 2) -> None:
        """What no worker takes for now: windows that will be over before one does, and texts whose owners then tell the
        desk that they want none.
        """
        willing = [
            (vehicle, owner)
            for vehicle, owner in list(self._cars.values())[:-1]
            if not (refusals := self.history.refusals.get(owner)) or refusals[-1].until < float("inf")
        ]
        for n, (vehicle, owner) in enumerate(self._dice.sample(willing, min(2 * count, len(willing)))):
            if n < count:
                await self._offer(await self._case(vehicle))
                continue
            await self._write(vehicle, owner)
            refusal = Refusals(float("inf"), at_the_desk=True)
            self.history.refusals.setdefault(owner, []).append(refusal)
            if await self._agrees(owner, False) == 200:
                refusal.since = time.monotonic()

    async def _look(self, vehicle: int, owner: int) -> None:
        """What a page of the desk asks for."""
        for path in ("/cases", f"/vehicles/{vehicle}", f"/owners/{owner}", "/alerts"):
            await self._call("GET", path)

    async def _says(self, owner: int, body: str) -> int:
        """An owner's text, delivered by the provider until our door takes it."""
        assert self._http is not None
        sid, deadline = f"SM{uuid.uuid4().hex}", time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                status = await self._house.provider.deliver(
                    self._http,
                    self._house.url,
                    sender=self._phones[owner],
                    to=self._household.dealer_number,
                    body=body,
                    sid=sid,
                )
                self._note("inbound", status)
                if status not in _AGAIN:
                    return status
            if time.monotonic() > deadline:
                raise Unanswered(f"an owner's {body} was not taken for {PATIENCE_S:.0f} s")
            await asyncio.sleep(0.2)

    async def probe(self, within_s: float) -> None:
        """A new text to an owner who never says STOP, from the desk to the provider."""
        self._probes += 1
        body = f"Probe {self._probes} {uuid.uuid4().hex[:8]}"
        deadline = time.monotonic() + within_s
        status, _ = await self._call("POST", f"/owners/{self._probe}/messages", {"body": body}, patience_s=within_s)
        if status != 201:
            raise Unavailable("the desk", f"a text was answered {status}")
        self.history.written.append(Written(body, self._probe, time.monotonic()))
        number = self._phones[self._probe]
        while not any(text.body == body for text in reversed(self._house.provider.to(number))):
            if time.monotonic() > deadline:
                raise Unavailable("the workers", f"a text did not go out within {within_s:.0f} s")
            await asyncio.sleep(0.03)

    # -- the client ---------------------------------------------------------------------------------------------------

    async def _call(
        self, method: str, path: str, body: Any = None, patience_s: float = PATIENCE_S
    ) -> tuple[int, dict[str, Any]]:
        """Until it is answered for good; the key stays the same."""
        assert self._http is not None
        headers = {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}
        deadline = time.monotonic() + patience_s
        while True:
            try:
                said_to = None if method == "GET" else body or {}
                async with self._http.request(
                    method, f"{self._house.url}/api/v1{path}", headers=headers, json=said_to
                ) as answer:
                    content = await answer.read()
                    self.history.reads_refused += method == "GET" and answer.status in _AGAIN
                    self._note(path, answer.status, answer.headers.get("Retry-After"), content)
                    if answer.status not in _AGAIN:
                        return answer.status, await answer.json(content_type=None) if content else {}
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                self.history.answers[type(error).__name__] += 1
                self.history.reads_refused += method == "GET"
            if time.monotonic() > deadline:
                raise Unanswered(f"{method} {path} was not answered for {patience_s:.0f} s")
            await asyncio.sleep(self._dice.uniform(0.1, 0.3))

    def _note(self, path: str, status: int, retry_after: str | None = "", body: bytes = b"") -> None:
        self.history.answers[str(status)] += 1
        if status >= 500 and status not in _AGAIN:
            self.history.troubles.append(f"{path} answered {status}: {body[:200]!r}")
        elif status == 401 and "/session" not in path:
            self.history.troubles.append(f"{path}: signed out")
        elif status == 503 and retry_after is None:
            self.history.troubles.append(f"{path} answered 503 and did not say when to come again: {body[:200]!r}")


class Unanswered(Exception):
    """Patience ran out."""
