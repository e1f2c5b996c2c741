"""Around every request: its id, its line in the log, what is counted.

By the route in the register, never by what was typed.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from contextlib import AbstractContextManager

import structlog
from aiohttp import web

from dealer_api import metrics
from dealer_api.app_keys import CALL
from dealer_api.error_responses import GONE
from dealer_api.route import Handler
from monitoring import tracing

log = structlog.get_logger()

REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
HEADER = "X-Request-Id"
#: What a caller may name a request: long enough to be unlikely, and no telephone number, mail address or sentence.
_ID = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = frozenset({"/health/live", "/health/ready", "/static"})  #: asked every few seconds, or with every page
_SIGN_INS = frozenset({"/sign-in", "/api/v1/session"})


@web.middleware
async def watching(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost, so that what went wrong inside is an answer already."""
    request[REQUEST_ID] = name = _name(request)
    began = time.perf_counter()
    status, streams = 500, False
    with structlog.contextvars.bound_contextvars(request=name), _span(request, name) as note:
        try:
            response = await handler(request)
            status, streams = response.status, response.content_type == "text/event-stream"
            note("status", status)
            return response
        except web.HTTPException as error:  # a redirect, raised
            status = error.status
            raise
        except asyncio.CancelledError:
            status = GONE
            raise
        finally:
            _count(request, status, time.perf_counter() - began, streams)


def _span(request: web.Request, name: str) -> AbstractContextManager[tracing.Note]:
    """A trace begins with whoever changes something: what they cause carries it on.

    What a caller says of a trace of theirs is not believed.
    """
    if request.method in ("GET", "HEAD", "OPTIONS") or not tracing.on():
        return tracing.NOTHING
    return tracing.span(f"{_method(request)} {_route(request)}", kind="server", request=name)


async def name_answer(request: web.Request, response: web.StreamResponse) -> None:
    """Before the headers go: the id, by which people can tell us which request they mean."""
    if REQUEST_ID in request:
        response.headers[HEADER] = request[REQUEST_ID]


def _name(request: web.Request) -> str:
    header = request.headers.get(HEADER, "")
    return header if _ID.fullmatch(header) else secrets.token_hex(8)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


def _method(request: web.Request) -> str:
    return request.method if request.method in _METHODS else "other"


def _count(request: web.Request, status: int, seconds: float, streams: bool) -> None:
    route, method = _route(request), _method(request)
    metrics.REQUESTS.labels(method, route, status).inc()
    if not streams:
        metrics.SECONDS.labels(route).observe(seconds)
    if status == 429:
        metrics.LIMITED.labels(route).inc()
    if status == 401 and method == "POST" and route in _SIGN_INS:
        metrics.SIGN_INS_FAILED.inc()
    say = log.debug if route in _QUIET else log.warning if status >= 500 and status != GONE else log.info
    who = {"dealer": request[CALL].dealer_id} if CALL in request else {}
    say("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1), **who)
