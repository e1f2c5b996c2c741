"""When colleagues are away, over the API."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from actions import absences as acts
from dealer_api.app_keys import call
from dealer_api.bodies import Body, Id, Page, When, number, read, reply
from schemas.absence import Absence
from store import absences, accounts


class NewAbsence(Body):
    """From when until when, with the zone, and why, in a word that colleagues may read."""

    starts_at: When
    ends_at: When
    reason: Annotated[str, Field(min_length=1, max_length=200)]


class TakeBack(Body):
    """Which absence is not to be."""

    absence_id: Id


async def listed(request: web.Request) -> web.Response:
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        person = await accounts.staff(connection, caller.dealer_id, number(request))
        found = await absences.of_dealer(connection, caller.dealer_id, caller.house.now(), staff_id=person.id)
    return reply(Page[Absence](items=found))


async def add(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, NewAbsence)
    return reply(
        await acts.add(caller, number(request), starts_at=body.starts_at, ends_at=body.ends_at, reason=body.reason), 201
    )


async def take_back(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, TakeBack)
    return reply(await acts.take_back(caller, body.absence_id, number(request)))
