"""The application: the register's doors, the guard at each, and the headers that every answer carries."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from aiohttp import web

from actions.context import House
from dealer_api import authentication, bodies, cookies, doorway, error_responses, watching
from dealer_api.allowance import ALLOWANCE, Allowance
from dealer_api.app_keys import DOORS, HEALTH, HOUSE, LIVE
from dealer_api.health import Health
from dealer_api.live import Live
from dealer_api.place import LOOPBACK, PROXIES, Proxies
from dealer_api.routes import API, doors

LARGEST_BODY = 256 * 1024
STATIC = Path(__file__).parent / "desk" / "static"
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src "
    "'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
}
_BY_HTTPS_ONLY = "max-age=63072000"  #: for two years; subdomains are not ours to promise for
Extend = Callable[[web.Application], None]


def build(
    house: House,
    live: Live,
    *,
    extensions: tuple[Extend, ...] = (),
    proxies: Proxies | None = None,
    hosts: frozenset[str] = frozenset(),
    allowance: Allowance | None = None,
    body_limit_s: float = doorway.BODY_S,
) -> web.Application:
    """The whole desk. `extensions` set up a room's own parts (templates, filters) on the application.

    No `hosts`: it answers to any name.
    """
    inside = [watching.watching, error_responses.faults, doorway.own_host, bodies.storable_queries, doorway.in_time]
    app = web.Application(middlewares=inside, client_max_size=LARGEST_BODY)
    app[HOUSE], app[LIVE], app[PROXIES] = house, live, proxies or Proxies.read(LOOPBACK)
    app[doorway.HOSTS], app[doorway.BODY_LIMIT], app[ALLOWANCE] = hosts, body_limit_s, allowance or Allowance()
    app[HEALTH] = Health({"desk": house.pool, "owner_page": house.owner_pool}, live)
    app[authentication.KNOWN], app[DOORS] = authentication.Known(), API
    for extend in (*_rooms(), *extensions):
        extend(app)
    app[doorway.LARGE] = frozenset(route.path for route in doors(demo=house.demo) if route.largest is not None)
    for route in doors(demo=house.demo):
        door = authentication.guard(route)
        app.router.add_route(route.method, route.path, door)
        # a link is looked at before it is opened: the same answer, without its body
        if route.method == "GET" and not route.streams:
            app.router.add_route("HEAD", route.path, door)
    if STATIC.is_dir():
        app.router.add_static("/static", STATIC)
    app.on_response_prepare.append(_protect)
    app.on_response_prepare.append(watching.name_answer)
    app.on_shutdown.append(_end_streams)
    app.on_cleanup.append(_finish)
    app.cleanup_ctx.append(_listening)
    return app


def _rooms() -> tuple[Extend, ...]:
    """What each room of pages sets up on the application, when it has a `set_up(app)`."""
    from dealer_api import desk, inbound, owner

    return tuple(room.set_up for room in (desk, owner, inbound) if hasattr(room, "set_up"))


async def _protect(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "Telltale"  # which version of what is nobody's business
    if cookies.tls(request):
        response.headers.setdefault("Strict-Transport-Security", _BY_HTTPS_ONLY)
    if not request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")


async def _end_streams(app: web.Application) -> None:
    app[LIVE].end()


async def _finish(app: web.Application) -> None:
    await app[HOUSE].afterwards.done()


async def _listening(app: web.Application) -> AsyncIterator[None]:
    listener = asyncio.create_task(app[LIVE].run(), name="desk bell")
    yield
    listener.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listener
