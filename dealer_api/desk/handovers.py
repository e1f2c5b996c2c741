"""Pictures of handover records, at the desk."""

from __future__ import annotations

from aiohttp import web

from actions import handovers as acts
from dealer_api.api.handovers import picture_response
from dealer_api.app_keys import call
from dealer_api.desk.page import id_of


async def photo(request: web.Request) -> web.Response:
    """One JPEG."""
    return picture_response(await acts.picture(call(request), id_of(request)))
