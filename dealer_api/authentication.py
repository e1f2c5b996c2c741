"""Who is asking: a session's cookie or an API key; what their role may do; and that a form was ours."""

from __future__ import annotations

import hmac
import time
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from aiohttp import web

from actions.context import House
from dealer_api import bodies, cookies, doorway, error_responses, reader
from dealer_api.allowance import ALLOWANCE
from dealer_api.app_keys import CALL, DOOR, HOUSE, Call
from dealer_api.clashes import unclashed
from dealer_api.permissions import LEAVE, SECURITY
from dealer_api.route import PUBLIC, Handler, Route
from schemas.errors import BadInput, NotAllowed, Overtaken
from schemas.scope import granted
from store import accounts, idempotency, secrets, sessions

_SETTING_UP = (LEAVE, SECURITY)  #: what a session is good for that still owes a second factor
_OWN_NAMES = ("127.0.0.1", "localhost", "::1")
_USE_IS_NOTED = timedelta(hours=1)  #: how exactly the last use of a key is known: not a write for each call


async def caller(request: web.Request) -> Call | None:
    """Who is asking, by key or by cookie; None when they did not say, or it no longer counts."""
    known, secret = request.app[KNOWN], _said(request)
    if not secret:
        return None
    call = known.get(secret)
    if call is None:
        call = await _ask(request)
        if call is not None:
            known.keep(secret, call)
    return call


async def still(request: web.Request) -> bool:
    """Whether whoever opened this stream may go on listening: asked of the database, not of what was known a moment
    ago.
    """
    before, now = request[CALL], await _ask(request)
    return (
        now is not None
        and (now.actor, now.session) == (before.actor, before.session)
        and now.may(request[DOOR].permission)
        and not now.lacks_second_factor
    )


class Known:
    """Who was let in a moment ago, so that a page full of requests asks the database once.

    A revocation counts within `LIFE_S`.
    """

    LIFE_S = 0.5
    MOST = 10_000

    def __init__(self) -> None:
        self._found: dict[str, tuple[float, Call]] = {}

    def get(self, secret: str) -> Call | None:
        """As the database said less than half a second ago (machine time)."""
        at, call = self._found.get(secret, (0.0, None))
        return call if time.monotonic() - at < self.LIFE_S else None

    def keep(self, secret: str, call: Call) -> None:
        if len(self._found) >= self.MOST:
            self._found.clear()
        self._found[secret] = (time.monotonic(), call)

    def forget(self, dealer_id: int) -> None:
        """Something about this dealer's people or keys has just changed here."""
        self._found = {secret: (at, call) for secret, (at, call) in self._found.items() if call.dealer_id != dealer_id}


KNOWN: web.AppKey[Known] = web.AppKey("known", Known)


def _said(request: web.Request) -> str:
    return request.headers.get("Authorization", "") or cookies.read(request, cookies.SESSION)


async def _ask(request: web.Request) -> Call | None:
    house, header = request.app[HOUSE], request.headers.get("Authorization", "")
    return await (_by_key(house, header) if header else _by_session(house, _said(request), by_hand=_by_hand(request)))


async def _by_key(house: House, text: str) -> Call | None:
    scheme, _, token = text.partition(" ")
    if scheme.lower() != "bearer" or not token.startswith(secrets.KEY_PREFIX):
        return None
    async with house.at(None) as connection:
        secret = await secrets.find(connection, token, "api_key")
    if secret is None or not secret.opens(house.now()):
        return None
    async with house.at(secret.dealer_id) as connection:
        dealer = await accounts.dealer(connection, secret.dealer_id)
        if secret.last_used_at is None or house.now() - secret.last_used_at >= _USE_IS_NOTED:
            await secrets.note_use(connection, dealer.id, token, house.now())
    return Call(
        house,
        dealer.id,
        actor=f"api:{secret.label}",
        role="api",
        staff=None,
        dealer=dealer,
        session=None,
        scopes=granted(secret.scopes),
    )


async def _by_session(house: House, cookie: str, *, by_hand: bool) -> Call | None:
    session_id = sessions.digest(cookie)
    async with house.at(None) as connection:
        found = await sessions.who(connection, session_id, house.machine())
        if found is None or found[2].waits:
            return None
        dealer, person, session = found
        if by_hand:
            await sessions.touch(connection, session, house.machine())
    return Call(
        house,
        dealer.id,
        actor=f"staff:{person.id}",
        role=person.role.value,
        staff=person,
        dealer=dealer,
        session=session_id,
        second_factor=session.second_factor,
    )


#: What no form can send: another site's script would have to ask us first.
_NO_FORM = frozenset({"application/json", "text/csv", "image/jpeg", "image/png", "image/webp"})


def _by_hand(request: web.Request) -> bool:
    """Whether a person did this, and not an open page that looks again by itself: that alone keeps nobody signed in."""
    if request.method not in ("GET", "HEAD"):
        return True
    return "HX-Request" not in request.headers and request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"


def guard(route: Route) -> Handler:
    """The door itself: who, may they, was it their own page that asked, and has it been done already."""
    if route.who == PUBLIC:
        return demo_door(route.handler) if route.demo else _public(route)

    async def guarded(request: web.Request) -> web.StreamResponse:
        request[DOOR] = route
        call = await caller(request)
        if call is None:
            raise NotAllowed("Sign in, or send a key as Authorization: Bearer tk_…", signed_in=False)
        if call.role == "api":
            request.app[ALLOWANCE].take(call.dealer_id, call.actor)
        if call.role not in route.who:
            raise NotAllowed(
                f"This is for {', '.join(sorted(route.who - {'api'}))}; you are "
                f"{'a program with a key' if call.role == 'api' else f'signed in as {call.role}'}."
            )
        if not call.may(route.permission):
            raise NotAllowed(
                f"This key lacks the scope {route.permission.scope}; it has {', '.join(sorted(call.scopes)) or 'none'}."
            )
        if call.lacks_second_factor and route.permission not in _SETTING_UP:
            if request.method in ("GET", "HEAD") and not (route.is_api or route.streams):
                raise web.HTTPSeeOther("/security")
            raise NotAllowed(
                f"{call.dealer.name} asks for a second factor. Set yours up under Your security, then go on."
            )
        if route.largest is not None:
            request[CALL] = call
            request = await doorway.large(request, route.largest)
        if request.method not in ("GET", "HEAD", "OPTIONS") and call.session is not None:
            await own_page(request, call)
        try:
            if route.needs_key:
                return await unclashed(lambda: _once(request, call, route))
            request[CALL] = call
            with reader.reading(reader.ENGLISH if route.is_api else reader.of(request)):
                return await _again(route)(request)
        finally:
            if request.method not in ("GET", "HEAD"):
                request.app[KNOWN].forget(call.dealer_id)  # it may have been about people, keys or the dealer itself

    return guarded


def _public(route: Route) -> Handler:
    """Nobody is asked who they are; their browser says which language they read."""
    inside = _again(route)

    async def opened(request: web.Request) -> web.StreamResponse:
        with reader.reading(reader.of(request)):
            return await inside(request)

    return inside if route.is_api else opened


def _again(route: Route) -> Handler:
    """The handler, which begins again when its first transaction met a rival's lock. One that streams, or reads a large
    body as it comes, cannot.
    """
    if route.streams or route.largest is not None:
        return route.handler
    return lambda request: unclashed(lambda: route.handler(request))


async def own_page(request: web.Request, call: Call) -> None:
    """Refuse what another site made the browser send: by where it came from, and for forms by a token as well."""
    own_form(request)
    if request.content_type in _NO_FORM:
        return  # no form of another site can send these without asking us first
    token = request.headers.get("X-CSRF-Token") or str((await bodies.posted(request)).get("csrf", ""))
    if not hmac.compare_digest(token.encode(), call.csrf.encode()):
        raise NotAllowed("This page is too old. Load it again and repeat.")


def own_form(request: web.Request) -> None:
    """Only a form of this very site may come in.

    Where nobody is signed in yet there is no token to ask for, and this is all.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise NotAllowed("This request came from another site.")
    origin = request.headers.get("Origin")
    if origin in (None, "null"):  # our own forms say null: no-referrer hides it
        return
    from_, ours = urlsplit(origin or "").netloc, urlsplit(request.app[HOUSE].base_url).netloc
    if from_ not in (request.host, ours):  # a proxy may have replaced Host: then our public address decides
        raise NotAllowed(
            f"This request came from {origin}, and this desk answers as {request.host} (Host) and {ours} (its public "
            "address). "
            "If you did open this very desk, a proxy in between replaces Host: let it pass Host on, or set "
            "TELLTALE_PUBLIC_URL."
        )


def demo_door(handler: Handler) -> Handler:
    """A door of the demo answers to this machine's own names only: a name of somebody else that leads here is not
    believed.
    """

    async def guarded(request: web.Request) -> web.StreamResponse:
        name = urlsplit(f"//{request.host}").hostname or ""
        if name not in _OWN_NAMES and name != urlsplit(request.app[HOUSE].base_url).hostname:
            raise NotAllowed(f"This demo does not answer as {name}: open it by the address that it printed.")
        return await handler(request)

    return guarded


async def _once(request: web.Request, call: Call, route: Route) -> web.StreamResponse:
    """Key, effect and answer in one transaction: a crash on the way leaves none of them."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        raise error_responses.Incomplete(
            "Send the header Idempotency-Key with a value of your own, for instance a UUID: then a repeated request "
            "counts once."
        )
    if len(key) > 200 or not key.isprintable():
        raise BadInput("Idempotency-Key", "takes up to 200 printable characters")
    body = await request.read()
    fingerprint = idempotency.fingerprint(request.method, request.path, body)
    async with call.house.at(call.dealer_id) as connection:
        first = await idempotency.begin(
            connection, call.dealer_id, caller=call.actor, key=key, request_hash=fingerprint
        )
        if first is not None and route.secret:
            raise Overtaken("request", "it was carried out before, and its answer is shown only once")
        if first is not None:
            return web.Response(
                status=first.status,
                body=first.body,
                content_type="application/json",
                headers={"Idempotency-Replayed": "true"},
            )
        request[CALL] = replace(call, house=call.house.within(connection))
        response = await route.handler(request)
        assert isinstance(response, web.Response) and isinstance(response.body, bytes | None)
        answer = idempotency.Answer(response.status, b"" if route.secret else response.body or b"")
        await idempotency.keep(
            connection,
            call.dealer_id,
            caller=call.actor,
            key=key,
            request_hash=fingerprint,
            answer=answer,
            now=call.house.now(),
        )
    return response
