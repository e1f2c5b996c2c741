"""For a load balancer on the public port: yes or no, and nothing else. Who watches us asks the health port."""

from __future__ import annotations

from aiohttp import web

from dealer_api.app_keys import HEALTH


async def live(request: web.Request) -> web.Response:
    """This process answers."""
    return web.json_response({"live": True})


async def ready(request: web.Request) -> web.Response:
    """Ready means that the database answers and the desk's bell is heard."""
    good = not (await request.app[HEALTH].state()).faults
    return web.json_response({"ready": good}, status=200 if good else 503, headers={} if good else {"Retry-After": "2"})
