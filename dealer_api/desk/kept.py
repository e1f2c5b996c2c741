"""The day sheet without the house: the worker that keeps it on the machine of whoever reads it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from aiohttp import web

_WORKER = Path(__file__).parent / "static" / "day-worker.js"


async def worker(request: web.Request) -> web.Response:
    """It may look after the schedule's pages and nothing else."""
    return web.Response(
        body=_script(),
        content_type="text/javascript",
        charset="utf-8",
        headers={"Service-Worker-Allowed": "/today", "Cache-Control": "no-cache"},
    )


@cache
def _script() -> bytes:
    return _WORKER.read_bytes()
