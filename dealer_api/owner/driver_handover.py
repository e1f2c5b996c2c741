"""The driver's page on which a car changes hands: photos, mileage, damage, keys, a signature. It works without a
script;
with one it works without network, too.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from actions import handovers as acts
from actions.context import Acting
from dealer_api import doorway, error_responses
from dealer_api.bodies import bad_input, posted
from dealer_api.clashes import unclashed
from dealer_api.owner.driver_page import Road, ends_of, road_to, wants_json
from dealer_api.owner.links import forgiving, form_of
from dealer_api.owner.pages import APP_HEADERS, HEADERS, draw, see_other
from rules.service.handover import SIDES
from rules.service.photographs import LARGEST
from schemas.errors import BadInput, IllegalMove, NotAllowed, Overtaken, TelltaleError, TooOften, Unavailable
from schemas.handover import Energy, Filled, HandoverKind, Harm, View
from store import handovers
from store.views.drives import Drive

#: Where damage lies, for whoever does not point at the outline: name and its middle, nose to tail and left to right.
ZONES: Mapping[str, tuple[float, float]] = {
    "front-left": (0.08, 0.2),
    "front": (0.05, 0.5),
    "front-right": (0.08, 0.8),
    "left": (0.5, 0.08),
    "top": (0.5, 0.5),
    "right": (0.5, 0.92),
    "rear-left": (0.92, 0.2),
    "rear": (0.95, 0.5),
    "rear-right": (0.92, 0.8),
}
_ROWS = 3  #: of damage that can be said without a script
_REFUSALS = (BadInput, IllegalMove, Overtaken, NotAllowed, TooOften, Unavailable)


@dataclass(frozen=True, slots=True)
class End:
    """One end of a drive: which car, and what there is of its record."""

    road: Road
    drive: Drive
    kind: HandoverKind

    @property
    def booking_id(self) -> int:
        return self.drive.leg.booking_id

    @property
    def here(self) -> str:
        """The address of this form."""
        return f"{self.road.here}/handover?leg={self.drive.leg.id}&kind={self.kind.value}"

    @property
    def day(self) -> str:
        """Back to the drives."""
        return f"{self.road.here}?leg={self.drive.leg.id}"

    @property
    def acting(self) -> Acting:
        """Whoever holds the link, or is signed in."""
        road = self.road
        return road.house.acting(road.dealer.id, f"staff:{road.staff.id}" if road.staff else "driver")


async def _end(request: web.Request, asked: Mapping[str, str]) -> End:
    road = await road_to(request, asked.get("leg", ""))
    drive = next((drive for drive in road.drives if str(drive.leg.id) == asked.get("leg")), None)
    if drive is None:
        raise BadInput("leg", "is not one of your drives")
    kinds = ends_of(drive)
    if not kinds:
        raise BadInput("leg", "is a mobile repair: the car stays with its owner, and nothing changes hands")
    kind = next((kind for kind in kinds if kind == asked.get("kind", kinds[0])), None)
    if kind is None:
        raise BadInput("kind", f"is one of {', '.join(kinds)}")
    return End(road, drive, kind)


@forgiving
async def show(request: web.Request) -> web.StreamResponse:
    """The form, or the record once it is written."""
    return await _page(await _end(request, request.query))


async def _page(
    end: End, *, problem: str = "", kept: Mapping[str, str] | None = None, status: int = 200
) -> web.Response:
    road = end.road
    async with road.house.at(road.dealer.id) as connection:
        record = await handovers.find(connection, road.dealer.id, end.booking_id, end.kind)
        photos = await handovers.photos(connection, road.dealer.id, end.booking_id, end.kind)
    return draw(
        "handover.html",
        road.speech,
        status=status,
        headers=APP_HEADERS,
        dealer=road.dealer,
        here=road.here,
        form=end.here,
        day=end.day,
        csrf=road.csrf,
        lapse=road.lapse,
        drive=end.drive,
        kind=end.kind.value,
        record=record,
        taken=[photo.view.value for photo in photos],
        views=[*(side.value for side in SIDES), View.INSIDE.value, View.DETAIL.value],
        needed=[side.value for side in SIDES],
        zones=ZONES,
        harms=[harm.value for harm in Harm],
        energies=[energy.value for energy in Energy],
        rows=range(_ROWS),
        key=secrets.token_urlsafe(12),
        problem=problem,
        kept=kept or {},
    )


async def add_photo(request: web.Request) -> web.StreamResponse:
    """One photo: a form with a file. A script asks for JSON and gets a problem as one."""
    end = await _end(request, request.query)
    if "token" in request.match_info:  # a session's form was read at the door
        request = await doorway.large(request, LARGEST)
    try:
        found = await posted(request)
        file, view, key = found.get("photo"), str(found.get("view", "")), str(found.get("key", ""))
        if not isinstance(file, web.FileField):
            raise BadInput("photo", "is missing")
        if view not in list(View):
            raise BadInput("view", f"is one of {', '.join(View)}")
        if not 8 <= len(key) <= 64 or not key.isascii():
            raise BadInput("key", "is 8 to 64 letters, digits, - or _")
        await acts.add_photo(end.acting, end.booking_id, kind=end.kind, view=View(view), key=key, raw=file.file.read())
    except _REFUSALS as error:
        return await _refused(request, end, error, {})
    return _taken(request, end.here)


async def write(request: web.Request) -> web.StreamResponse:
    """The record. Sent again with the same key it is the same one."""
    end = await _end(request, request.query)
    form = await form_of(request)
    try:
        filled = _filled(form, await posted(request))
        await unclashed(lambda: acts.write(end.acting, end.booking_id, end.kind, filled))
    except _REFUSALS as error:
        return await _refused(request, end, error, form)
    return _taken(request, end.day)


def _filled(form: Mapping[str, str], fields: Any) -> Filled:
    marks = []
    for at, harm, note in zip(
        fields.getall("mark_at", []), fields.getall("mark_harm", []), fields.getall("mark_note", []), strict=False
    ):
        if at:
            x, _, y = str(at).partition(",")
            marks.append({"x": x, "y": y, "harm": harm, "note": note})
    values: dict[str, Any] = {name: form[name] for name in Filled.model_fields if form.get(name, "").strip()}
    try:
        signature = json.loads(form.get("signature") or "[]")
        return Filled.model_validate({**values, "marks": marks, "signature": signature})
    except ValidationError as error:
        raise bad_input(error) from None
    except (ValueError, RecursionError):
        raise BadInput("signature", "cannot be read") from None


def _taken(request: web.Request, to: str) -> web.Response:
    return web.json_response({"ok": True}, headers=HEADERS) if wants_json(request) else see_other(to)


async def _refused(request: web.Request, end: End, error: TelltaleError, form: Mapping[str, str]) -> web.Response:
    problem = error_responses.problem_of(error)
    words = _words(end, error)
    if wants_json(request):
        return web.json_response({**problem, "words": words}, status=problem["status"], headers=HEADERS)
    return await _page(end, problem=words, kept=form, status=int(problem["status"]))


def _words(end: End, error: TelltaleError) -> str:
    """Why not, in the driver's language."""
    say = end.road.speech.say
    match error:
        case BadInput(field="photos"):
            return say("handover-needs-photos")
        case BadInput(field="photo"):
            return say("handover-no-photo")
        case BadInput(field="signature"):
            return say("handover-needs-signature")
        case BadInput(field="code"):
            return say("handover-wrong-code")
        case BadInput(field="odometer_km"):
            return say("handover-odometer")
        case BadInput():
            return say("handover-incomplete", field=error.field)
        case TooOften():
            return say("handover-too-often", minutes=error.minutes)
        case Unavailable():
            return say("offline")
        case _:
            return say("overtaken")
