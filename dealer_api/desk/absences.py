"""A colleague is away, or is there after all: two forms on their page."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from actions import absences as acts
from dealer_api.app_keys import call
from dealer_api.desk.page import form, go, id_of, refused, row_of
from schemas.errors import BadInput, TelltaleError
from schemas.moment import from_local


async def add(request: web.Request) -> web.Response:
    caller, fields, staff_id = call(request), await form(request), id_of(request)
    zone = caller.dealer.zone
    try:
        await acts.add(
            caller,
            staff_id,
            starts_at=_wall(fields.get("from", ""), zone, "from"),
            ends_at=_wall(fields.get("until", ""), zone, "until"),
            reason=fields.get("reason", "")[:200],
        )
    except TelltaleError as error:
        return refused(error, f"/staff/{staff_id}")
    return go(
        f"/staff/{staff_id}", "Noted. Their drives in that time are somebody else's, or somebody is asked to ring."
    )


async def take_back(request: web.Request) -> web.Response:
    caller, fields, staff_id = call(request), await form(request), id_of(request)
    try:
        await acts.take_back(caller, row_of(fields.get("absence"), "absence", "is one of theirs"), staff_id)
    except TelltaleError as error:
        return refused(error, f"/staff/{staff_id}")
    return go(f"/staff/{staff_id}", "They are there: windows that need them are offered again.")


def _wall(text: str, zone: str, field: str) -> datetime:
    try:
        wall = datetime.strptime(text[:16], "%Y-%m-%dT%H:%M")  # noqa: DTZ007  # the dealer's wall clock
    except ValueError:
        raise BadInput(field, "is a day and a time such as 2026-11-27T08:00") from None
    return from_local(wall.date(), wall.time(), zone, fold=0)
