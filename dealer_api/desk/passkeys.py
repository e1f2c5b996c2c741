"""Passkeys in the browser: its script asks here for a challenge and brings the answer.

JSON in and out; what went wrong is a `problem` to show.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from actions import passkeys as acts
from actions import sign_in
from actions.passkeys import Desk
from actions.sign_in import Entered
from dealer_api import cookies
from dealer_api.app_keys import call, house
from dealer_api.authentication import own_form
from dealer_api.bodies import Body, read
from dealer_api.desk.page import back, problem_of
from dealer_api.place import is_https
from schemas.errors import BadInput, NotAllowed, NotFound, TooOften

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Wanted(Body):
    """To add one, the password."""

    password: Annotated[str, Field(max_length=200)] = ""


class PasskeyAnswer(Body):
    """The browser's answer to a challenge, and the seal under which that was given."""

    seal: Annotated[str, Field(max_length=200)]
    credential: dict[str, Any]
    label: Annotated[str, Field(max_length=60)] = ""
    next: Annotated[str, Field(max_length=1000)] = "/"


def desk_of(request: web.Request) -> Desk | None:
    """What a passkey would belong to here; None where the desk is reached by a number."""
    return Desk.at(house(request), "https" if is_https(request) else "http", request.host)


def _in_words(handler: Handler) -> Handler:
    """What cannot be is told to the script as a sentence, not as a page."""

    @functools.wraps(handler)
    async def wrapped(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except (BadInput, NotAllowed, NotFound, TooOften) as error:
            status = {BadInput: 422, NotFound: 410, TooOften: 429}.get(type(error), 401)
            problem = (
                "This took too long. Sign in again from the beginning."
                if isinstance(error, NotFound)
                else error.reason
                if isinstance(error, NotAllowed)
                else problem_of(error)
            )
            return web.json_response({"problem": problem}, status=status)

    return wrapped


@_in_words
async def begin_adding(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Wanted)
    assert caller.staff is not None
    return web.json_response(
        await acts.begin_adding(
            caller.house, _desk(request), person=caller.staff, visitor=cookies.visitor(request), password=body.password
        )
    )


@_in_words
async def add(request: web.Request) -> web.Response:
    """`codes` are shown once, when this was the first second factor."""
    caller, body = call(request), await read(request, PasskeyAnswer)
    assert caller.staff is not None
    label = body.label or cookies.visitor(request).words
    codes = await acts.add(
        caller.house,
        _desk(request),
        person=caller.staff,
        session_id=caller.session or "",
        credential=body.model_dump(),
        label=label,
    )
    return web.json_response({"codes": codes}, status=201)


@_in_words
async def ask(request: web.Request) -> web.Response:
    """To sign in without a password."""
    own_form(request)
    await read(request, Wanted)
    return web.json_response(await acts.ask(house(request), _desk(request)))


@_in_words
async def enter(request: web.Request) -> web.Response:
    own_form(request)
    body = await read(request, PasskeyAnswer)
    return _in(
        request,
        body,
        await acts.with_passkey(house(request), _desk(request), cookies.visitor(request), body.model_dump()),
    )


@_in_words
async def ask_second(request: web.Request) -> web.Response:
    """One of theirs, after the password."""
    own_form(request)
    await read(request, Wanted)
    found = await sign_in.waiting(house(request), cookies.read(request, cookies.SESSION))
    if found is None:
        raise NotFound("session")
    return web.json_response(await acts.ask(house(request), _desk(request), found[0]))


@_in_words
async def enter_second(request: web.Request) -> web.Response:
    own_form(request)
    body = await read(request, PasskeyAnswer)
    cookie = cookies.read(request, cookies.SESSION)
    return _in(
        request,
        body,
        await acts.as_second_factor(
            house(request),
            _desk(request),
            visitor=cookies.visitor(request),
            cookie=cookie,
            credential=body.model_dump(),
        ),
    )


def _in(request: web.Request, message: PasskeyAnswer, entered: Entered) -> web.Response:
    response = web.json_response({"next": back(message.next, "/")})
    cookies.give(request, response, entered.session, entered.device)
    return response


def _desk(request: web.Request) -> Desk:
    found = desk_of(request)
    if found is None:
        raise BadInput(
            "passkey", "passkeys belong to a name, and this desk is reached by a number: open it by its name"
        )
    return found
