"""What the cars say, over the API: alerts, each with its evidence and how it came about."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from dealer_api.app_keys import call
from dealer_api.bodies import Id, Paged, asked, number, page, reply
from schemas.alert import Alert, AlertState, AlertStep
from schemas.errors import BadInput
from store import alerts, fleet


class AlertQuery(Paged[tuple[Id]]):
    """By car, by state (commas between)."""

    vehicle: Id | None = None
    state: Annotated[str | None, Field(max_length=200)] = None


class AlertWhole(Alert):
    """An alert with each of its moves."""

    steps: list[AlertStep]
    vehicle: str


async def listed(request: web.Request) -> web.Response:
    caller, query = call(request), asked(request, AlertQuery)
    async with caller.house.at(caller.dealer_id) as connection:
        found = await alerts.page(
            connection,
            caller.dealer_id,
            before=query.cursor[0] if query.cursor else None,
            vehicle_id=query.vehicle,
            states=_states(query.state),
            limit=query.limit + 1,
        )
    return reply(page(found, query.limit, lambda alert: [alert.id]))


async def one(request: web.Request) -> web.Response:
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        alert = await alerts.one(connection, caller.dealer_id, number(request))
        car = await fleet.get(connection, caller.dealer_id, alert.vehicle_id)
        return reply(
            AlertWhole(**alert.model_dump(), steps=await alerts.steps_of(connection, alert), vehicle=car.title)
        )


def _states(text: str | None) -> list[str] | None:
    try:
        return None if text is None else [AlertState(name).value for name in text.split(",")]
    except ValueError:
        raise BadInput("state", f"is of {', '.join(AlertState)}") from None
