"""One's own way in: the password, and the browsers in which one is signed in."""

from __future__ import annotations

from aiohttp import web

from actions import calendars, passkeys, passwords, people, second_factor, sign_in
from actions import password as acts
from dealer_api import cookies, reader
from dealer_api.app_keys import Call, call
from dealer_api.desk.languages.saying import count, say
from dealer_api.desk.page import form, go, page, problem_of, refused, typed_twice
from dealer_api.desk.passkeys import desk_of
from schemas.account import Staff
from schemas.errors import BadInput, NotFound, TelltaleError, TooOften

HERE = "/security"


async def show(request: web.Request) -> web.Response:
    return await security_page(request)


async def change_password(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    try:
        await acts.change(
            caller.house,
            who(caller),
            visitor=cookies.visitor(request),
            session_id=caller.session or "",
            old=fields.get("old", ""),
            new=typed_twice(fields),
        )
    except (BadInput, TooOften) as error:
        return await security_page(
            request, problem=problem_of(error), status=422 if isinstance(error, BadInput) else 429
        )
    return go(HERE, "Your new password is set. Everywhere else you are signed out.")


async def choose_language(request: web.Request) -> web.Response:
    """Of the desk and of notices; the answer speaks it already."""
    caller, fields = call(request), await form(request)
    try:
        tag = reader.chosen(fields.get("language", ""))
        await people.speak(caller, who(caller), tag)
    except TelltaleError as error:
        return refused(error, HERE)
    with reader.reading(tag):
        return go(HERE, say("Saved. The desk speaks your language from now on."))


async def end_session(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    try:
        await sign_in.end_session(caller.house, who(caller), fields.get("session", ""))
    except NotFound:
        return go(HERE, "That one has ended already.")
    return go(HERE, "Signed out there.")


async def end_other_sessions(request: web.Request) -> web.Response:
    caller = call(request)
    try:
        ended = await sign_in.end_other_sessions(caller.house, who(caller), caller.session)
    except TelltaleError as error:
        return refused(error, HERE)
    if not ended:
        return go(HERE, "You were signed in nowhere else.")
    return go(
        HERE,
        count("Signed out in {ended} other browser.", "Signed out in {ended} other browsers.", ended, ended=ended),
    )


async def security_page(
    request: web.Request, *, problem: str | None = None, status: int = 200, calendar: str = ""
) -> web.Response:
    """`calendar`: the address of a new feed, shown once."""
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        feed = await calendars.made_at(connection, caller.dealer_id, who(caller).id)
    found = sorted(
        await sign_in.open_sessions(caller.house, who(caller)), key=lambda session: session.id != caller.session
    )  # this one first
    return await page(
        request,
        "security.html",
        problem=problem,
        calendar=calendar,
        feed=feed,
        sessions=found,
        least=passwords.LEAST,
        machine=caller.house.machine(),
        here=HERE,
        has=await second_factor.standing(caller.house, who(caller)),
        keys=await passkeys.of(caller.house, who(caller)),
        named=desk_of(request) is not None,
        asked=caller.dealer.asks_second_factor(who(caller).role),
        status=status,
    )


def who(caller: Call) -> Staff:
    """Whose page it is; behind this room's doors stand people only."""
    assert caller.staff is not None
    return caller.staff
