"""Live changes for the desk's open pages."""

from __future__ import annotations

from aiohttp import web

from dealer_api.keys import LIVE, call
from dealer_api.live import open_stream, send


async def events(request: web.Request) -> web.StreamResponse:
    """One event per change, named by its noun, with {"noun", "id"}; the page asks for what it shows."""
    dealer_id = call(request).dealer_id
    response = await open_stream(request)
    async for change in request.app[LIVE].changes(dealer_id):
        if change is None:
            await response.write(b": still here\n\n")
        else:
            await send(response, change["noun"], change)
    return response
