"""Live changes for the desk's open pages, and for programs."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from dealer_api import authentication
from dealer_api.app_keys import LIVE, call
from dealer_api.live import open_stream, rightful, send


async def events(request: web.Request) -> web.StreamResponse:
    """One event per change, named by its noun, with {"noun", "id"}; whoever hears it asks for what they show.

    It ends with the right to hear it.
    """
    changes = request.app[LIVE].changes(call(request).dealer_id)
    response = await open_stream(request)
    async for change in rightful(changes, partial(authentication.still, request)):
        if change is None:
            await response.write(b": still here\n\n")
        else:
            await send(response, change["noun"], change)
    return response
