"""What is held about an owner, as they read it: in their language and on their clock; and the same for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aiohttp import web
from babel.dates import format_datetime

from actions import exporting
from dealer_api import readings_file
from dealer_api.app_keys import call
from dealer_api.desk import export_words
from dealer_api.desk.page import id_of, page
from dealer_api.owner.formatting import LANGUAGES
from schemas.consent import Owner
from schemas.moment import local
from store import owners

_MOMENTS = ("at", "since", "until")
_PRIVATE = {"Cache-Control": "no-store"}


async def show(request: web.Request) -> web.Response:
    caller = call(request)
    found = await exporting.whole(caller, id_of(request), "a page")
    async with caller.house.at(caller.dealer_id) as connection:
        owner = await owners.get(connection, caller.dealer_id, found.owner_id)
    say = export_words.of(owner.language)
    parts = [
        (
            say[name],
            [say[column] for column in columns],
            [[_cell(column, row.get(column), owner, say) for column in columns] for row in found.parts[name]],
        )
        for name, columns in export_words.SHOWN.items()
    ]
    response = await page(
        request,
        "export.html",
        owner=owner,
        say=say,
        lang=export_words.spoken(owner.language),
        parts=[part for part in parts if part[2]],
        empty=[part[0] for part in parts if not part[2]],
        made=_cell("made_at", found.made_at.isoformat(), owner, say),
    )
    response.headers.update(_PRIVATE)
    return response


async def download(request: web.Request) -> web.Response:
    caller = call(request)
    found = await exporting.whole(caller, id_of(request), "JSON")
    named = {"Content-Disposition": f'attachment; filename="owner-{found.owner_id}.json"', **_PRIVATE}
    return web.Response(body=found.model_dump_json(indent=1).encode(), content_type="application/json", headers=named)


async def download_readings(request: web.Request) -> web.StreamResponse:
    return await readings_file.send(request, id_of(request))


def _cell(column: str, value: Any, owner: Owner, say: dict[str, str]) -> str:
    """By its column, never by its look: what a person wrote may look like anything."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return say["yes" if value else "no"]
    if column in _MOMENTS or column.endswith("_at"):
        return str(
            format_datetime(
                local(datetime.fromisoformat(value), owner.zone),
                "d MMM y, HH:mm",
                locale=export_words.spoken(owner.language),
            )
        )
    return LANGUAGES.get(str(value), str(value)) if column == "language" else export_words.state(say, str(value))
