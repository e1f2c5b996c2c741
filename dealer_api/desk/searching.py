"""One search for everything of the house: cases, cars, owners, and where to go. It needs no script; with one it answers
while somebody types.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from dealer_api import permissions as may
from dealer_api.app_keys import Call, call
from dealer_api.desk.languages.spoken import sentence
from dealer_api.desk.page import page
from dealer_api.desk.vehicles import SILENT, freshness
from dealer_api.finding import nouns_of
from dealer_api.permissions import Permission
from rules.service.finding import Asked, asked
from store import finding
from store.pool import Connection
from store.views import people, vehicles_page

SHOWN = 8  #: of each kind; the lists have the rest
_CASE = re.compile(r"/cases/(\d{1,18})(?:/.*)?")


@dataclass(frozen=True, slots=True)
class Command:
    """Somewhere to go, or something to do: by a link, or by a form that posts. `words` beside its title find it."""

    title: str
    href: str
    needs: Permission
    words: str = ""
    post: bool = False


ROOMS = (
    Command("Queue", "/queue", may.READ_CASES, "cases open"),
    Command("Inbox", "/inbox", may.READ_INBOX, "texts conversations unread messages"),
    Command("Schedule", "/today", may.SEE_DAY, "today drives day week calendar"),
    Command("Workshop", "/workshop", may.READ_BOOKINGS, "bays technicians board"),
    Command("Waiting customers", "/waiting", may.READ_BOOKINGS, "lounge"),
    Command("Vehicles", "/vehicles", may.READ_VEHICLES, "cars"),
    Command("Owners", "/owners", may.READ_OWNERS, "customers people"),
    Command("Open a case", "/cases/new", may.WORK_CASES, "new call"),
    Command("Add an owner", "/owners/new", may.WRITE_OWNERS, "new customer"),
    Command("Import", "/import", may.WRITE_OWNERS, "csv list"),
    Command("Quick replies", "/quick-replies", may.READ_INBOX, "templates"),
    Command("Quarantine", "/quarantine", may.READ_REFUSED, "refused messages"),
    Command("Rules on trial", "/trials", may.READ_ALERTS, "shadow"),
    Command("Numbers", "/numbers", may.READ_NUMBERS, "funnel reports"),
    Command("Staff", "/staff", may.WRITE_STAFF, "people invite absences"),
    Command("Audit log", "/audit", may.READ_AUDIT, "history"),
    Command("Settings", "/settings", may.WRITE_DEALER, "hours limits parts keys"),
    Command("Your security", "/security", may.SECURITY, "password passkey second factor calendar"),
    Command("Keys", "/keys", may.SEE_SELF, "keyboard shortcuts help"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What fits, of each kind at most SHOWN; `more` names the kinds of which there are more."""

    cases: Sequence[dict[str, Any]] = ()
    cars: Sequence[vehicles_page.CarRow] = ()
    owners: Sequence[people.OwnerRow] = ()
    commands: Sequence[Command] = ()
    more: frozenset[str] = field(default_factory=frozenset)

    @property
    def count(self) -> int:
        return len(self.cases) + len(self.cars) + len(self.owners) + len(self.commands)

    @property
    def only(self) -> str | None:
        """Where whoever pressed Enter goes at once: nothing else fits."""
        hits = [
            *(f"/cases/{case['id']}" for case in self.cases),
            *(f"/vehicles/{car.id}" for car in self.cars),
            *(f"/owners/{owner.id}" for owner in self.owners),
            *(command.href for command in self.commands if not command.post),
        ]
        return hits[0] if len(hits) == self.count == 1 else None


async def show(request: web.Request) -> web.StreamResponse:
    caller, text = call(request), request.query.get("q", "").strip()[:100]
    question = asked(text, caller.dealer.country)
    found = Found(commands=_commands(caller, text, request.query.get("from", "")))
    if question is not None and caller.may(may.READ_VEHICLES):
        async with caller.house.at(caller.dealer_id) as connection:
            found = await _found(caller, connection, question, found.commands)
    if "go" in request.query and found.only is not None:
        raise web.HTTPSeeOther(found.only)
    now = caller.house.now()
    return await page(
        request,
        "search.html",
        text=text,
        found=found,
        freshness=lambda car: freshness(car.last_heard_at, car.enrolled_at, car.revoked_at, now),
    )


async def show_keys(request: web.Request) -> web.Response:
    return await page(request, "keys.html")


async def _found(caller: Call, connection: Connection, question: Asked, commands: Sequence[Command]) -> Found:
    dealer, nouns, now = caller.dealer_id, nouns_of(caller), caller.house.now()
    words = await finding.folded(connection, question.words, question.wholes)
    cars = await finding.vehicles(connection, dealer, words, nouns, limit=SHOWN + 1)
    reads = caller.may(may.READ_OWNERS)
    owners = await finding.owners(connection, dealer, words, nouns, limit=SHOWN + 1) if reads else []
    cases = await finding.cases(
        connection,
        dealer,
        case_id=question.case_id,
        code=question.code,
        vehicle_ids=cars[:SHOWN],
        limit=SHOWN + 1,
    )
    counted = {"cases": len(cases), "cars": len(cars), "owners": len(owners)}
    return Found(
        cases=cases[:SHOWN],
        cars=_in_order(cars, await vehicles_page.cars(connection, dealer, ids=cars[:SHOWN], silent_since=now - SILENT)),
        owners=_in_order(owners, await people.owners(connection, dealer, ids=owners[:SHOWN])) if owners else (),
        commands=commands,
        more=frozenset(kind for kind, count in counted.items() if count > SHOWN),
    )


def _in_order(ids: Sequence[int], rows: Sequence[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: ids.index(row.id))


def _called(one: Command) -> list[str]:
    """The words by which a command is found: English, and those of whoever looks for it."""
    return f"{one.title} {one.words} {sentence(one.title)} {sentence(one.words)}".casefold().replace("،", " ").split()


def _commands(caller: Call, text: str, path: str) -> list[Command]:
    """Those whose words begin with all that was typed; of the case that is open, what can be done with it."""
    typed = text.casefold().split()
    if not typed:
        return []
    here = _CASE.fullmatch(path)
    case = f"/cases/{here[1]}" if here else ""
    known = (
        (
            Command("Offer windows for this case", f"{case}/offer", may.MAKE_OFFERS, "appointment pickup"),
            Command("Assign this case to me", f"{case}/take", may.WORK_CASES, "take", post=True),
            *ROOMS,
        )
        if case
        else ROOMS
    )
    return [
        one
        for one in known
        if caller.may(one.needs) and all(any(word.startswith(part) for word in _called(one)) for part in typed)
    ][:SHOWN]
