"""What every request passes before anybody looks at it: its Host is ours, and what it brings comes in time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from urllib.parse import urlsplit

from aiohttp import web

from dealer_api import bodies
from dealer_api.error_responses import Handler
from schemas.errors import Misconfigured, TooSlow, WrongHost

BODY_S = 10.0  #: within which a body must have come, however many bytes at a time
PICTURE_S = 60.0  #: the same where a picture comes: out there the network is slow
LINGER_S = 2.0  #: for which the rest of a refused body is read, so that the answer arrives before the connection ends
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PROBES = "/health/"  #: asked by number from within, by whoever runs the machines

HOSTS: web.AppKey[frozenset[str]] = web.AppKey("hosts", frozenset)
#: Paths in the register of doors that take pictures: nobody's is read before it is known whose it is.
LARGE: web.AppKey[frozenset[str]] = web.AppKey("large", frozenset)
BODY_LIMIT: web.AppKey[float] = web.AppKey("body_limit", float)


def hosts(public_url: str, more: str = "", listening: Iterable[str] = ()) -> frozenset[str]:
    """The names that we answer to, without ports: the public address's, this machine's own, and what else was set.

    None without a public address: then any.
    """
    if not public_url:
        return frozenset()
    own = urlsplit(public_url).hostname
    if not own:
        raise Misconfigured("TELLTALE_PUBLIC_URL", "must name a host, as in https://telltale.example")
    named = [name.strip().lower() for name in more.split(",") if name.strip()]
    return frozenset({own, *LOOPBACK, *named, *(name for name in listening if name not in ("0.0.0.0", "::"))})


@web.middleware
async def own_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A name of somebody else that leads here is not answered: nothing that we say could be taken for theirs, or the
    other way round.
    """
    allowed = request.app[HOSTS]
    if allowed and not request.path.startswith(_PROBES):
        name = _name(request.host)
        if name not in allowed:
            raise WrongHost(name)
    return await handler(request)


@web.middleware
async def in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Read the body to its end before anything is done, or give up on it.

    It is kept by the request, for whoever asks for it.
    """
    if request.body_exists:
        resource = request.match_info.route.resource
        if resource is not None and resource.canonical in request.app[LARGE]:
            return await handler(request)  # read once it is known who sends it: see `large`
        try:
            async with asyncio.timeout(request.app[BODY_LIMIT]):
                await (bodies.posted(request) if _in_parts(request) else request.read())
        except TimeoutError:
            raise TooSlow() from None
    return await handler(request)


async def large(request: web.Request, largest: int) -> web.Request:
    """The same request with a body of up to `largest` bytes, read to its end; for somebody whom we know."""
    found = request.clone(client_max_size=largest)
    try:
        async with asyncio.timeout(max(request.app[BODY_LIMIT], PICTURE_S)):
            await (bodies.posted(found) if _in_parts(found) else found.read())
    except TimeoutError:
        raise TooSlow() from None
    return found


def _in_parts(request: web.Request) -> bool:
    return request.content_type.startswith("multipart/") and not request.path.startswith("/api/")


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower().rstrip(".")
    except ValueError:
        return ""
