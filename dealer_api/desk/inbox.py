"""The house's inbox: one conversation with each owner, across cars and visits, and what colleagues keep beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from actions import inbox as acts
from actions import messages
from dealer_api.app_keys import Call, call
from dealer_api.bodies import row_number
from dealer_api.desk import saved_views, texts
from dealer_api.desk.page import form, go, id_of, page, refused
from rules.service import quick_replies
from schemas.errors import BadInput, TelltaleError
from schemas.moment import from_local, local
from store import accounts, consents, fleet, inbox, owners, threads, wrong_numbers
from store.pool import Connection
from store.views import casefile, people
from store.views import inbox as rows

SHOWN = 40
TITLES = {
    "unread": "Unread",
    "mine": "Mine",
    "waiting": "Waiting for us",
    "snoozed": "Snoozed",
    "all": "All",
}
REST = {"hour": "for an hour", "tomorrow": "until tomorrow morning", "week": "for a week"}


async def show_list(request: web.Request) -> web.Response:
    caller = call(request)
    show = request.query.get("show", "waiting")
    show = show if show in TITLES else "waiting"
    after = _cursor(request.query.get("after"))
    me, now = _me(caller), caller.house.now()
    async with caller.house.at(caller.dealer_id) as connection:
        found = await rows.rows(connection, caller.dealer_id, show, staff_id=me, now=now, after=after, limit=SHOWN + 1)
        tallies = await rows.counts(connection, caller.dealer_id, me, now)
        views = await saved_views.of(request, connection, "inbox")
        strangers = [] if after else await threads.strangers(connection, caller.dealer_id)
    last = found[SHOWN - 1] if len(found) > SHOWN else None
    more = urlencode({"show": show, "after": f"{last.at.isoformat()}~{last.owner_id}"}) if last and last.at else None
    return await page(
        request,
        "inbox.html",
        rows=found[:SHOWN],
        more=more,
        tallies=tallies,
        titles=TITLES,
        show=show,
        strangers=strangers,
        late=timedelta(minutes=caller.dealer.waiting_word_minutes),
        here=request.path_qs,
        **views,
    )


async def show(request: web.Request) -> web.Response:
    """One conversation. Looking at it changes nothing: that it was read is said with a button."""
    caller, owner_id, me = call(request), id_of(request), _me(call(request))
    async with caller.house.at(caller.dealer_id) as connection:
        owner = await owners.get(connection, caller.dealer_id, owner_id)
        beside = await rows.beside(connection, caller.dealer_id, owner_id, staff_id=me, machine=caller.house.machine())
        talk = await casefile.talk(connection, caller.dealer_id, owner_id)
        noted = await rows.notes(connection, caller.dealer_id, owner_id)
        staff = [one for one in await accounts.staff_of(connection, caller.dealer_id) if one.disabled_at is None]
        quick = await inbox.quick_replies(connection, caller.dealer_id)
        known = await _known(caller, connection, owner_id, owner.name)
        facts: dict[str, Any] = {
            "consents": await consents.of_owner(connection, caller.dealer_id, owner_id),
            "cars": await people.cars(connection, caller.dealer_id, owner_id),
            "cases": await people.cases(connection, caller.dealer_id, owner_id),
            "wrong_since": await wrong_numbers.since(connection, caller.dealer_id, owner_id),
        }
    ready = [one for one in quick if one.language == owner.language] or quick
    chosen = next((one for one in ready if str(one.id) == request.query.get("quick")), None)
    body = quick_replies.filled(chosen.body, known) if chosen else (beside.draft if beside else None) or ""
    lines = sorted(
        [("talk", line.at, line) for line in talk] + [("note", line.at, line) for line in noted],
        key=lambda one: one[1],
    )
    return await page(
        request,
        "inbox_thread.html",
        owner=owner,
        beside=beside,
        lines=lines,
        people=[one for one in staff if one.role in acts.ANSWERS],
        names=["@" + "".join(one.name.split()) for one in staff if one.id != me],
        quick=ready,
        body=body,
        left_open=quick_replies.left_open(body),
        rest=REST,
        my_id=me,
        here=request.path_qs,
        **facts,
    )


async def answer(request: web.Request) -> web.Response:
    """Sent, or kept as a draft where that button was pressed (a browser without script)."""
    caller, owner_id, fields = call(request), id_of(request), await form(request)
    to = f"/inbox/{owner_id}"
    try:
        await messages.send_free(caller, fields.get("body", ""), owner_id=owner_id)
    except TelltaleError as error:
        if isinstance(error, BadInput):
            await messages.unsent(caller, owner_id, fields.get("body", ""))  # nothing written is lost
        return refused(error, to)
    return go(f"{to}#answer", "The text is on its way.")


async def draft(request: web.Request) -> web.Response:
    """Kept while it is being written; the answer says what it would cost as SMS."""
    caller, fields = call(request), await form(request)
    try:
        await acts.draft(caller, id_of(request), _me(caller), fields.get("body", ""))
    except TelltaleError as error:
        return refused(error, "/inbox")
    if "HX-Request" in request.headers:
        return await texts.measure(request)
    return go(f"/inbox/{id_of(request)}#answer", "Your draft is kept. Nothing has been sent.")


async def mark_read(request: web.Request) -> web.Response:
    return await _done(
        request, "Nothing waits here any more.", lambda fields: messages.mark_read(call(request), id_of(request))
    )


async def assign(request: web.Request) -> web.Response:
    def act(fields: Mapping[str, str]) -> Any:
        chosen = fields.get("staff", "")
        to = _me(call(request)) if chosen == "me" else row_number(chosen)
        if to is None and chosen not in ("", "nobody"):
            raise BadInput("staff", "choose a colleague")
        return acts.assign(call(request), id_of(request), to)

    return await _done(request, "Handed over.", act)


async def snooze(request: web.Request) -> web.Response:
    def act(fields: Mapping[str, str]) -> Any:
        return acts.snooze(call(request), id_of(request), rest_until(call(request), fields.get("until", "")))

    return await _done(request, "It rests; a new word of theirs wakes it.", act)


async def note(request: web.Request) -> web.Response:
    def act(fields: Mapping[str, str]) -> Any:
        return acts.note(call(request), id_of(request), _me(call(request)), fields.get("note", ""))

    return await _done(request, "Noted. The owner does not see it.", act)


async def show_quick(request: web.Request) -> web.Response:
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        found = await inbox.quick_replies(connection, caller.dealer_id)
    return await page(
        request,
        "quick_replies.html",
        quick=found,
        fields=quick_replies.FIELDS,
        languages=caller.house.wording.languages,
        here=request.path,
    )


async def add_quick(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    try:
        await acts.add_quick_reply(
            caller, fields.get("title", ""), fields.get("language", caller.dealer.language), fields.get("body", "")
        )
    except TelltaleError as error:
        return refused(error, "/quick-replies")
    return go("/quick-replies", "Saved.")


async def drop_quick(request: web.Request) -> web.Response:
    try:
        await acts.drop_quick_reply(call(request), id_of(request))
    except TelltaleError as error:
        return refused(error, "/quick-replies")
    return go("/quick-replies", "Taken out.")


async def _done(request: web.Request, note_: str, act: Any) -> web.Response:
    to = f"/inbox/{id_of(request)}"
    fields = await form(request)
    try:
        await act(fields)
    except TelltaleError as error:
        return refused(error, to)
    return go(to, note_)


async def _known(caller: Call, connection: Connection, owner_id: int, name: str) -> dict[str, str]:
    """What stands for the fields of a quick reply: of several cars the one with open work."""
    cars = await fleet.listed(connection, caller.dealer_id, owner_id=owner_id)
    busy = {
        one["vehicle"] for one in await people.cases(connection, caller.dealer_id, owner_id) if one["state"] != "done"
    }
    meant = [car for car in cars if car.title in busy] or cars
    car = meant[0] if len(meant) == 1 else None
    return {
        "owner": name,
        "vehicle": car.title if car else "",
        "plate": (car.plate or "") if car else "",
        "dealer": caller.dealer.name,
        "phone": caller.dealer.phone,
        "me": caller.staff.name if caller.staff else "",
    }


def rest_until(caller: Call, chosen: str) -> datetime | None:
    """A named rest, or a day and hour on the dealer's clock; nothing wakes it."""
    now, zone = caller.house.now(), caller.dealer.zone
    if chosen in ("", "now"):
        return None
    if chosen == "hour":
        return now + timedelta(hours=1)
    if chosen in ("tomorrow", "week"):
        day = local(now, zone).date() + timedelta(days=1 if chosen == "tomorrow" else 7)
        return from_local(day, time(8), zone, fold=0)
    raise BadInput("until", f"is one of {', '.join(REST)}")


def _cursor(written: str | None) -> tuple[datetime, int] | None:
    """Where the page before ended; what is no cursor is BadInput."""
    if not written:
        return None
    at, _, number = written.rpartition("~")
    try:
        moment, owner_id = datetime.fromisoformat(at.replace(" ", "+")), row_number(number)
    except ValueError:
        moment, owner_id = None, None
    if moment is None or moment.tzinfo is None or owner_id is None:
        raise BadInput("after", "is no page of this list")
    return moment, owner_id


def _me(caller: Call) -> int:
    return caller.staff.id if caller.staff else 0
