"""The cookies that say who is here: the session, and the browser from which somebody has signed in before.

By https their names begin with __Host-: then no other host of the same domain can set them, and they come back by https
only.
"""

from __future__ import annotations

from aiohttp import web

from actions.visitor import Visitor
from dealer_api.app_keys import HOUSE
from dealer_api.place import is_https, place_of
from store import sessions

SESSION, DEVICE = "telltale_session", "telltale_device"
_DEVICE_S = 400 * 24 * 3600  #: what browsers keep at most


def name_of(request: web.Request, name: str) -> str:
    """The cookie's name at this address."""
    return f"__Host-{name}" if tls(request) else name


def read(request: web.Request, name: str) -> str:
    """What the browser brought; nothing when it brought none."""
    return request.cookies.get(name_of(request, name), "")


def give(request: web.Request, response: web.StreamResponse, session: str, device: str) -> None:
    """Both, for somebody who has just signed in: not for scripts, not for other sites."""
    _set(request, response, name=SESSION, value=session, seconds=int(sessions.LIFE.total_seconds()))
    if device:  # who still owes the second factor is not known here
        _set(request, response, name=DEVICE, value=device, seconds=_DEVICE_S)


def take(request: web.Request, response: web.StreamResponse) -> None:
    """Forget the session; the browser stays known."""
    response.del_cookie(name_of(request, SESSION), path="/", secure=tls(request))


def visitor(request: web.Request) -> Visitor:
    """Who stands at the door before we know who they are."""
    return Visitor(place=place_of(request), device=read(request, DEVICE), agent=request.headers.get("User-Agent", ""))


def _set(request: web.Request, response: web.StreamResponse, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name_of(request, name), value, max_age=seconds, httponly=True, samesite="Lax", secure=tls(request), path="/"
    )


def tls(request: web.Request) -> bool:
    """Whether whoever asks comes by https, here or at a proxy of ours."""
    return request.app[HOUSE].base_url.startswith("https:") or is_https(request)
