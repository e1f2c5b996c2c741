"""The API's own description, made from the register of its doors."""

from __future__ import annotations

from functools import cache

from aiohttp import web


async def openapi(request: web.Request) -> web.Response:
    return web.Response(body=_document(), content_type="application/json")


@cache
def _document() -> bytes:
    import json

    from dealer_api.openapi import document
    from dealer_api.routes import API

    return json.dumps(document(API), indent=1).encode()
