"""Who is asking: a session's cookie or an API key; what their role may do; and that a form was ours."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets as randomness
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from urllib.parse import urlsplit

from aiohttp import web
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from dealer_api import faults
from dealer_api.acts.house import House
from dealer_api.keys import CALL, HOUSE, Call
from dealer_api.route import PUBLIC, Handler, Route
from dealer_api.scopes import granted
from schemas.account import Staff
from schemas.errors import BadInput, NotAllowed, Overtaken
from store import accounts, idempotency, secrets, sessions

COOKIE = "telltale_session"
_HASHER = PasswordHasher()
_ATTEMPTS = RateLimitItemPerMinute(5, 15)
_FROM_ONE_PLACE = RateLimitItemPerMinute(60, 15)
LEAST_PASSWORD = 10
_OWN_NAMES = ("127.0.0.1", "localhost", "::1")
_USE_IS_NOTED = timedelta(hours=1)  #: how exactly the last use of a key is known: not a write for each call


class Attempts:
    """Counts failed sign-ins per address and per place; in this process, in machine time."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def check(self, email: str, place: str) -> None:
        if not (self._limiter.test(_ATTEMPTS, "email", email) and self._limiter.test(_FROM_ONE_PLACE, "place", place)):
            raise faults.TooOften(15)

    def failed(self, email: str, place: str) -> None:
        self._limiter.hit(_ATTEMPTS, "email", email)
        self._limiter.hit(_FROM_ONE_PLACE, "place", place)


ATTEMPTS: web.AppKey[Attempts] = web.AppKey("attempts", Attempts)


def machine_now() -> datetime:
    """Sessions are not business: they end by the machine's clock, however fast the demo's day runs."""
    return datetime.now(UTC)


async def hash_password(password: str) -> str:
    """argon2id, in a thread: it takes tens of milliseconds on purpose."""
    if len(password) < LEAST_PASSWORD or len(password) > 200:
        raise BadInput("password", f"takes {LEAST_PASSWORD} to 200 characters")
    return await asyncio.to_thread(_HASHER.hash, password)


async def sign_in(request: web.Request, email: str, password: str) -> tuple[str, Staff]:
    """The cookie of a new session; NotAllowed says nothing about which half was wrong."""
    house, attempts = request.app[HOUSE], request.app[ATTEMPTS]
    email, place = email.strip().lower(), request.remote or ""
    attempts.check(email, place)
    async with house.at(None) as connection:
        found = await accounts.sign_in_of(connection, email)
    good = await asyncio.to_thread(_verify, found.password_hash if found and found.password_hash else None, password)
    if found is None or found.password_hash is None or not good:
        attempts.failed(email, place)
        raise NotAllowed("The address or the password is not right.", signed_in=False)
    token = randomness.token_urlsafe(32)
    async with house.at(found.dealer_id) as connection:
        person = await accounts.staff(connection, found.dealer_id, found.staff_id)
        if person.disabled_at is not None:
            raise NotAllowed("The address or the password is not right.", signed_in=False)
        await sessions.start(connection, _session_id(token), found.dealer_id, person.id, machine_now())
    return token, person


async def start_session(house: House, person: Staff) -> str:
    """The cookie of a new session for somebody whom an invitation or the demo vouches for."""
    token = randomness.token_urlsafe(32)
    async with house.at(person.dealer_id) as connection:
        await sessions.start(connection, _session_id(token), person.dealer_id, person.id, machine_now())
    return token


async def sign_out(request: web.Request, call: Call) -> None:
    """End this session; others of the same person go on."""
    if call.session is not None:
        async with call.house.at(call.dealer_id) as connection:
            await sessions.end(connection, call.dealer_id, call.session)


def give_cookie(response: web.StreamResponse, house: House, token: str) -> None:
    """The session's cookie: not for scripts, not for other sites."""
    response.set_cookie(
        COOKIE, token, max_age=int(sessions.LIFE.total_seconds()), httponly=True, samesite="Lax", secure=house.base_url.startswith("https:"), path="/"
    )


def take_cookie(response: web.StreamResponse) -> None:
    """Forget the cookie."""
    response.del_cookie(COOKIE, path="/")


async def caller(request: web.Request) -> Call | None:
    """Who is asking, by key or by cookie; None when they did not say, or it no longer counts."""
    house, known = request.app[HOUSE], request.app[KNOWN]
    said = request.headers.get("Authorization", "")
    secret = said or request.cookies.get(COOKIE, "")
    if not secret:
        return None
    call = known.get(secret)
    if call is None:
        call = await (_by_key(house, said) if said else _by_session(house, secret))
        if call is not None:
            known.keep(secret, call)
    return call


class Known:
    """Who was let in a moment ago, so that a page full of requests asks the database once. A revocation counts within `LIFE_S`."""

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


async def _by_key(house: House, said: str) -> Call | None:
    scheme, _, token = said.partition(" ")
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
    return Call(house, dealer.id, f"api:{secret.label}", "api", None, dealer, None, granted(secret.scopes))


async def _by_session(house: House, cookie: str) -> Call | None:
    session_id = _session_id(cookie)
    async with house.at(None) as connection:
        found = await sessions.who(connection, session_id, machine_now())
    if found is None:
        return None
    dealer, person = found
    return Call(house, dealer.id, f"staff:{person.id}", person.role.value, person, dealer, session_id)


def guard(route: Route) -> Handler:
    """The door itself: who, may they, was it their own page that asked, and has it been done already."""
    if route.who == PUBLIC:
        return demo_door(route.handler) if route.demo else route.handler

    async def guarded(request: web.Request) -> web.StreamResponse:
        call = await caller(request)
        if call is None:
            raise NotAllowed("Sign in, or send a key as Authorization: Bearer tk_…", signed_in=False)
        if call.role not in route.who:
            raise NotAllowed(f"This is for {', '.join(sorted(route.who - {'api'}))}; you are {'a program with a key' if call.role == 'api' else f'signed in as {call.role}'}.")
        if not call.may(route.permission):
            raise NotAllowed(f"This key lacks the scope {route.permission.scope}; it has {', '.join(sorted(call.scopes)) or 'none'}.")
        if request.method not in ("GET", "HEAD", "OPTIONS") and call.session is not None:
            await own_page(request, call)
        try:
            if route.needs_key:
                return await _once(request, call, route)
            request[CALL] = call
            return await route.handler(request)
        finally:
            if request.method not in ("GET", "HEAD"):
                request.app[KNOWN].forget(call.dealer_id)  # it may have been about people, keys or the dealer itself

    return guarded


async def own_page(request: web.Request, call: Call) -> None:
    """Refuse what another site made the browser send: by where it came from, and for forms by a token as well."""
    own_form(request)
    if request.content_type in ("application/json", "text/csv"):
        return  # no form of another site can send these without asking us first
    token = request.headers.get("X-CSRF-Token") or str((await request.post()).get("csrf", ""))
    if not hmac.compare_digest(token.encode(), call.csrf.encode()):
        raise NotAllowed("This page is too old. Load it again and repeat.")


def own_form(request: web.Request) -> None:
    """Only a form of this very site may come in. Where nobody is signed in yet there is no token to ask for, and this is all."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise NotAllowed("This request came from another site.")
    origin = request.headers.get("Origin")
    if origin in (None, "null"):  # our own forms say null: no-referrer hides it
        return
    from_, ours = urlsplit(origin or "").netloc, urlsplit(request.app[HOUSE].base_url).netloc
    if from_ not in (request.host, ours):  # a proxy may have replaced Host: then our public address decides
        raise NotAllowed(
            f"This request came from {origin}, and this desk answers as {request.host} (Host) and {ours} (its public address). "
            "If you did open this very desk, a proxy in between replaces Host: let it pass Host on, or set TELLTALE_PUBLIC_URL."
        )


def demo_door(handler: Handler) -> Handler:
    """A door of the demo answers to this machine's own names only: a name of somebody else that leads here is not believed."""

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
        raise faults.Incomplete("Send the header Idempotency-Key with a value of your own, for instance a UUID: then a repeated request counts once.")
    if len(key) > 200 or not key.isprintable():
        raise BadInput("Idempotency-Key", "takes up to 200 printable characters")
    body = await request.read()
    fingerprint = idempotency.fingerprint(request.method, request.path, body)
    async with call.house.at(call.dealer_id) as connection:
        first = await idempotency.begin(connection, call.dealer_id, call.actor, key, fingerprint)
        if first is not None and route.secret:
            raise Overtaken("request", "it was carried out before, and its answer is shown only once")
        if first is not None:
            return web.Response(status=first.status, body=first.body, content_type="application/json", headers={"Idempotency-Replayed": "true"})
        request[CALL] = Call(
            call.house.within(connection), call.dealer_id, call.actor, call.role, call.staff, call.dealer, call.session, call.scopes
        )
        response = await route.handler(request)
        assert isinstance(response, web.Response) and isinstance(response.body, bytes | None)
        answer = idempotency.Answer(response.status, b"" if route.secret else response.body or b"")
        await idempotency.keep(connection, call.dealer_id, call.actor, key, fingerprint, answer, call.house.now())
    return response


@cache
def _nobody() -> str:
    return _HASHER.hash(randomness.token_hex(16))


def _session_id(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()


def _verify(hashed: str | None, password: str) -> bool:
    """Takes as long for an address that nobody signs in with."""
    try:
        _HASHER.verify(hashed or _nobody(), password)
        return hashed is not None
    except (Argon2Error, ValueError):
        return False
