"""Is this process alive, can it reach its database, what has it counted."""

from __future__ import annotations

import asyncio

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from dealer_api.keys import HOUSE, LIVE
from schemas.errors import NotFound, Unavailable

_NEIGHBOURS = ("127.0.0.1", "::1")


async def live(request: web.Request) -> web.Response:
    return web.json_response({"live": True})


async def ready(request: web.Request) -> web.Response:
    """Ready means that the database answers and the desk's bell is heard."""
    try:
        async with asyncio.timeout(3), request.app[HOUSE].at(None) as connection:
            await connection.execute("SELECT 1")
        database = True
    except (Unavailable, TimeoutError, OSError):
        database = False
    bell = request.app[LIVE].listening.is_set()
    return web.json_response({"ready": database and bell, "database": database, "bell": bell}, status=200 if database and bell else 503)


async def metrics(request: web.Request) -> web.Response:
    """For the scraper beside us; through a proxy, and from elsewhere, there is no such page."""
    if request.remote not in _NEIGHBOURS or "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        raise NotFound("page")
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
