"""Drawing a page: templates, the strict headers that all of these pages share, and their few static files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from aiohttp import web

from dealer_api.owner.formatting import LANGUAGES, Speech

_HERE = Path(__file__).parent
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
STATIC = "/pages"
#: A page may load from us only, talks to us only, is framed by nobody, and tells nobody where its reader came from.
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action "
        "'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}
#: An app of ours besides: it keeps pages for when there is no network, and shows a picture before it has gone.
APP_HEADERS = {
    **HEADERS,
    "Content-Security-Policy": HEADERS["Content-Security-Policy"].replace("img-src 'self'", "img-src 'self' blob:")
    + "; manifest-src 'self'; worker-src 'self'",
    # the driver may let a customer see where they are
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self), payment=(), usb=(), display-capture=()",
}


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """Every static file with its content type, read once."""
    return {
        path.name: (path.read_bytes(), _KINDS[path.suffix])
        for path in sorted((_HERE / "static").iterdir())
        if path.suffix in _KINDS
    }


@cache
def static(name: str) -> str:
    """The address of a static file; it changes with the content, so that browsers may keep it."""
    return f"{STATIC}/{hashlib.sha256(_files()[name][0]).hexdigest()[:10]}/{name}"


@cache
def _templates() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(static=static, languages=LANGUAGES)
    return made


def draw(
    template: str, speech: Speech, *, status: int = 200, headers: Mapping[str, str] = HEADERS, **facts: Any
) -> web.Response:
    """A page in this person's language."""
    page = (
        _templates()
        .get_template(template)
        .render(
            say=speech.say,
            speak=speech,
            lang=speech.language,
            **{"lapse": None, "notice": None, "trouble": False, **facts},
        )
    )
    return web.Response(status=status, text=page, content_type="text/html", headers=headers)


def see_other(where: str) -> web.Response:
    """After a POST: look at the page again, so that a reload repeats nothing."""
    return web.Response(status=303, headers={**HEADERS, "Location": where})


async def worker(request: web.Request) -> web.Response:
    """The driver's app without a network. It may serve their pages, wherever these lie."""
    return web.Response(
        body=_files()["driver-worker.js"][0],
        content_type="text/javascript",
        charset="utf-8",
        headers={"Service-Worker-Allowed": "/", "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"},
    )


async def static_file(request: web.Request) -> web.Response:
    """One of our own files, by its content's address."""
    found = _files().get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    return web.Response(
        body=found[0],
        content_type=found[1],
        charset="utf-8",
        headers={"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"},
    )
