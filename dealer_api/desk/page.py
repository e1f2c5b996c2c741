"""Drawing a page: the templates, what every page knows, and the note that an act leaves for the next page."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import quote

import jinja2
from aiohttp import web

from dealer_api import bodies, error_responses, reader
from dealer_api.app_keys import CALL, HOUSE, Call, call
from dealer_api.desk import drawing, formatting, steps
from dealer_api.desk.languages import headlines
from schemas.errors import BadInput, DeliveryFailed, IllegalMove, Overtaken, TelltaleError, Unavailable
from schemas.moment import from_local, local, zone
from store import clock as clock_rows
from store.pool import Clashed
from store.views import sidebar_counts

TEMPLATES: web.AppKey[jinja2.Environment] = web.AppKey("desk_templates", jinja2.Environment)
#: The same with each message marked, for every other language.
MARKED: web.AppKey[jinja2.Environment] = web.AppKey("desk_marked_templates", jinja2.Environment)
NOTE = "telltale_note"  #: a cookie that lives until the next page
_NOTE_S = 60
_A_YEAR_S = 365 * 24 * 3600


def set_up(app: web.Application) -> None:
    """Give the application our templates, and draw its faults with them."""
    headlines.known_by(app[HOUSE].wording)
    app[TEMPLATES], app[MARKED] = drawing.English(), drawing.Speaking()
    app[error_responses.PAGE] = _fault_page


async def page(request: web.Request, template: str, *, status: int = 200, **facts: Any) -> web.Response:
    """A page of somebody who is signed in."""
    caller = call(request)
    now = caller.house.now()
    async with caller.house.at(caller.dealer_id) as connection:
        lapse = await clock_rows.read(connection)
        counts = await sidebar_counts.counts(
            connection,
            caller.dealer_id,
            silent_since=now - timedelta(minutes=caller.dealer.waiting_word_minutes),
            now=now,
            day_to=day_span(caller, now)[1],
        )
        first = await steps.steps_left(caller, connection)
    known = {
        "me": caller,
        "dealer": caller.dealer,
        "now": now,
        "zone": caller.dealer.zone,
        "csrf": caller.csrf,
        "counts": counts,
        "first_steps": first,
        "lapse": lapse,
        "path": request.path,
        "note": _note(request),
        "beat_s": 10 if lapse else 60,
    }
    response = _draw(request, template, status, {**known, **facts})
    if NOTE in request.cookies:
        response.del_cookie(NOTE, path="/")
    return response


def outside(request: web.Request, template: str, *, status: int = 200, **facts: Any) -> web.Response:
    """A page of somebody whom we do not know yet."""
    onward = f"&next={quote(request.query['next'])}" if "next" in request.query else ""
    response = _draw(request, template, status, {"note": None, "onward": onward, **facts})
    if request.query.get("language") in reader.LANGUAGES:
        response.set_cookie(
            reader.COOKIE, request.query["language"], max_age=_A_YEAR_S, path="/", httponly=True, samesite="Lax"
        )
    return response


def fragment(request: web.Request, template: str, **facts: Any) -> web.Response:
    """A piece of a page, for a live update; or a page that stands alone, as a file."""
    caller = call(request)
    return _draw(
        request,
        template,
        200,
        {
            "me": caller,
            "dealer": caller.dealer,
            "now": caller.house.now(),
            "zone": caller.dealer.zone,
            "csrf": caller.csrf,
            **facts,
        },
    )


def day_span(caller: Call, moment: datetime, days: int = 0) -> tuple[datetime, datetime]:
    """The dealer's calendar day around `moment`, or `days` after it."""
    date = local(moment, caller.dealer.zone).date() + timedelta(days=days)
    return from_local(date, time(0), caller.dealer.zone, fold=0), from_local(
        date + timedelta(days=1), time(0), caller.dealer.zone, fold=0
    )


def go(path: str, note: str = "", look: str = "good") -> web.Response:
    """On to another page, with a word about what happened."""
    response = web.Response(status=303, headers={"Location": path})
    if note:
        value = urlsafe_b64encode(json.dumps([look, note]).encode()).decode()
        response.set_cookie(NOTE, value, max_age=_NOTE_S, path="/", httponly=True, samesite="Lax")
    return response


def refused(error: Exception, path: str, caller: Call | None = None) -> web.Response:
    """Back to where the form stood, saying why it did not work; what we cannot explain is raised again.

    With a `caller` a refused time names what is free instead, on the dealer's clock.
    """
    free = instead(error, caller)
    match error:
        case BadInput():
            return go(path, f"{formatting.plain(error.field).capitalize()}: {error.reason}{free}", "bad")
        case IllegalMove():
            return go(
                path, f"That is no longer possible: the {error.noun} is {formatting.plain(error.state)} now.", "bad"
            )
        case Overtaken():
            return go(path, f"{error}{free}", "bad")
        case DeliveryFailed():
            return go(path, f"Not sent: {error.reason}", "bad")
        case Clashed():
            raise error  # nothing of it was done: the door does it again
        case Unavailable():
            return go(
                path, "This takes longer than it should. Nothing was changed; please try again in a moment.", "bad"
            )
        case _:
            raise error


def instead(error: Exception, caller: Call | None) -> str:
    """' Free instead: today 14:00–15:00, …', or nothing."""
    if caller is None or not isinstance(error, BadInput | Overtaken) or not error.windows:
        return ""
    spans = [[datetime.fromisoformat(at) for at in window.split("/")] for window in error.windows]
    zone, now = caller.dealer.zone, caller.house.now()
    return f" Free instead: {', '.join(formatting.window(start, end, zone, now) for start, end in spans)}."


def problem_of(error: TelltaleError) -> str:
    """Why a form was not taken, as a sentence over it."""
    reason = error.reason if isinstance(error, BadInput) else str(error)
    return f"{reason[:1].upper()}{reason[1:].rstrip('.')}."


def typed_twice(fields: Mapping[str, str]) -> str:
    """A new password out of `password` and `again`, or BadInput."""
    if fields.get("password") != fields.get("again"):
        raise BadInput("password", "the two are not the same")
    return fields.get("password", "")


async def form(request: web.Request) -> dict[str, str]:
    """The text fields of a form, trimmed."""
    return await bodies.fields(request)


async def ticked(request: web.Request, name: str) -> list[str]:
    """Every value that was ticked under this name."""
    return [value for value in (await bodies.posted(request)).getall(name, []) if isinstance(value, str)]


def id_of(request: web.Request, name: str = "id") -> int:
    """The number in the address; anything else names nothing."""
    return bodies.number(request, name)


def row_of(text: str | None, field: str, what: str) -> int:
    """The row that was chosen in a form; nothing chosen, or nonsense, is BadInput with `what` to do."""
    found = bodies.row_number(text or "")
    if found is None:
        raise BadInput(field, what)
    return found


def wall_clock(text: str, field: str, zone_name: str) -> datetime:
    """What a field for day and time holds, on the dealer's wall clock; BadInput names the field."""
    try:
        wall = datetime.strptime(text[:16], "%Y-%m-%dT%H:%M")  # noqa: DTZ007  # the dealer's wall clock
    except ValueError:
        raise BadInput(field, "is a day and a time such as 2026-11-27T14:30") from None
    return from_local(wall.date(), wall.time(), zone_name, fold=0)


def back(asked: str | None, otherwise: str) -> str:
    """A path on this desk to go back to, never another site."""
    return (
        asked
        if asked and asked.startswith("/") and not asked.startswith(("//", "/\\")) and asked.isprintable()
        else otherwise
    )


def _draw(request: web.Request, template: str, status: int, facts: dict[str, Any]) -> web.Response:
    with reader.reading(reader.of(request)) as language:
        templates = request.app[TEMPLATES if language == reader.ENGLISH else MARKED]
        text = templates.get_template(template).render(facts)
    return web.Response(text=text, status=status, content_type="text/html")


def _note(request: web.Request) -> tuple[str, str] | None:
    try:
        look, note = json.loads(urlsafe_b64decode(request.cookies.get(NOTE, "")))
        return (look, note) if look in ("good", "bad", "warn") and isinstance(note, str) else None
    except (ValueError, TypeError):
        return None


def _fault_page(request: web.Request, problem: dict[str, Any]) -> web.Response:
    """A problem that reached the door, for a person; it asks the database for nothing."""
    return outside(
        request,
        "problem.html",
        status=int(problem["status"]),
        problem=problem,
        signed_in=CALL in request,
        demo=request.app[HOUSE].demo,
    )


def zone_title(name: str) -> str:
    """'Hamburg time' is for people; the IANA name's last part is near enough."""
    return zone(name).key.rpartition("/")[2].replace("_", " ")
