"""Offers over the API: what is held, and the owner's answer given through the desk."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from actions import offers as acts
from dealer_api.app_keys import call
from dealer_api.bodies import Body, number, read, reply
from rules.service.claims import window_of
from schemas.booking import Offer
from schemas.slot import Slot
from store import offers, slots
from store.pool import Connection


class Choice(BaseModel):
    """A window as the owner was told it, by the digit that answers it."""

    choice: int
    starts_at: datetime
    ends_at: datetime


class OfferWhole(Offer):
    """An offer with its windows, and the time of driver and bay that is held behind them."""

    choices: list[Choice]
    slots: list[Slot]


class Answer(Body):
    """The digit."""

    choice: Annotated[int, Field(ge=1, le=9)]


class MaybeReason(Body):
    """Why, if there is something to say."""

    reason: Annotated[str, Field(max_length=1000)] = ""


async def one(request: web.Request) -> web.Response:
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        return reply(await whole_offer(connection, await offers.get(connection, caller.dealer_id, number(request))))


async def accept(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Answer)
    return reply(await acts.accept(caller, number(request), body.choice), 201)


async def decline(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, MaybeReason)
    made = await acts.decline(caller, number(request), body.reason)
    async with caller.house.at(caller.dealer_id) as connection:
        return reply(await whole_offer(connection, made))


async def withdraw(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, MaybeReason)
    made = await acts.withdraw(caller, number(request), body.reason)
    async with caller.house.at(caller.dealer_id) as connection:
        return reply(await whole_offer(connection, made))


async def whole_offer(connection: Connection, offer: Offer) -> OfferWhole:
    """The offer with what it holds or held."""
    held = await slots.of_offer(connection, offer.dealer_id, offer.id)
    choices = []
    for choice in sorted({slot.choice for slot in held if slot.choice is not None}):
        window = window_of(
            offer.kind, [(slot.use, slot.starts_at, slot.ends_at) for slot in held if slot.choice == choice]
        )
        choices.append(Choice(choice=choice, starts_at=window.starts_at, ends_at=window.ends_at))
    return OfferWhole(**offer.model_dump(), choices=choices, slots=held)
