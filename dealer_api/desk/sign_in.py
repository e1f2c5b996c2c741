"""Signing in and out, the demo's one-click sign-in, and the invitation."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import quote

from aiohttp import web

from actions import passwords, people
from actions import sign_in as acts
from dealer_api import authentication, cookies
from dealer_api.app_keys import call, house
from dealer_api.authentication import own_form
from dealer_api.desk.page import back, form, go, outside, problem_of, typed_twice
from dealer_api.desk.passkeys import desk_of
from schemas.account import Staff
from schemas.errors import BadInput, NotAllowed, NotFound, Overtaken, TooOften
from store import accounts


async def show(request: web.Request) -> web.Response:
    if await authentication.caller(request) is not None:
        return go(back(request.query.get("next"), "/"))
    return await _sign_in_page(request, "", back(request.query.get("next"), "/"))


async def enter(request: web.Request) -> web.Response:
    own_form(request)
    fields = await form(request)
    to = back(fields.get("next"), "/")
    try:
        entered = await acts.with_password(
            house(request), cookies.visitor(request), fields.get("email", ""), fields.get("password", "")
        )
    except (NotAllowed, TooOften) as error:
        reason = error.reason if isinstance(error, NotAllowed) else str(error)
        return await _sign_in_page(
            request, fields.get("email", ""), to, problem=reason, status=401 if isinstance(error, NotAllowed) else 429
        )
    return admitted(request, entered, to)


async def enter_demo(request: web.Request) -> web.Response:
    """One click, as one of the demo's own people.

    A real house has no such door, and a real dealer in the same home none of these people.
    """
    own_form(request)
    fields = await form(request)
    person = next((person for person in await _demo_people(request) if str(person.id) == fields.get("staff")), None)
    if person is None:
        raise NotFound("person")
    entered = await acts.enter(house(request), person, cookies.visitor(request), "the demo's one click", two=True)
    response = go(back(fields.get("next"), "/"))
    cookies.give(request, response, entered.session, entered.device)
    return response


async def leave(request: web.Request) -> web.Response:
    caller = call(request)
    if caller.staff is not None and caller.session is not None:
        await acts.leave(caller.house, caller.staff, caller.session)
    response = go("/sign-in")
    cookies.take(request, response)
    return response


async def home(request: web.Request) -> web.Response:
    """Where each role's day begins."""
    return go({"driver": "/driver", "technician": "/workshop"}.get(call(request).role, "/queue"))


async def show_invitation(request: web.Request) -> web.Response:
    return await _invitation_page(request, None, 200)


async def accept_invitation(request: web.Request) -> web.Response:
    own_form(request)
    fields, token = await form(request), request.match_info["token"]
    try:
        person = await people.accept_invitation(house(request), token, typed_twice(fields))
    except BadInput as error:
        return await _invitation_page(request, problem_of(error), 422)
    except (NotFound, Overtaken):
        return await _invitation_page(request, None, 410)
    entered = await acts.admit(house(request), person, cookies.visitor(request), "invitation")
    return admitted(request, entered, "/", f"Welcome, {person.name}.")


def admitted(request: web.Request, entered: acts.Entered, to: str, note: str = "") -> web.Response:
    """On to where they wanted to go, or to the second half of signing in."""
    response = go(f"/sign-in/second?next={quote(to)}") if entered.waits else go(to, note)
    cookies.give(request, response, entered.session, entered.device)
    return response


async def _invitation_page(request: web.Request, problem: str | None, status: int) -> web.Response:
    person = dealer = None
    with suppress(NotFound):
        person = await people.invitation(house(request), request.match_info["token"])
        async with house(request).at(person.dealer_id) as connection:
            dealer = await accounts.dealer(connection, person.dealer_id)
    least = passwords.LEAST
    return outside(
        request,
        "invitation.html",
        person=person,
        dealer=dealer,
        problem=problem,
        least=least,
        status=status if person else 410,
    )


async def _sign_in_page(
    request: web.Request, email: str, to: str, problem: str | None = None, status: int = 200
) -> web.Response:
    passkeys = desk_of(request) is not None
    return outside(
        request,
        "sign_in.html",
        email=email,
        next=to,
        problem=problem,
        people=await _demo_people(request),
        passkeys=passkeys,
        status=status,
    )


async def _demo_people(request: web.Request) -> list[Staff]:
    if not house(request).demo:
        return []
    async with house(request).at(None) as connection:
        demos = await accounts.demo_dealers(connection)
    found: list[Staff] = []
    for dealer_id in demos:
        async with house(request).at(dealer_id) as connection:
            found += [
                person for person in await accounts.staff_of(connection, dealer_id) if person.joined_at is not None
            ]
    order = ("advisor", "manager", "technician", "driver")
    return sorted(found, key=lambda person: (person.dealer_id, order.index(person.role.value), person.name))
