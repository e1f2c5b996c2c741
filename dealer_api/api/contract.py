"""The API's own description, made from the register of its doors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

from aiohttp import web

from dealer_api.app_keys import DOORS
from dealer_api.openapi import document
from dealer_api.route import Route


async def openapi(request: web.Request) -> web.Response:
    return web.Response(body=_document(request.app[DOORS]), content_type="application/json")


@cache
def _document(doors: Sequence[Route]) -> bytes:
    return json.dumps(document(doors), indent=1).encode()
