"""What happened, as a manager looks it up: filters stand in the address, so that a view can be handed on, and what is
found goes out as CSV.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from aiohttp import web

from dealer_api import spreadsheet
from dealer_api.app_keys import Call, call
from dealer_api.desk import formatting
from dealer_api.desk.page import page, row_of
from schemas.errors import BadInput
from schemas.moment import from_local, local
from store.views import access, audit
from store.views.audit import Row, Sought

SHOWN = 50
_IN_A_FILE = 1_000  #: rows read at once
NOUNS = {
    "case": "Case",
    "offer": "Offer",
    "booking": "Booking",
    "leg": "Drive",
    "estimate": "Extra work",
    "message": "Text",
    "owner": "Owner",
    "vehicle": "Vehicle",
    "quarantine": "Refused message",
    "staff": "Staff",
    "key": "API key",
    "dealer": "Settings",
    "resource": "Bay or loaner",
}
_PAGES = {"case": "/cases/{}", "owner": "/owners/{}", "vehicle": "/vehicles/{}", "staff": "/staff/{}"}
WHO = {
    "people": "People and programs",
    "": "Everybody and cars",
    "programs": "Programs (API keys)",
    "owner": "Owners",
    "command": "Commands on the server",
}
HEADER = ("row", "time", "who", "what", "number", "was", "became", "why", "sealed")


@dataclass(frozen=True, slots=True)
class Line:
    """One row as it is drawn."""

    row: Row
    what: str
    page: str | None
    move: str
    who: str
    look: str


async def show(request: web.Request) -> web.Response:
    caller = call(request)
    asked_for = {
        name: request.query.get(name, default)
        for name, default in (("who", "people"), ("what", ""), ("number", ""), ("since", ""), ("until", ""))
    }
    before = (
        row_of(request.query["before"], "before", "is the number of a row") if request.query.get("before") else None
    )
    problem, rows, names = None, list[Row](), dict[int, str]()
    async with caller.house.at(caller.dealer_id) as connection:
        names = await access.names(connection, caller.dealer_id)
        sealed = await audit.standing(connection, caller.dealer_id)
        try:
            rows = await audit.log(
                connection, caller.dealer_id, _sought(caller, asked_for), before=before, limit=SHOWN + 1
            )
        except BadInput as error:
            problem = f"{formatting.sentence(formatting.plain(error.field))}: {error.reason}."
    kept = {name: value for name, value in asked_for.items() if value or name == "who"}
    older = urlencode({**kept, "before": rows[SHOWN - 1].id}) if len(rows) > SHOWN else None
    return await page(
        request,
        "audit.html",
        lines=[_line(row, names) for row in rows[:SHOWN]],
        older=older,
        asked_for=asked_for,
        problem=problem,
        nouns=NOUNS,
        who=WHO,
        people=sorted(names.items(), key=lambda one: one[1].casefold()),
        sealed=sealed,
        machine=caller.house.machine(),
        file=f"/audit.csv?{urlencode(kept)}",
        here=request.path_qs,
        status=422 if problem else 200,
    )


async def download(request: web.Request) -> web.StreamResponse:
    """Everything that is found, however much, with its times in the dealer's zone."""
    caller = call(request)
    sought = _sought(
        caller, {name: request.query.get(name, "") for name in ("who", "what", "number", "since", "until")}
    )
    async with caller.house.at(caller.dealer_id) as connection:
        names = await access.names(connection, caller.dealer_id)
        rows = await audit.log(connection, caller.dealer_id, sought, limit=_IN_A_FILE)
    answer = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": 'attachment; filename="telltale-audit.csv"',
        }
    )
    await answer.prepare(request)
    await answer.write(("\ufeff" + spreadsheet.lines([HEADER])).encode())
    while rows:
        await answer.write(spreadsheet.lines([_cells(caller, row, names) for row in rows]).encode("utf-8", "replace"))
        if len(rows) < _IN_A_FILE:
            break
        async with caller.house.at(caller.dealer_id) as connection:
            rows = await audit.log(connection, caller.dealer_id, sought, before=rows[-1].id, limit=_IN_A_FILE)
    await answer.write_eof()
    return answer


def _sought(caller: Call, asked_for: Mapping[str, str]) -> Sought:
    who = asked_for["who"].strip()
    if who not in WHO and not who.startswith("staff:"):
        raise BadInput("who", "choose one of the list")
    if asked_for["what"] not in ("", *NOUNS):
        raise BadInput("what", "choose one of the list")
    if asked_for["number"] and not asked_for["what"]:
        raise BadInput("number", "say of what it is the number")
    number = row_of(asked_for["number"], "number", "is a whole number") if asked_for["number"] else None
    since, until = _day(caller, asked_for["since"], "from"), _day(caller, asked_for["until"], "to", days=1)
    return Sought(asked_for["what"] or None, number, who=who or None, since=since, until=until)


def _day(caller: Call, text: str, field: str, *, days: int = 0) -> datetime | None:
    """The beginning of that day where the dealer is, or of the day after."""
    if not text:
        return None
    try:
        return from_local(date.fromisoformat(text) + timedelta(days=days), time(0), caller.dealer.zone, fold=0)
    except (ValueError, OverflowError):
        raise BadInput(field, "is a date, as in 2026-11-23") from None


def _line(row: Row, names: dict[int, str]) -> Line:
    change = row.change
    whom = (
        names.get(change.subject_id, "somebody")
        if change.noun == "staff"
        else f"{NOUNS.get(change.noun, formatting.plain(change.noun))} {change.subject_id}"
    )
    if change.noun in ("dealer", "key"):  # their number is the dealer's own
        whom = NOUNS[change.noun]
    path = _PAGES[change.noun].format(change.subject_id) if change.noun in _PAGES else None
    move = (
        formatting.plain(change.new)
        if change.old in (None, change.new)
        else f"{formatting.plain(change.old or '')} → {formatting.plain(change.new)}"
    )
    look = "bad" if change.new == "refused" else "warn" if change.new in formatting.WATCHED else "calm"
    return Line(row, whom, page=path, move=move, who=formatting.actor(change.actor, names), look=look)


def _cells(caller: Call, row: Row, names: dict[int, str]) -> tuple[object, ...]:
    change = row.change
    at = local(change.at, caller.dealer.zone).isoformat(timespec="seconds")
    return (
        row.id,
        at,
        formatting.actor(change.actor, names),
        change.noun,
        change.subject_id,
        change.old,
        change.new,
        change.reason,
        "yes" if row.sealed else "not yet",
    )
