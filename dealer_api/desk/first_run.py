"""The first days of a house: a list that says of each step truthfully how far it is, and leads to where it is done."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from actions import first_run as acts
from dealer_api.app_keys import call
from dealer_api.desk import steps
from dealer_api.desk.page import form, go, page, refused
from rules.service.first_run import left
from schemas.errors import TelltaleError
from schemas.step import How, Step

_PLACES = {
    Step.HOURS: "/settings",
    Step.PEOPLE: "/staff",
    Step.BAYS: "/settings#bays",
    Step.DRIVER: "/staff",
    Step.OWNERS: "/import",
    Step.CAR: "/vehicles",
}


_TO_DO = (How.NOT_YET, How.NO_CARS, How.NOT_ENROLLED, How.FAILED)


@dataclass(frozen=True, slots=True)
class Line:
    """One step as it is drawn."""

    step: Step
    how: How
    place: str | None  #: where it is done
    next: bool  #: the first that somebody can do now


async def show(request: web.Request) -> web.Response:
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        found = await steps.of(caller, connection)
    first = next((step for step, how in found.items() if how in _TO_DO), None)
    return await page(
        request,
        "first_run.html",
        lines=[Line(step, how, _place(step, how), next=step is first) for step, how in found.items()],
        left=left(found),
        done=sum(how is How.DONE for how in found.values()),
        here=request.path,
    )


async def put_aside(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    aside = fields.get("act") != "again"
    try:
        await acts.put_aside(caller, fields.get("step", ""), aside=aside)
    except TelltaleError as error:
        return refused(error, "/first-run")
    return go("/first-run", "Put aside. You can take it up again here." if aside else "It is a step again.")


async def test_text(request: web.Request) -> web.Response:
    caller = call(request)
    try:
        address = await acts.test_text(caller, caller.staff.id if caller.staff else 0)
    except TelltaleError as error:
        return refused(error, "/first-run")
    return go("/first-run", f"A test is on its way to {address}.")


def _place(step: Step, how: How) -> str | None:
    return "/vehicles/new" if step is Step.OWNERS and how is How.NO_CARS else _PLACES.get(step)
