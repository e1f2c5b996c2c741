"""Calls without end from both dealers' people and keys, at every door: whole ones, ones with a field that is odd, and
ones for the other dealer's rows.

Stateful: what an answer names (a case, a visit, an offer) is asked for later, by its own dealer and by the other.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from dealer_api.permissions import LEAVE
from dealer_api.route import Route
from dealer_api.routes import ROUTES
from proofs.doors.callers import NOBODY, Answer, Caller
from proofs.doors.dealers import Furnished
from proofs.doors.ground import Ground
from proofs.doors.matrix import Standing
from proofs.doors.requests import NOBODYS, Knock, Requests
from proofs.doors.values import ODD, ODD_KEYS, ODD_TEXTS, cursor
from schemas.scope import SCOPES, granted
from store import secrets

AT_ONCE = 8
#: Doors that are slow on purpose (a password is checked), or end the caller's own session.
_LEFT_OUT = frozenset({"/sign-in", "/api/v1/session", "/security/password", "/invitation/{token}", "/reset/{token}"})
DOORS = tuple(
    route
    for route in ROUTES
    if not (route.demo or route.streams or route.permission is LEAVE or route.path in _LEFT_OUT)
)
#: 422 may come before the guard: an address that holds what no column takes is read no further, whoever sent it.
_NOT_LET_IN = (401, 403, 422)
_KEPT = 200  #: rows of a noun that are remembered


@dataclass
class Tally:
    """What came of the calls so far."""

    calls: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    doors: set[str] = field(default_factory=set)  #: through which somebody got
    server_errors: list[str] = field(default_factory=list)
    foreign_reads: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)  #: refused as wrong, without the field that is
    let_in: list[str] = field(default_factory=list)  #: whom the register lets in nowhere there

    def hear(self, call: str, answer: Answer, foreign: str, route: str = "") -> None:
        """One answer, against what no answer may be."""
        self.calls += 1
        self.statuses[answer.status] += 1
        if answer.status < 400 and route:
            self.doors.add(route)
        if answer.status >= 500:
            self.server_errors.append(f"{call} -> {answer.status}")
        if answer.tells(foreign):
            self.foreign_reads.append(f"{call} -> {answer.status}: {foreign} is in it")
        if answer.status == 422 and answer.media == "application/problem+json" and not answer.json().get("field"):
            self.unnamed.append(f"{call} -> {answer.body[:200]!r}")


class Walk:
    """`calls` calls, eight at a time; the same seed asks for the same doors in the same order."""

    def __init__(self, ground: Ground, calls: int, luck: random.Random) -> None:
        self._ground, self._luck, self._calls = ground, luck, calls
        self._asks: dict[int, Requests] = ground.requests
        self._rows: dict[tuple[int, str], list[int]] = defaultdict(list)
        self._callers: dict[int, list[Caller]] = {}
        self.tally = Tally()

    async def run(self) -> Tally:
        """Until all have been made."""
        for made in self._ground.dealers:
            people = [caller for (dealer, _), caller in self._ground.people.items() if dealer == made.id]
            self._callers[made.id] = [
                *people,
                self._ground.people[made.id, "manager"],
                self._ground.people[made.id, "manager"],
                NOBODY,
                await self._key(made),
            ]
        left = iter(range(self._calls))
        async with asyncio.TaskGroup() as work:
            for _ in range(AT_ONCE):
                work.create_task(self._walker(left))
        return self.tally

    async def _walker(self, left: Iterator[int]) -> None:
        for n in left:
            made, other = random.Random(n).sample(self._ground.dealers, 2)
            route = self._luck.choice(DOORS)
            caller = self._luck.choice(self._callers[made.id])
            ask = self._ask(route, made, other)
            answer = await self._ground.knock(caller, ask)
            self.tally.hear(
                f"{made.canary}'s {caller.name}: {ask.method} {ask.path[:100]} {_short(ask)}",
                answer,
                other.canary,
                f"{route.method} {route.path}",
            )
            if (
                answer.status not in _NOT_LET_IN
                and answer.where != "/sign-in"
                and not (route.permission.public or Standing(caller, granted(SCOPES)).may(route))
            ):
                self.tally.let_in.append(f"{caller.name}: {ask.method} {ask.path[:100]} -> {answer.status}")
            if route.is_api and answer.status < 300 and answer.media == "application/json":
                self._remember(made.id, route, answer.json())
            if answer.status == 401 and caller.key:  # a call of this very walk has revoked it
                self._callers[made.id][-1] = await self._key(made)

    async def _key(self, made: Furnished) -> Caller:
        async with self._ground.house.at(made.id) as connection:
            return Caller(
                "key",
                "api",
                key=await secrets.make(
                    connection, made.id, "api_key", now=self._ground.now, label="walk", scopes=SCOPES
                ),
            )

    def _ask(self, route: Route, made: Furnished, other: Furnished) -> Knock:
        """A whole request three times out of five, else one with something in it that is not as it should be."""
        ask = self._asks[made.id].knock(
            route,
            self._row(route, made.id, other.id),
            self._luck.choice([None, None, None, self._luck.choice([*made.links.values()])]),
        )
        if self._luck.random() < 0.6:
            return ask
        odd = self._luck.choice(ODD)
        if isinstance(ask.json, dict) and ask.json:
            return replace(
                ask,
                json={
                    **ask.json,
                    self._luck.choice([*ask.json]): self._luck.choice([odd, self._row(route, other.id, made.id)]),
                },
            )
        if ask.form:
            name = self._luck.choice([name for name, _ in ask.form])
            return replace(
                ask,
                form=[(one, _said(self._luck.choice(ODD_TEXTS)) if one == name else value) for one, value in ask.form],
            )
        if route.query is not None:
            name = self._luck.choice([*route.query.model_fields])
            return replace(
                ask,
                query={
                    name: cursor(self._luck.choice(ODD_KEYS))
                    if name == "cursor"
                    else _said(self._luck.choice(ODD_TEXTS))[:2_000]
                },
            )
        return ask

    def _row(self, route: Route, own: int, other: int) -> int | None:
        """The furnished row; one that an answer named; the other dealer's; one that nobody has."""
        noun = _noun(route)
        if noun == "staff":  # the callers are among them: only those who are there to be dismissed
            return self._luck.choice([None, NOBODYS])
        known = self._rows[self._luck.choices([own, other], [4, 1])[0], noun]
        return self._luck.choice([None, NOBODYS, *([self._luck.choice(known)] * 6 if known else [])])

    def _remember(self, dealer: int, route: Route, body: Any) -> None:
        found = body.get("items", [body]) if isinstance(body, dict) else []
        if "{id}/" in route.path:
            return  # its answer is another noun's
        rows = self._rows[dealer, _noun(route)]
        for one in found:
            if isinstance(one, dict) and isinstance(one.get("id"), int) and one["id"] not in rows:
                rows.append(one["id"])
        del rows[:-_KEPT]


def _noun(route: Route) -> str:
    return route.path.removeprefix("/api/v1").split("/")[1]


def _said(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _short(ask: Knock) -> str:
    return re.sub(
        r"\s+", " ", str(ask.json if ask.json is not None else ask.form if ask.form is not None else ask.query or "")
    )[:160]
