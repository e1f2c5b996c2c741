"""Whose language is spoken while a request is answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from aiohttp import web

from dealer_api.app_keys import CALL
from schemas.errors import BadInput

#: How people name their language themselves; English is what the templates and the code are written in.
LANGUAGES = {"en": "English", "de": "Deutsch", "es": "Español", "ar": "العربية"}
ENGLISH = "en"
COOKIE = "telltale_language"  #: of a browser on which nobody is signed in yet
_RIGHT_TO_LEFT = frozenset({"ar"})
_spoken: ContextVar[str] = ContextVar("desk_language", default=ENGLISH)
_WISH = re.compile(r"\s*([a-zA-Z]{1,8})[\w-]*\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*")


def language() -> str:
    """The language of whoever reads what is being drawn."""
    return _spoken.get()


def locale() -> str:
    """For numbers and dates."""
    return _spoken.get() if _spoken.get() in ("en", "de", "es", "ar") else "de"  # the made-up one of tests


def right_to_left() -> bool:
    """Whether that language runs from the right."""
    return _spoken.get() in _RIGHT_TO_LEFT


def direction() -> str:
    """For `<html dir>`."""
    return "rtl" if right_to_left() else "ltr"


@contextmanager
def reading(tag: str) -> Iterator[str]:
    """All that is drawn inside is for somebody of this language."""
    token = _spoken.set(tag)
    try:
        yield tag
    finally:
        _spoken.reset(token)


def spoken(tag: str | None) -> str:
    """That language where the desk speaks it, else English."""
    return tag if tag in LANGUAGES else ENGLISH


def of(request: web.Request) -> str:
    """Whoever asks: their own choice when they are known; else what they chose on this browser, or what it prefers."""
    call = request.get(CALL)
    if call is not None and call.staff is not None:
        return spoken(call.staff.language)
    chosen = request.query.get("language") or request.cookies.get(COOKIE)
    return spoken(chosen) if chosen else wished(request.headers.get("Accept-Language", ""))


def chosen(tag: str) -> str:
    """A language out of a form, or BadInput."""
    if tag not in LANGUAGES:
        raise BadInput("language", "choose one of the list")
    return tag


def wished(header: str) -> str:
    """What a browser would rather read, out of its Accept-Language, among what we speak."""
    best, most = ENGLISH, 0.0
    for part in header[:500].split(","):
        found = _WISH.fullmatch(part)
        tag, weight = (found[1].lower(), float(found[2] or 1)) if found else ("", 0.0)
        if tag in LANGUAGES and weight > most:
            best, most = tag, weight
    return best
