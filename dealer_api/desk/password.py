"""A forgotten password: asked for by anybody, chosen by whom the link reaches."""

from __future__ import annotations

from contextlib import suppress

from aiohttp import web

from actions import password as acts
from actions import passwords
from dealer_api import cookies
from dealer_api.app_keys import house
from dealer_api.authentication import own_form
from dealer_api.desk.page import form, outside, problem_of, typed_twice
from schemas.errors import BadInput, NotFound, Overtaken, TooOften


async def show_forgotten(request: web.Request) -> web.Response:
    return outside(request, "forgotten.html", asked=False, email="", problem=None)


async def ask(request: web.Request) -> web.Response:
    """The same answer for every address, known or not, and in the same time: what there is to do is done after it."""
    own_form(request)
    email = (await form(request)).get("email", "")[:200]
    try:
        if "@" not in email:
            raise BadInput("email", "write the address that you sign in with")
        await acts.ask_reset(house(request), cookies.visitor(request), email)
    except (BadInput, TooOften) as error:
        return outside(
            request,
            "forgotten.html",
            asked=False,
            email=email,
            problem=problem_of(error),
            status=422 if isinstance(error, BadInput) else 429,
        )
    return outside(request, "forgotten.html", asked=True, email=email, problem=None)


async def show_reset(request: web.Request) -> web.Response:
    return await _reset_page(request, None, 200)


async def reset(request: web.Request) -> web.Response:
    own_form(request)
    fields, token = await form(request), request.match_info["token"]
    try:
        person = await acts.reset(house(request), token, typed_twice(fields))
    except BadInput as error:
        return await _reset_page(request, problem_of(error), 422)
    except (NotFound, Overtaken):
        return await _reset_page(request, None, 410)
    return outside(request, "reset.html", person=person, done=True, problem=None, least=passwords.LEAST)


async def _reset_page(request: web.Request, problem: str | None, status: int) -> web.Response:
    person = None
    with suppress(NotFound):
        person = await acts.who_resets(house(request), request.match_info["token"])
    return outside(
        request,
        "reset.html",
        person=person,
        done=False,
        problem=problem,
        least=passwords.LEAST,
        status=status if person else 410,
    )
