"""Views of lists: what somebody looks at again and again is an address with a name, one's own or the house's."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from actions import saved_views as acts
from dealer_api import permissions as may
from dealer_api.app_keys import Call, call
from dealer_api.desk.page import form, go, id_of, refused
from schemas.errors import TelltaleError
from schemas.view import LISTS, kept_of
from store import saved_views
from store.pool import Connection


async def of(request: web.Request, connection: Connection, which: str) -> dict[str, Any]:
    """What a list's page shows of it: the views that there are, and what a new one would keep."""
    caller = call(request)
    return {
        "views": await saved_views.of_list(connection, caller.dealer_id, _me(caller), which),
        "views_of": which,
        "view_query": kept_of(which, request.query_string),
        "manages_views": caller.may(may.WRITE_DEALER),
    }


async def keep(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    which = fields.get("list", "")
    to = f"/{which if which in LISTS else 'queue'}"
    try:
        query = kept_of(which, fields.get("query", ""))
        to = f"{to}?{query}" if query else to
        await acts.keep(
            caller,
            _me(caller),
            which=which,
            name=fields.get("name", ""),
            query=query,
            shared=fields.get("shared") == "yes",
        )
    except TelltaleError as error:
        return refused(error, to)
    return go(to, "Kept: it stands above the list.")


async def drop(request: web.Request) -> web.Response:
    caller = call(request)
    try:
        which = await acts.drop(caller, id_of(request), _me(caller), manages=caller.may(may.WRITE_DEALER))
    except TelltaleError as error:
        return refused(error, "/queue")
    return go(f"/{which}", "The view is gone; the list is as it was.")


def _me(caller: Call) -> int:
    return caller.staff.id if caller.staff else 0
