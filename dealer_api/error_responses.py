"""The one place where errors become answers: RFC 9457 problem bodies for the API, a plain page for people."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable
from html import escape
from typing import Any

import structlog
from aiohttp import ClientPayloadError, web

from schemas.errors import (
    BadInput,
    DeliveryFailed,
    IllegalMove,
    NotAllowed,
    NotFound,
    Overtaken,
    TelltaleError,
    TooMany,
    TooOften,
    TooSlow,
    Unavailable,
    WrongHost,
)

log = structlog.get_logger()
GONE = 499  #: as nginx writes it: the caller did not wait
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
#: Draws a problem for people: (request, problem) -> response. The desk's pages set their own.
PAGE: web.AppKey[Callable[[web.Request, dict[str, Any]], web.Response]] = web.AppKey("fault_page")

_TITLES = {
    400: "That request is not complete",
    401: "Please sign in",
    403: "You may not do this",
    404: "Not found",
    405: "Not that way",
    408: "Too slow",
    409: "It has changed meanwhile",
    413: "Too large",
    415: "Not in a form we read",
    421: "Not here",
    422: "Something in it is not right",
    429: "Too often",
    500: "That was our fault",
    503: "Not available right now",
}


class Incomplete(TelltaleError):
    """{reason}"""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason=reason)


class NotJson(TelltaleError):
    """The body must be JSON, sent as application/json."""


def problem_of(error: BaseException) -> dict[str, Any]:
    """The problem body of any error; of our own bugs it shows an id only."""
    match error:
        case BadInput():
            more: dict[str, Any] = {"windows": error.windows} if error.windows else {}
            return _problem(422, str(error), field=error.field, **more)
        case Incomplete():
            return _problem(400, str(error))
        case NotJson():
            return _problem(415, str(error))
        case TooOften():
            return _problem(429, str(error))
        case TooMany():
            return _problem(429, str(error), retry_after=error.seconds)
        case TooSlow():
            return _problem(408, str(error))
        case WrongHost():
            return _problem(421, str(error))
        case NotAllowed():
            return _problem(403 if error.signed_in else 401, error.reason)
        case NotFound():
            return _problem(404, "There is no such thing here.")
        case IllegalMove():
            return _problem(409, str(error), kind="illegal-move", state=error.state, allowed=list(error.allowed))
        case Overtaken():
            return _problem(409, str(error), kind="overtaken", **({"windows": error.windows} if error.windows else {}))
        case Unavailable():
            return _problem(503, "This takes longer than it should. Please try again in a moment.")
        case DeliveryFailed():
            return _problem(409, str(error), kind="delivery-failed")
        case web.HTTPException():
            return _problem(error.status, error.text if error.status == 413 else error.reason)
        case _:
            number = secrets.token_hex(4)
            log.error("bug", id=number, exc_info=error)
            return _problem(500, f"This is our bug, number {number}. It has been logged.")


def _problem(status: int, detail: str | None, kind: str = "", **more: Any) -> dict[str, Any]:
    name = kind or {
        400: "incomplete",
        401: "sign-in",
        403: "not-allowed",
        404: "not-found",
        408: "too-slow",
        413: "too-large",
        415: "not-json",
        421: "wrong-host",
        422: "bad-input",
        429: "too-often",
        503: "unavailable",
    }.get(status, "error")
    return {
        "type": f"/problems/{name}",
        "title": _TITLES.get(status, "It did not work"),
        "status": status,
        "detail": detail or "",
        **more,
    }


def answer(request: web.Request, problem: dict[str, Any]) -> web.Response:
    """The same problem for a program or for a person."""
    status = int(problem["status"])
    if request.path.startswith("/api/"):
        response = web.Response(
            status=status, body=json.dumps(problem).encode(), content_type="application/problem+json"
        )
    elif status == 401 and request.method in ("GET", "HEAD"):
        response = web.Response(status=303, headers={"Location": f"/sign-in?next={request.rel_url.raw_path}"})
    else:
        response = request.app[PAGE](request, problem) if PAGE in request.app else plain_page(problem)
    if status == 503 or "retry_after" in problem:
        response.headers["Retry-After"] = str(problem.get("retry_after", 2))
    if status == 408:
        response.force_close()
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def plain_page(problem: dict[str, Any]) -> web.Response:
    """A page without decoration, for when nothing else can be drawn."""
    title = escape(problem["title"])
    body = (
        f"<!doctype html><meta charset=utf-8><title>{title}</title><h1>{title}</h1><p>{escape(problem['detail'])}</p>"
    )
    return web.Response(status=int(problem["status"]), text=body, content_type="text/html")


@web.middleware
async def faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost: whatever goes wrong inside becomes an answer here."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        response = answer(request, problem_of(error))
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except Exception as error:
        if _gone(request, error):
            return web.Response(status=GONE)
        return answer(request, problem_of(error))


def _gone(request: web.Request, error: Exception) -> bool:
    """Whether the caller left before the end, of what they sent or of what they were told: no fault of anybody's, and
    nobody reads the answer.
    """
    return isinstance(error, ConnectionError | ClientPayloadError) and (
        request.transport is None or request.transport.is_closing()
    )
