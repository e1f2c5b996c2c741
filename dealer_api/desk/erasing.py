"""Erasing an owner, in two steps: what would go and stay, and the name typed."""

from __future__ import annotations

from aiohttp import web

from actions import erasing
from dealer_api.app_keys import call
from dealer_api.desk.page import form, go, id_of, page, problem_of
from rules.service.erasing import Refusal
from schemas.errors import BadInput, IllegalMove

WHY_NOT = {
    Refusal.ERASED: "They are erased already.",
    Refusal.CAR_IN_OUR_HANDS: "Their car is in our hands. Give it back first.",
    Refusal.DRIVER_UNDER_WAY: "A driver is on the way to them. Wait until the drive has ended, or cancel it.",
}


async def show(request: web.Request) -> web.Response:
    return await _page(request)


async def erase(request: web.Request) -> web.Response:
    caller, fields, owner_id = call(request), await form(request), id_of(request)
    try:
        done = await erasing.erase(caller, owner_id, fields.get("name", ""))
    except BadInput as error:
        return await _page(request, problem=f"The name {error.reason}." if error.field == "name" else problem_of(error))
    except IllegalMove:
        return await _page(request, status=409)
    return go(f"/owners/{owner_id}", f"Erased. {done.name} stands in their place.")


async def _page(request: web.Request, *, problem: str | None = None, status: int = 200) -> web.Response:
    caller = call(request)
    found = await erasing.outlook(caller.house, caller.dealer_id, id_of(request))
    refusal = WHY_NOT[found.refusal] if found.refusal is not None else None
    return await page(
        request,
        "erase.html",
        owner=found.owner,
        refusal=refusal,
        problem=problem,
        called_off=found.called_off,
        cars=found.cars,
        status=422 if problem else status,
    )
