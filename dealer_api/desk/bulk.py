"""Several cases of the queue at once: each is decided as it would be alone, and what was refused says why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from actions import cases as acts
from actions import resting
from dealer_api.app_keys import Call, call
from dealer_api.bodies import row_number
from dealer_api.desk import formatting
from dealer_api.desk.inbox import rest_until
from dealer_api.desk.page import back, form, go, page, refused, row_of, ticked
from schemas.errors import BadInput, IllegalMove, NotFound, Overtaken, TelltaleError

MOST = 100  #: twice a page


async def act(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    to = back(fields.get("back"), "/queue")
    try:
        chosen = [number for text in await ticked(request, "case") if (number := row_number(text)) is not None]
        if not chosen:
            raise BadInput("cases", "tick the ones that you mean")
        if len(chosen) > MOST:
            raise BadInput("cases", f"at most {MOST} at once")
        one = _deed(caller, fields)
    except BadInput as error:
        return refused(error, to)
    kept_back: list[tuple[int, str]] = []
    for case_id in dict.fromkeys(chosen):
        try:
            await one(case_id)
        except (BadInput, IllegalMove, NotFound, Overtaken) as error:
            kept_back.append((case_id, why(error)))
    done = len(set(chosen)) - len(kept_back)
    if not kept_back:
        return go(to, "Done for 1 case." if done == 1 else f"Done for {done} cases.")
    return await page(request, "bulk.html", done=done, kept_back=kept_back, to=to)


def why(error: TelltaleError) -> str:
    """Why one was left as it is."""
    match error:
        case BadInput():
            return error.reason
        case IllegalMove():
            return f"it is {formatting.plain(error.state)} now"
        case NotFound():
            return "it is not there"
        case Overtaken():
            return error.reason or "somebody was quicker"
        case _:
            return str(error)


def _deed(caller: Call, fields: Mapping[str, str]) -> Callable[[int], Awaitable[Any]]:
    """What is done to each; BadInput when a field that it needs is empty."""
    match fields.get("act"):
        case "assign":
            person = row_of(fields.get("to"), "colleague", "choose who takes them")
            return lambda case_id: acts.assign(caller, case_id, person)
        case "rest":
            until = rest_until(caller, fields.get("until", ""))
            return lambda case_id: resting.rest(caller, case_id, until)
        case "close":
            reason = fields.get("reason", "")
            if not reason:
                raise BadInput("reason", "say why: whoever looks at these cars next will want to know")
            return lambda case_id: acts.dismiss(caller, case_id, reason)
        case _:
            raise BadInput("what to do", "is one of the three")
