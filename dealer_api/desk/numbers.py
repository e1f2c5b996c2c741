"""The manager's numbers: from the car's first word to its own proof, each with its time and its loss, and each opens
the cases that it counts.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from aiohttp import web

from dealer_api import numbers, spreadsheet
from dealer_api.app_keys import Call, call
from dealer_api.desk import formatting
from dealer_api.desk.page import page
from dealer_api.desk.schedule import GROUPS
from rules.catalogue import BY_NAME
from rules.service.funnel import Number, Passage
from schemas.errors import BadInput
from schemas.moment import local
from store.views import numbers as rows

#: Which numbers stand together, and what over them.
_CARDS = (
    ("Repairs", ("first_time", "comebacks", "by_word")),
    ("Promises", ("kept", "moved", "broken", "silent")),
    ("Owners", ("never_asked", "never_reached", "no_answer", "long_silence")),
    ("Afterwards", ("scored", "low_score")),
)
_SPANS = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "A year"))
_FILE = ("number", "what", "count", "of", "percent", "median minutes")


async def show(request: web.Request) -> web.Response:
    """The page; a time that is none says so on it, and shows the usual one."""
    caller = call(request)
    asked, problem = {name: request.query.get(name, "") for name in ("since", "until")}, None
    try:
        when = numbers.period(caller, asked["since"], asked["until"])
    except BadInput as error:
        problem = f"{formatting.sentence(formatting.plain(error.field))}: {error.reason}."
        when = numbers.period(caller, "", "")
    found = await numbers.read(caller, when)
    known = {one.key: one for one in found.numbers}
    return await page(
        request,
        "numbers.html",
        found=found,
        cards=[(title, [known[key] for key in keys]) for title, keys in _CARDS],
        spans=[(_since(caller, days), title) for days, title in _SPANS],
        titles={name: rule.title for name, rule in BY_NAME.items()},
        groups={kind.value: title for kind, title in GROUPS.items()},
        asked={"since": asked["since"] or when.first.isoformat(), "until": asked["until"] or when.last.isoformat()},
        days=urlencode({"since": when.first, "until": when.last}),
        problem=problem,
        here=request.path_qs,
        status=422 if problem else 200,
    )


async def cases(request: web.Request) -> web.Response:
    """The cases behind one number; without a number all of them."""
    caller = call(request)
    when = numbers.period(caller, request.query.get("since", ""), request.query.get("until", ""))
    found = await numbers.read(caller, when)
    title, ids = found.cases_of(request.query.get("of", "reached-found"))
    async with caller.house.at(caller.dealer_id) as connection:
        behind = await rows.cases(connection, caller.dealer_id, ids)
    return await page(
        request,
        "numbers_cases.html",
        title=title,
        count=len(ids),
        rows=behind,
        period=when,
        days=urlencode({"since": when.first, "until": when.last}),
        here=request.path_qs,
    )


async def download(request: web.Request) -> web.Response:
    """The same for a spreadsheet."""
    caller = call(request)
    found = await numbers.read(
        caller, numbers.period(caller, request.query.get("since", ""), request.query.get("until", ""))
    )
    lines = [_FILE, *(_step(one) for one in found.funnel), *(_number(one) for one in found.numbers)]
    lines += [
        (f"rule {one.rule}", BY_NAME[one.rule].title if one.rule in BY_NAME else "", len(one.found), "", "", "")
        for one in found.rules
    ]
    lines.append(("opt_outs", "Owners who said STOP", len(found.stopped), "", "", ""))
    return web.Response(
        text="\ufeff" + spreadsheet.lines(lines),
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": 'attachment; filename="telltale-numbers.csv"'},
    )


def _step(one: Passage) -> tuple[object, ...]:
    took = "" if one.took is None else round(one.took.total_seconds() / 60, 1)
    whole = len(one.reached) + len(one.lost) + len(one.open)
    return (one.stop.step.value, one.stop.title, len(one.reached), whole, _percent(len(one.reached), whole), took)


def _number(one: Number) -> tuple[object, ...]:
    return (one.key, one.title, one.count, one.of, one.percent, "")


def _percent(count: int, of: int) -> object:
    return round(100 * count / of) if of else ""


def _since(caller: Call, days: int) -> str:
    today = local(caller.house.now(), caller.dealer.zone).date()
    return urlencode({"since": today - timedelta(days=days - 1), "until": today})
