"""Calendar feeds: made, shown once, taken back; and the calendar that a link opens."""

from __future__ import annotations

from collections.abc import Awaitable

from aiohttp import web

from actions import calendars as acts
from dealer_api.app_keys import call, house
from dealer_api.desk.administration import settings_with
from dealer_api.desk.page import form, go
from dealer_api.desk.security import security_page, who
from schemas.errors import NotFound


async def own(request: web.Request) -> web.Response:
    """One's own: a new link ends the one before."""
    caller, fields = call(request), await form(request)
    if fields.get("act") == "revoke":
        return await _revoked(acts.revoke_own(caller, who(caller).id), "/security")
    token = await acts.make_own(caller, who(caller).id)
    return await security_page(request, calendar=caller.house.link("calendar", token))


async def of_house(request: web.Request) -> web.Response:
    """All visits and drives of the house."""
    caller, fields = call(request), await form(request)
    if fields.get("act") == "revoke":
        return await _revoked(acts.revoke_of_house(caller), "/settings")
    token = await acts.make_of_house(caller)
    return await settings_with(request, calendar=caller.house.link("calendar", token))


async def _revoked(done: Awaitable[None], to: str) -> web.Response:
    try:
        await done
    except NotFound:
        return go(to, "There is no link that opens anything.")
    return go(to, "The link opens nothing any more.")


async def show(request: web.Request) -> web.Response:
    """What a calendar program asks for, every so often. Looking changes nothing."""
    body = await acts.of_link(house(request), request.match_info["token"])
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
    return web.Response(body=body, content_type="text/calendar", charset="utf-8", headers=headers)
