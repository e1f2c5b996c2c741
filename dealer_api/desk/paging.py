"""Lists in pages: where the last one ended stands in the address, and what was left behind is said."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from dealer_api.bodies import row_number
from schemas.errors import BadInput

SHOWN = 50  #: lines of a page


def after_name(request: web.Request) -> tuple[str, int] | None:
    """(name, id) of the last line of the page before; BadInput where that is none."""
    written = request.query.get("after")
    if not written:
        return None
    name, mark, number = written.rpartition("~")
    return name.replace("\x00", ""), _whole(number if mark else "")


def after_place(request: web.Request) -> tuple[int, int, int] | None:
    """(rank, place, id) of the last line of the page before, for a list that is not by name."""
    written = request.query.get("after")
    if not written:
        return None
    parts = written.split("~")
    if len(parts) != 3:
        raise BadInput("after", "is no page of this list")
    rank, place, number = parts
    sign = -1 if place.startswith("-") else 1
    return _whole(rank), sign * _whole(place.lstrip("-")), _whole(number)


def onward(path: str, after: tuple[object, ...], **query: str) -> str:
    """The address of the next page; empty parts are left out."""
    asked = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode({**asked, 'after': '~'.join(str(part) for part in after)})}"


def _whole(text: str) -> int:
    found = 0 if text == "0" else row_number(text)
    if found is None:
        raise BadInput("after", "is no page of this list")
    return found
