"""Owners: who they are, how they are reached, what they agreed to with its proof, and the conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any

from aiohttp import web

from actions import owner_fields
from actions import owners as acts
from dealer_api.app_keys import call
from dealer_api.bodies import wall_time
from dealer_api.desk import formatting, saved_views
from dealer_api.desk.page import form, go, id_of, page, refused
from dealer_api.desk.paging import SHOWN, after_name, onward
from dealer_api.finding import ids_of
from schemas.consent import Consent, Owner
from schemas.errors import BadInput, TelltaleError
from schemas.message import Purpose
from store import consents, owners, threads, wrong_numbers
from store.views import casefile, people
from store.views.casefile import TalkLine

_FIELDS = (
    "name",
    "phone",
    "email",
    "language",
    "channel",
    "zone",
    "quiet_from",
    "quiet_to",
    "address",
    "place",
    "access_notes",
    "contact",
)


@dataclass(frozen=True, slots=True)
class OwnerFile:
    """What the conversation's template needs; a case's file has the same and more."""

    owner: Owner | None
    consents: Mapping[Purpose, Consent]
    talk: list[TalkLine]
    case: None = None


async def show_list(request: web.Request) -> web.Response:
    caller = call(request)
    search, which = request.query.get("search", "").strip()[:100], request.query.get("show", "all")
    which = which if which in ("all", "unread") else "all"
    after = after_name(request)
    async with caller.house.at(caller.dealer_id) as connection:
        ids = await ids_of(caller, connection, search, "owner")
        found = await people.owners(connection, caller.dealer_id, ids=ids, which=which, after=after, limit=SHOWN + 1)
        whole = await people.count(connection, caller.dealer_id, ids=ids, which=which)
        strangers = await threads.strangers(connection, caller.dealer_id)
        views = await saved_views.of(request, connection, "owners")
    unheard = await acts.unheard(caller.house, caller.dealer_id)
    last = found[SHOWN - 1] if len(found) > SHOWN else None
    return await page(
        request,
        "owners.html",
        owners=found[:SHOWN],
        whole=whole,
        more=onward("/owners", (last.name, last.id), show=which, search=search) if last else None,
        onward=after is not None,
        strangers=strangers,
        search=search,
        show=which,
        unheard=unheard,
        here=request.path_qs,
        **views,
    )


async def reach(request: web.Request) -> web.Response:
    """Those who were added before a provider was set up."""
    caller = call(request)
    try:
        moved = await acts.reach(caller)
    except BadInput as error:
        return refused(error, "/owners")
    return go(
        "/owners",
        f"{moved} {'owner is' if moved == 1 else 'owners are'} reached by "
        f"{formatting.CHANNELS[caller.house.usual_channel]} from now on.",
    )


async def read_stranger(request: web.Request) -> web.Response:
    """A text from a number nobody knows has been read."""
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        await threads.mark_stranger_read(
            connection,
            caller.dealer_id,
            reply_id=id_of(request),
            staff_id=caller.staff.id if caller.staff else 0,
            now=caller.house.now(),
        )
    return go("/owners", "Marked as read.")


async def show(request: web.Request) -> web.Response:
    return await _page(request, id_of(request))


async def show_new(request: web.Request) -> web.Response:
    return await _page(request, None)


async def create(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    try:
        owner = await acts.create(caller, _values(fields))
    except TelltaleError as error:
        return await _page(request, None, fields=fields, problem=_problem(error))
    return go(f"/owners/{owner.id}", "Added. Record what they agreed to, or no text may go.")


async def update(request: web.Request) -> web.Response:
    caller, fields, owner_id = call(request), await form(request), id_of(request)
    try:
        await acts.update(caller, owner_id, _values(fields))
    except TelltaleError as error:
        return await _page(request, owner_id, fields=fields, problem=_problem(error))
    return go(f"/owners/{owner_id}", "Saved.")


async def consent(request: web.Request) -> web.Response:
    caller, fields, owner_id = call(request), await form(request), id_of(request)
    try:
        if fields.get("purpose") not in formatting.PURPOSES:
            raise BadInput("purpose", "choose what it is about")
        if not fields.get("wording"):
            raise BadInput("wording", "say how you know: it is the proof")
        given = {Purpose(fields["purpose"]): fields.get("given") == "yes"}
        await acts.consent(caller, owner_id, given, source="desk", wording=fields["wording"])
    except TelltaleError as error:
        return refused(error, f"/owners/{owner_id}")
    return go(f"/owners/{owner_id}", "Recorded.")


async def _page(
    request: web.Request, owner_id: int | None, fields: Mapping[str, str] | None = None, problem: str | None = None
) -> web.Response:
    caller = call(request)
    file = OwnerFile(None, {}, [])
    facts: dict[str, Any] = {"cars": [], "cases": [], "all_consents": [], "wrong_since": None}
    async with caller.house.at(caller.dealer_id) as connection:
        if owner_id is not None:
            owner = await owners.get(connection, caller.dealer_id, owner_id)
            file = OwnerFile(
                owner,
                await consents.of_owner(connection, caller.dealer_id, owner_id),
                await casefile.talk(connection, caller.dealer_id, owner_id),
            )
            facts = {
                "cars": await people.cars(connection, caller.dealer_id, owner_id),
                "cases": await people.cases(connection, caller.dealer_id, owner_id),
                "all_consents": await consents.trail(connection, caller.dealer_id, owner_id),
                "wrong_since": await wrong_numbers.since(connection, caller.dealer_id, owner_id),
            }
    start = {
        "language": caller.dealer.language,
        "zone": caller.dealer.zone,
        "channel": caller.house.usual_channel,
        "quiet_from": "20:00",
        "quiet_to": "08:00",
    }
    shown = {
        name: (fields.get(name, "") if fields is not None else _as_text(file.owner, name, start)) for name in _FIELDS
    }
    return await page(
        request,
        "owner.html",
        **facts,
        file=file,
        fields=shown,
        problem=problem,
        here=request.path,
        unread=any(line.unread for line in file.talk),
        languages=owner_fields.languages(caller.house),
        channels=[(name, formatting.CHANNELS.get(name, name)) for name in owner_fields.CHANNELS],
        status=422 if problem else 200,
    )


def _as_text(owner: Owner | None, name: str, otherwise: Mapping[str, str]) -> str:
    if owner is None:
        return otherwise.get(name, "")
    value = getattr(owner, name)
    return f"{value:%H:%M}" if isinstance(value, time) else "" if value is None else str(value)


def _values(fields: Mapping[str, str]) -> dict[str, Any]:
    """The form's fields; an empty one is no value."""
    values: dict[str, Any] = {name: fields.get(name) or None for name in _FIELDS if name in fields}
    if not values.get("name"):
        raise BadInput("name", "write how the owner is called")
    for name in ("quiet_from", "quiet_to"):
        if values.get(name):
            values[name] = wall_time(values[name], name)
        else:
            values.pop(name, None)
    for name in ("language", "channel", "zone"):
        if not values.get(name):
            values.pop(name, None)
    return values


def _problem(error: TelltaleError) -> str:
    if isinstance(error, BadInput):
        return f"{formatting.plain(error.field).capitalize()}: {error.reason}."
    raise error
