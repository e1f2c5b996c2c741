"""A car changes hands, over the API: its photos one by one, then the record; and reading both."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from actions import handovers as acts
from actions.handovers import Kept
from dealer_api.app_keys import call
from dealer_api.bodies import Body, Page, Query, asked, number, read, reply
from schemas.handover import Energy, Filled, Handover, HandoverKind, Mark, Photo, View
from store import bookings

_KEPT_S = 3_600  #: a photo never changes; a browser may keep it for its reader for a while


class PhotoQuery(Query):
    """For which end, what it shows, and a key of the sender's: the same photo sent twice is one."""

    kind: HandoverKind
    view: View
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]


class NewRecord(Filled, Body):
    """What somebody fills in at one end; a signature as strokes, or the one-time code of the owner's page."""

    kind: HandoverKind


class Picture(BaseModel):
    """A photo as it is kept; `GET /api/v1/photos/{id}` is the picture itself."""

    id: int
    kind: HandoverKind
    view: View
    sha256: str
    size: int
    width: int
    height: int
    stored_at: datetime
    there: bool  #: its picture is there still: it goes with its person


class Record(BaseModel):
    """A record. `stands`: it is what was written, bit by bit; `hash` is over all of it."""

    id: int
    booking_id: int
    leg_id: int | None
    loaner_id: int | None
    kind: HandoverKind
    odometer_km: int
    energy: Energy
    energy_percent: int
    keys: int
    marks: list[Mark]
    photos: list[Picture]
    proof: str
    name: str
    note: str
    signature: list[list[int]]
    made_at: datetime
    recorded_at: datetime
    by: str
    hash: str
    stands: bool


async def listed(request: web.Request) -> web.Response:
    caller, booking_id = call(request), number(request)
    async with caller.house.at(caller.dealer_id) as connection:
        await bookings.get(connection, caller.dealer_id, booking_id)
        found = await acts.of_visit(connection, caller.dealer_id, booking_id)
    return reply(Page[Record](items=[_record(kept) for kept in found]))


async def write(request: web.Request) -> web.Response:
    caller, booking_id, body = call(request), number(request), await read(request, NewRecord)
    filled = Filled(**body.model_dump(exclude={"kind"}))
    record = await acts.write(caller, booking_id, body.kind, filled)
    async with caller.house.at(caller.dealer_id) as connection:
        found = await acts.of_visit(connection, caller.dealer_id, booking_id)
    return reply(_record(next(kept for kept in found if kept.record.id == record.id)), 201)


async def add_photo(request: web.Request) -> web.Response:
    """The body is the picture itself."""
    caller, booking_id, query = call(request), number(request), asked(request, PhotoQuery)
    photo = await acts.add_photo(
        caller, booking_id, kind=query.kind, view=query.view, key=query.key, raw=await request.read()
    )
    return reply(_picture(photo), 201)


async def show_photo(request: web.Request) -> web.Response:
    caller = call(request)
    return picture_response(await acts.picture(caller, number(request)))


def picture_response(body: bytes) -> web.Response:
    """A JPEG that nobody but its reader keeps."""
    return web.Response(body=body, content_type="image/jpeg", headers={"Cache-Control": f"private, max-age={_KEPT_S}"})


def _record(kept: Kept) -> Record:
    record: Handover = kept.record
    same = record.model_dump(include=set(Record.model_fields) - {"photos", "hash"})
    return Record(
        **same,
        photos=[_picture(photo) for photo in kept.photos],
        by=record.actor,
        hash=record.hash.hex(),
        stands=kept.broken is None,
    )


def _picture(photo: Photo) -> Picture:
    return Picture(**photo.model_dump(include=set(Picture.model_fields)), there=bool(photo.place))
