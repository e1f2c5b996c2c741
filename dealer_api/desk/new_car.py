"""A car that is added by hand, one at a time."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from actions import vehicles as acts
from dealer_api.app_keys import call
from dealer_api.bodies import row_number
from dealer_api.desk import formatting
from dealer_api.desk.page import form, go, page
from schemas.errors import BadInput, NotFound
from schemas.vehicle import is_vin
from store import owners

_FIELDS = ("title", "plate", "vin", "profile", "owner")


async def show(request: web.Request) -> web.Response:
    return await _page(request, {"owner": request.query.get("owner", "")})


async def create(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    try:
        vin = "".join(fields.get("vin", "").split()).upper()
        if not is_vin(vin):
            raise BadInput("VIN", "is 17 letters and figures, without I, O and Q, as in the registration document")
        if not fields.get("title"):
            raise BadInput("car", "write what people call it")
        if fields.get("profile") not in caller.house.profiles:
            raise BadInput("model", "choose what it is most like")
        car = await acts.add(
            caller,
            vin=vin,
            profile=fields["profile"],
            title=fields["title"][:120],
            plate=fields.get("plate", "")[:20] or None,
            owner_id=row_number(fields.get("owner", "")),
        )
    except (BadInput, NotFound) as error:
        problem = (
            f"{formatting.sentence(formatting.plain(error.field))}: {error.reason}."
            if isinstance(error, BadInput)
            else "That owner is not there any more."
        )
        return await _page(request, fields, problem=problem, status=422)
    return go(f"/vehicles/{car.id}", "The car is there. Enrol it, and put its credentials into its unit.")


async def _page(
    request: web.Request, fields: Mapping[str, str], *, problem: str | None = None, status: int = 200
) -> web.Response:
    caller, owner = call(request), None
    number = row_number(fields.get("owner", ""))
    async with caller.house.at(caller.dealer_id) as connection:
        if number is not None:
            try:
                owner = await owners.get(connection, caller.dealer_id, number)
            except NotFound:
                owner = None
    profiles = sorted(((name, one.title) for name, one in caller.house.profiles.items()), key=lambda one: one[1])
    return await page(
        request,
        "new_car.html",
        fields={name: fields.get(name, "") for name in _FIELDS},
        owner=owner,
        profiles=profiles,
        problem=problem,
        status=status,
    )
