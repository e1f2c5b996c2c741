"""Signing in and out through the API; the cookie it sets is the pages' too."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from actions import sign_in as acts
from dealer_api import cookies
from dealer_api.app_keys import call, house
from dealer_api.bodies import Body, read, reply
from schemas.account import Dealer, Staff
from schemas.errors import BadInput, NotAllowed
from store import accounts


class SignIn(Body):
    """An address and its password."""

    email: Annotated[str, Field(min_length=3, max_length=200)]
    password: Annotated[str, Field(min_length=1, max_length=200)]
    #: of somebody who has a second factor: the app's code, or a recovery code
    code: Annotated[str | None, Field(max_length=40)] = None


class SignedIn(BaseModel):
    """Who you are; the session itself is in the cookie."""

    staff: Staff | None
    dealer: Dealer
    role: str


async def open_session(request: web.Request) -> web.Response:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise BadInput("Sec-Fetch-Site", "signing in works from our own pages and from programs only")
    asked = await read(request, SignIn)
    entered = await acts.with_password(house(request), cookies.visitor(request), asked.email, asked.password)
    if entered.waits:
        if asked.code is None:
            await acts.give_up(house(request), entered)
            raise NotAllowed(
                "A second factor is asked for: send the code of your app, or a recovery code, as `code`.",
                signed_in=False,
            )
        entered = await acts.with_code(house(request), cookies.visitor(request), entered.session, asked.code)
    person = entered.person
    async with house(request).at(person.dealer_id) as connection:
        dealer = await accounts.dealer(connection, person.dealer_id)
    response = reply(SignedIn(staff=person, dealer=dealer, role=person.role.value), 201)
    cookies.give(request, response, entered.session, entered.device)
    return response


async def show_session(request: web.Request) -> web.Response:
    caller = call(request)
    return reply(SignedIn(staff=caller.staff, dealer=caller.dealer, role=caller.role))


async def close_session(request: web.Request) -> web.Response:
    caller = call(request)
    if caller.staff is not None and caller.session is not None:
        await acts.leave(caller.house, caller.staff, caller.session)
    response = web.Response(status=204)
    cookies.take(request, response)
    return response
