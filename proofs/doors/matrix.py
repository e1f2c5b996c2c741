"""Every guarded door × everybody who may stand before it × whose thing they ask for: the register says who is let in,
and the answers are held to it.

A cell is one call. Whoever may not come in is refused alike whosesoever the thing is; whoever may gets their own; and a
thing of the other dealer is answered, to the letter, as one that does not exist. Nothing of the other dealer is ever in
an answer, and none of the other dealer's rows is different afterwards.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from actions import sign_in
from actions.visitor import Visitor
from dealer_api.permissions import LEAVE, ROLES
from dealer_api.route import Route
from dealer_api.routes import ROUTES
from proofs.doors.callers import NOBODY, Answer, Caller, person
from proofs.doors.canaries import digest
from proofs.doors.dealers import Furnished
from proofs.doors.ground import Ground
from proofs.doors.requests import NOBODYS, Knock, Requests
from schemas.scope import SCOPES, granted
from store import secrets
from store.pool import transaction

GUARDED = tuple(route for route in ROUTES if not route.permission.public)
IDS = frozenset(
    {"vehicle_id", "owner_id", "staff_id", "driver_id", "case_id", "to", "vehicle", "owner", "driver"}
)  #: of rows, in bodies and forms
_AT_ONCE = 8
_ENDS = re.compile(
    r"/(disable|revoke|dismiss|cancel|reset|forget|sign-out|session|end-others|second-factor|role|staff/{id})$"
)  #: done last: what others need is gone then
#: Doors that need something which nobody has here: a passkey to take away.
NOTHING_THERE = frozenset({"POST /security/passkeys/remove", "POST /security/sessions/end"})


@dataclass(frozen=True)
class Standing:
    """Somebody before a door, and what their key was made for."""

    caller: Caller
    scopes: frozenset[str] = frozenset()

    def may(self, route: Route) -> bool:
        """Whether the register lets them in."""
        return (route.is_api or self.caller.role != "api") and route.permission.allows(self.caller.role, self.scopes)


@dataclass
class Found:
    """What came of the cells."""

    cells: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    server_errors: int = 0
    foreign_reads: int = 0
    done: set[str] = field(default_factory=set)  #: doors whose act was carried out at least once
    callers: set[str] = field(default_factory=set)

    @property
    def size(self) -> str:
        """In words, for whoever reads a test's output."""
        cells = ", ".join(f"{count:,} {name}" for name, count in sorted(self.cells.items()))
        return (
            f"{len(GUARDED)} guarded doors × {len(self.callers)} callers × own, foreign and nobody's things: "
            f"{sum(self.cells.values()):,} calls ({cells}), {len(self.done)} acts carried out, {len(self.wrong)} wrong"
        )

    def say(self, ask: Knock, who: Standing, answer: Answer, what: str) -> None:
        self.wrong.append(f"{who.caller.name}: {ask.method} {ask.path[:80]} -> {answer.status}: {what}")


async def matrix(ground: Ground, ours: Furnished, theirs: Furnished, routes: Iterable[Route] = GUARDED) -> Found:
    """All cells of our people and keys; only what is ours may be different afterwards."""
    found = Found()
    before = await _rows(ground, theirs)
    await _Side(ground, ours, theirs, found).walk(tuple(routes))
    after = await _rows(ground, theirs)
    found.wrong += [
        f"{theirs.canary}'s {table} changed while only {ours.canary} knocked"
        for table in before
        if before[table] != after[table]
    ]
    return found


async def _rows(ground: Ground, made: Furnished) -> dict[str, str]:
    async with transaction(ground.admin) as connection:
        return await digest(connection, made.id)


class _Side:
    """One dealer's callers, before the doors of both."""

    def __init__(self, ground: Ground, ours: Furnished, theirs: Furnished, found: Found) -> None:
        self._ground, self._ours, self._theirs, self._found = ground, ours, theirs, found
        mixed = replace(
            theirs, canary=ours.canary, dealer=ours.dealer, owner_phone=ours.owner_phone
        )  # their rows, in our words
        nobodys = replace(
            ours,
            rows=dict.fromkeys([*theirs.rows, *ours.rows], NOBODYS),
            people={name: one.model_copy(update={"id": NOBODYS}) for name, one in ours.people.items()},
        )
        self._own, self._foreign, self._none = (
            Requests(one, ground.now, ground.windows[ours.id], seed)
            for seed, one in enumerate((ours, mixed, nobodys), 11)
        )
        self._everybody: list[Standing] = []
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def walk(self, routes: tuple[Route, ...]) -> None:
        """First whoever may not, then foreign things, then one's own: only that changes anything."""
        self._everybody = await self._callers()
        self._found.callers |= {one.caller.name for one in self._everybody}
        await self._all(self._refused(route, one) for route in routes for one in self._everybody if not one.may(route))
        await self._all(self._stranger_s(route, one) for route in routes for one in self._everybody if one.may(route))
        for route in sorted(routes, key=lambda route: bool(_ENDS.search(route.path)) + (route.permission is LEAVE)):
            for one in self._everybody:
                if one.may(route):
                    await self._their_own(route, one)

    async def _all(self, work: Iterable[Awaitable[None]]) -> None:
        async def one(doing: Awaitable[None]) -> None:
            async with self._room:
                await doing

        await asyncio.gather(*map(one, work))

    async def _callers(self) -> list[Standing]:
        people = [Standing(self._ground.people[self._ours.id, role]) for role in ROLES]
        made: dict[str, str] = {}
        async with self._ground.house.at(self._ours.id) as connection:
            for scopes in ((), *((scope,) for scope in SCOPES), SCOPES):
                name = scopes[0] if len(scopes) == 1 else "every scope" if scopes else "no scope"
                made[name] = await secrets.make(
                    connection, self._ours.id, "api_key", now=self._ground.now, label=f"matrix {name}", scopes=scopes
                )
        keys = [
            Standing(
                Caller(f"key for {name}", "api", key=key),
                granted(SCOPES if name == "every scope" else () if name == "no scope" else (name,)),
            )
            for name, key in made.items()
        ]
        return [Standing(NOBODY), *people, *keys]

    async def _refused(self, route: Route, who: Standing) -> None:
        for target, asks in (("own", self._own), ("foreign", self._foreign)):
            answer = await self._ask(f"{target}, not let in", asks.knock(route), who)
            if who.caller is NOBODY:
                fine = answer.status == 401 or (
                    answer.status == 303 and answer.where == "/sign-in" and not route.is_api and route.method == "GET"
                )
            else:
                fine = answer.status == 403
            if not fine:
                self._found.say(asks.knock(route), who, answer, "the register lets them in nowhere here")

    async def _stranger_s(self, route: Route, who: Standing) -> None:
        """Another dealer's thing beside one that nobody has: in the address, in the body, in both."""
        foreign, none = self._foreign.knock(route), self._none.knock(route)
        pairs = [(foreign, none)] if "{id}" in route.path else []
        if names_rows(foreign):
            path = self._own.path(route)
            pairs.append((foreign.to(path), none.to(path)))
        if not pairs:
            return
        for theirs, nobodys in pairs:
            answer, other = (
                await self._ask("foreign, let in", theirs, who),
                await self._ask("nobody's, let in", nobodys, who),
            )
            if (answer.status, answer.where, _plain(route, answer)) != (
                other.status,
                other.where,
                _plain(route, other),
            ):
                self._found.say(theirs, who, answer, f"one that nobody has is answered {other.status}")
            elif answer.status < 300:
                self._found.say(theirs, who, answer, "it was taken")

    async def _their_own(self, route: Route, who: Standing) -> None:
        if route.permission is LEAVE:
            who = await self._once(who)
        ask = self._own.knock(route)
        answer = await self._ask("own, let in", ask, who)
        name = f"{route.method} {route.path}"
        if answer.status in (401, 403) or (
            answer.status == 303 and answer.where == "/sign-in" and route.permission is not LEAVE
        ):
            self._found.say(ask, who, answer, f"the register lets them in: {answer.body[:200]!r}")
        if answer.status == 404 and name not in NOTHING_THERE:
            self._found.say(ask, who, answer, "their own thing is not found")
        if answer.status < 400:
            self._found.done.add(name)

    async def _once(self, who: Standing) -> Standing:
        """The same person in a session that may end."""
        entered = await sign_in.enter(
            self._ground.house, self._ours.people[who.caller.role], Visitor("127.0.0.1"), "password"
        )
        return Standing(await person(self._ground.http, self._ground.url, who.caller.role, entered.session))

    async def _ask(self, cell: str, ask: Knock, who: Standing) -> Answer:
        answer = await self._ground.knock(who.caller, ask)
        self._found.cells[cell] += 1
        if answer.status >= 500:
            self._found.server_errors += 1
            self._found.say(ask, who, answer, "our bug")
        if answer.tells(self._theirs.canary):
            self._found.foreign_reads += 1
            self._found.say(ask, who, answer, f"{self._theirs.canary} is in the answer")
        return answer


def names_rows(ask: Knock) -> bool:
    """Whether its body or form names rows by number."""
    fields: Any = dict(ask.form) if ask.form is not None else ask.json if isinstance(ask.json, dict) else {}
    return bool(IDS & set(fields))


def _plain(route: Route, answer: Answer) -> bytes:
    return answer.body if route.is_api else re.sub(rb"\d+", b"0", answer.body)
