"""The dealer's people as a manager keeps them: who they are, what they may do, what hangs on them, and what happened
with their access.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from actions import password, second_factor
from actions import people as acts
from actions.context import Acting
from dealer_api import reader
from dealer_api.app_keys import Call, call
from dealer_api.desk import formatting
from dealer_api.desk.page import form, go, id_of, page, problem_of, refused, row_of
from schemas.account import Role, Staff
from schemas.errors import BadInput, TelltaleError
from schemas.history import Change
from store import absences, accounts
from store.views import access, people

_NOBODY = {"role": "advisor"}
_SHOWN = 60  #: rows of what happened on one page


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of what happened: `who` did `what` to `whom`."""

    at: datetime
    whom: str
    what: str
    why: str
    who: str
    look: str


async def show_list(request: web.Request) -> web.Response:
    return await _list_page(request, _NOBODY)


async def invite(request: web.Request) -> web.Response:
    """The link is on the answer to this very form and nowhere else."""
    caller, fields = call(request), await form(request)
    try:
        if not fields.get("name"):
            raise BadInput("name", "write who it is")
        if "@" not in fields.get("email", ""):
            raise BadInput("e-mail", "is what they sign in with")
        person, link = await acts.invite(
            caller,
            name=fields["name"],
            email=fields["email"],
            role=_role(fields),
            phone=fields.get("phone") or None,
            language=reader.chosen(fields["language"]) if fields.get("language") else None,
        )
    except BadInput as error:
        return await _list_page(request, fields, problem=f"{error.field.capitalize()}: {error.reason}.", status=422)
    return await _list_page(request, _NOBODY, link=link, invited=person.name)


async def show(request: web.Request) -> web.Response:
    return await _person_page(request)


async def change_role(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    try:
        person = await acts.change_role(caller, id_of(request), _role(fields))
    except BadInput as error:
        return await _person_page(request, problem=problem_of(error), status=422)
    return go(_here(request), f"{person.name} is {formatting.ROLES[person.role].lower()} from now on.")


async def describe(request: web.Request) -> web.Response:
    """Their name, and the number on which notices reach them."""
    caller, fields = call(request), await form(request)
    try:
        person = await acts.describe(caller, id_of(request), name=fields.get("name", ""), phone=fields.get("phone", ""))
    except BadInput as error:
        return await _person_page(request, problem=problem_of(error), status=422)
    return go(_here(request), f"Saved: {person.name}.")


async def disable(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    try:
        to = row_of(fields["to"], "colleague", "choose one of the list") if fields.get("to") else None
        person = await acts.disable(caller, id_of(request), to=to)
    except BadInput as error:
        return await _person_page(request, problem=problem_of(error), status=422)
    return go(_here(request), f"{person.name} has no access any more, and is signed out everywhere.")


async def enable(request: web.Request) -> web.Response:
    caller = call(request)
    person = await acts.enable(caller, id_of(request))
    return go(_here(request), f"{person.name} works here again.")


async def invite_again(request: web.Request) -> web.Response:
    return await _link_shown(request, acts.invite_again, "invitation")


async def reset_link(request: web.Request) -> web.Response:
    return await _link_shown(request, password.reset_link, "reset")


async def _link_shown(
    request: web.Request, make: Callable[[Acting, int], Awaitable[tuple[Staff, str]]], what: str
) -> web.Response:
    """The link is on the answer to this very form and nowhere else."""
    try:
        _, link = await make(call(request), id_of(request))
    except BadInput as error:
        return await _person_page(request, problem=problem_of(error), status=422)
    return await _person_page(request, link=link, what=what)


async def forget_second_factor(request: web.Request) -> web.Response:
    """They lost what they had."""
    caller = call(request)
    try:
        person = await second_factor.forget(caller, id_of(request))
    except TelltaleError as error:
        return refused(error, _here(request))
    return go(_here(request), f"{person.name} signs in by password, and is signed out everywhere now.")


async def show_access(request: web.Request) -> web.Response:
    """Sign-ins, refusals, roles, keys: everybody's, the newest first."""
    caller = call(request)
    before = (
        row_of(request.query["before"], "before", "is the number of a row") if request.query.get("before") else None
    )
    async with caller.house.at(caller.dealer_id) as connection:
        rows = await access.log(connection, caller.dealer_id, before=before, limit=_SHOWN + 1)
        names = await access.names(connection, caller.dealer_id)
    return await page(
        request,
        "access.html",
        happened=[_happened(caller, change, names) for _, change in rows[:_SHOWN]],
        older=rows[_SHOWN - 1][0] if len(rows) > _SHOWN else None,
        here="/staff/access",
    )


def _happened(caller: Call, change: Change, names: Mapping[int, str]) -> Happened:
    whom = {"staff": names.get(change.subject_id, "somebody"), "key": "API key", "dealer": caller.dealer.name}[
        change.noun
    ]
    who = formatting.actor(change.actor, dict(names))
    look = (
        "bad"
        if change.new in ("refused", "no way to reach them")
        else "warn"
        if change.new in formatting.WATCHED
        else "calm"
    )
    return Happened(
        change.at,
        whom,
        what=formatting.plain(change.new)
        if change.old is None
        else f"{formatting.plain(change.old)} → {formatting.plain(change.new)}",
        why=change.reason,
        who=who,
        look=look,
    )


async def _list_page(
    request: web.Request,
    fields: Mapping[str, str],
    *,
    problem: str | None = None,
    link: str | None = None,
    invited: str = "",
    status: int = 200,
) -> web.Response:
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        found = await people.staff(connection, caller.dealer_id)
        secured = await access.secured(connection, caller.dealer_id)
    shown = {name: fields.get(name, "") for name in ("name", "email", "phone", "role", "language")}
    return await page(
        request,
        "staff.html",
        people=found,
        secured=secured,
        fields=shown,
        problem=problem,
        link=link,
        invited=invited,
        here="/staff",
        status=status,
    )


async def _person_page(
    request: web.Request, *, problem: str | None = None, link: str | None = None, what: str = "", status: int = 200
) -> web.Response:
    caller, staff_id = call(request), id_of(request)
    async with caller.house.at(caller.dealer_id) as connection:
        person = await accounts.staff(connection, caller.dealer_id, staff_id)
        hangs = await access.hanging(connection, caller.dealer_id, staff_id)
        secured = staff_id in await access.secured(connection, caller.dealer_id)
        rows = await access.log(connection, caller.dealer_id, subject=staff_id, limit=20)
        names = await access.names(connection, caller.dealer_id)
        skills = await accounts.skills_of(connection, caller.dealer_id, staff_id)
        heirs = await accounts.staff_of(connection, caller.dealer_id, Role.ADVISOR, Role.MANAGER)
        away = await absences.of_dealer(connection, caller.dealer_id, caller.house.now(), staff_id=staff_id)
    return await page(
        request,
        "person.html",
        away=away,
        skills=skills,
        heirs=[(one.id, one.name) for one in heirs if one.id != staff_id and one.joined_at is not None],
        person=person,
        hangs=hangs,
        secured=secured,
        happened=[_happened(caller, change, names) for _, change in rows],
        problem=problem,
        link=link,
        what=what,
        mine=caller.staff is not None and caller.staff.id == staff_id,
        here=_here(request),
        status=status,
    )


def _role(fields: Mapping[str, str]) -> Role:
    if fields.get("role") not in formatting.ROLES:
        raise BadInput("role", "choose what they do")
    return Role(fields["role"])


def _here(request: web.Request) -> str:
    return f"/staff/{id_of(request)}"
