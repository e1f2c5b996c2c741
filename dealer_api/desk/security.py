"""One's own way in: the password, and the browsers in which one is signed in."""

from __future__ import annotations

from aiohttp import web

from actions import passkeys, passwords, second_factor, sign_in
from actions import password as acts
from dealer_api import cookies
from dealer_api.app_keys import Call, call
from dealer_api.desk.page import form, go, page, problem_of, refused, typed_twice
from dealer_api.desk.passkeys import desk_of
from schemas.account import Staff
from schemas.errors import BadInput, NotFound, TelltaleError, TooOften

HERE = "/security"


async def show(request: web.Request) -> web.Response:
    return await security_page(request)


async def change_password(request: web.Request) -> web.Response:
    me, said = call(request), await form(request)
    try:
        await acts.change(me.house, who(me), cookies.visitor(request), me.session or "", said.get("old", ""), typed_twice(said))
    except (BadInput, TooOften) as error:
        return await security_page(request, problem=problem_of(error), status=422 if isinstance(error, BadInput) else 429)
    return go(HERE, "Your new password is set. Everywhere else you are signed out.")


async def end_session(request: web.Request) -> web.Response:
    me, said = call(request), await form(request)
    try:
        await sign_in.end_session(me.house, who(me), said.get("session", ""))
    except NotFound:
        return go(HERE, "That one has ended already.")
    return go(HERE, "Signed out there.")


async def end_other_sessions(request: web.Request) -> web.Response:
    me = call(request)
    try:
        ended = await sign_in.end_other_sessions(me.house, who(me), me.session)
    except TelltaleError as error:
        return refused(error, HERE)
    return go(HERE, f"Signed out in {ended} other {'browser' if ended == 1 else 'browsers'}." if ended else "You were signed in nowhere else.")


async def security_page(request: web.Request, *, problem: str | None = None, status: int = 200) -> web.Response:
    me = call(request)
    found = sorted(await sign_in.open_sessions(me.house, who(me)), key=lambda session: session.id != me.session)  # this one first
    return await page(
        request, "security.html", problem=problem, sessions=found, least=passwords.LEAST, machine=me.house.machine(), here=HERE,
        has=await second_factor.standing(me.house, who(me)), keys=await passkeys.of(me.house, who(me)), named=desk_of(request) is not None,
        asked=me.dealer.asks_second_factor(who(me).role), status=status,
    )  # fmt: skip


def who(me: Call) -> Staff:
    """Whose page it is; behind this room's doors stand people only."""
    assert me.staff is not None
    return me.staff
