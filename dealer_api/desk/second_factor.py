"""The second half of signing in, and setting it up: an authenticator app, passkeys, recovery codes."""

from __future__ import annotations

from aiohttp import web

from actions import passkeys, sign_in
from actions import second_factor as acts
from dealer_api import cookies
from dealer_api.app_keys import call, house
from dealer_api.authentication import own_form
from dealer_api.desk.page import back, form, go, outside, page, problem_of
from dealer_api.desk.passkeys import desk_of
from dealer_api.desk.security import HERE, security_page, who
from schemas.account import Staff
from schemas.errors import BadInput, NotFound, TooOften


async def show(request: web.Request) -> web.Response:
    """After the password; who does not wait here begins anew."""
    found = await sign_in.waiting(house(request), cookies.read(request, cookies.SESSION))
    if found is None:
        return go("/sign-in")
    return await _step(request, found[0], back(request.query.get("next"), "/"))


async def enter(request: web.Request) -> web.Response:
    own_form(request)
    fields = await form(request)
    cookie, to = cookies.read(request, cookies.SESSION), back(fields.get("next"), "/")
    found = await sign_in.waiting(house(request), cookie)
    if found is None:
        return go("/sign-in")
    try:
        entered = await sign_in.with_code(house(request), cookies.visitor(request), cookie, fields.get("code", ""))
    except NotFound:
        return go("/sign-in")
    except (BadInput, TooOften) as error:
        return await _step(
            request, found[0], to, problem=problem_of(error), status=401 if isinstance(error, BadInput) else 429
        )
    left = (await acts.standing(house(request), entered.person)).codes
    response = go(to, f"That recovery code is used up; {left} are left." if len(fields.get("code", "")) > 10 else "")
    cookies.give(request, response, entered.session, entered.device)
    return response


async def begin_authenticator(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    try:
        await acts.confirm_password(
            caller.house, who(caller), cookies.visitor(request), fields.get("current_password", "")
        )
        await acts.begin_authenticator(caller.house, who(caller))
    except (BadInput, TooOften) as error:
        return await security_page(request, problem=problem_of(error), status=422)
    return go(f"{HERE}/authenticator")


async def show_authenticator(request: web.Request) -> web.Response:
    return await _authenticator_page(request)


async def confirm_authenticator(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    try:
        codes = await acts.confirm_authenticator(
            caller.house,
            who(caller),
            visitor=cookies.visitor(request),
            session_id=caller.session or "",
            code=fields.get("code", ""),
        )
    except (BadInput, TooOften) as error:
        return await _authenticator_page(request, problem=problem_of(error), status=422)
    return (
        await _codes_page(request, codes, "Your authenticator app works.")
        if codes
        else go(HERE, "Your authenticator app works.")
    )


async def remove_authenticator(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    try:
        await acts.confirm_password(
            caller.house, who(caller), cookies.visitor(request), fields.get("current_password", "")
        )
        await acts.remove_authenticator(caller.house, who(caller))
    except NotFound:
        return go(HERE)
    except (BadInput, TooOften) as error:
        return await security_page(request, problem=problem_of(error), status=422)
    return go(HERE, "The authenticator app is asked for no more.")


async def remove_passkey(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    try:
        await acts.confirm_password(
            caller.house, who(caller), cookies.visitor(request), fields.get("current_password", "")
        )
        label = await passkeys.remove(caller.house, who(caller), _bytes(fields.get("passkey", "")))
    except NotFound:
        return go(HERE)
    except (BadInput, TooOften) as error:
        return await security_page(request, problem=problem_of(error), status=422)
    return go(HERE, f"The passkey “{label}” opens nothing any more.")


async def new_codes(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    try:
        await acts.confirm_password(
            caller.house, who(caller), cookies.visitor(request), fields.get("current_password", "")
        )
        codes = await acts.new_recovery_codes(caller.house, who(caller))
    except (BadInput, TooOften) as error:
        return await security_page(request, problem=problem_of(error), status=422)
    return await _codes_page(request, codes, "The earlier ones open nothing any more.")


async def _step(
    request: web.Request, person: Staff, to: str, *, problem: str | None = None, status: int = 200
) -> web.Response:
    has = await acts.standing(house(request), person)
    return outside(
        request,
        "second_factor.html",
        has=has,
        next=to,
        problem=problem,
        passkeys=has.passkeys > 0 and desk_of(request) is not None,
        status=status,
    )


async def _authenticator_page(request: web.Request, *, problem: str | None = None, status: int = 200) -> web.Response:
    caller = call(request)
    try:
        secret, uri = await acts.waiting_authenticator(caller.house, who(caller))
    except NotFound:
        return go(HERE)
    typed = " ".join(secret[n : n + 4] for n in range(0, len(secret), 4))
    return await page(
        request, "authenticator.html", qr=acts.qr_code(uri), typed=typed, uri=uri, problem=problem, status=status
    )


async def _codes_page(request: web.Request, codes: list[str], word: str) -> web.Response:
    return await page(request, "recovery_codes.html", codes=codes, word=word)


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise NotFound("passkey") from None
