"""Offering windows: what would be held and the very text, seen before it is sent; and the owner's answer by
telephone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from actions import bookings
from actions import offers as acts
from actions.booking_agreement import address_for
from actions.driving import stays
from actions.free_time import asks_of, free_options, taken_from
from actions.texts import compose, permission_for
from dealer_api.app_keys import Call, call
from dealer_api.bodies import posted, when
from dealer_api.desk import formatting
from dealer_api.desk.page import back, form, go, id_of, page, refused, row_of
from rules.service import capacity, driving
from rules.service.offering import Ask, Ring, asked
from rules.service.wording import Text
from schemas.booking import BookingKind
from schemas.case import CASE, CaseEvent
from schemas.errors import BadInput, Overtaken, TelltaleError
from schemas.message import MessageKind
from store import slots
from store.pool import Connection
from store.views import casefile
from store.views.casefile import CaseFile

_TOKEN = "x" * 43  # as long as a real one, so that the parts are counted right


@dataclass(frozen=True, slots=True)
class Free:
    """A window that could be held now."""

    starts_at: datetime
    ends_at: datetime
    ready_by: datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would be held and sent now; or why nothing can be sent."""

    windows: tuple[Free, ...]
    text: Text | None = None  #: counted with a link as long as the real one will be
    shown: str = ""  #: the same with that link cut short
    waits: str | None = None  #: why it does not go at once
    ring: str | None = None  #: why no text would reach them: a person rings, and books


async def show(request: web.Request) -> web.Response:
    caller, case_id = call(request), id_of(request)
    asked = request.query.get("kind")
    try:
        async with caller.house.at(caller.dealer_id) as connection:
            file = await casefile.load(connection, caller.dealer_id, case_id)
            CASE.next(file.case.state, CaseEvent.OFFERED)
            if file.owner is None:
                raise BadInput("owner", "nobody is known as the owner of this car, so there is nobody to write to")
            towed = await stays(connection, file.case)
            usual = driving.usual(towed)
            if usual is BookingKind.PICKUP and not file.owner.address:
                usual = BookingKind.DROP_OFF
            kind = next((way for way in driving.ways(towed) if way.value == asked), usual)
            await address_for(connection, file.case, kind)
            proposal = await _proposal(caller, connection, file, kind)
            asks = await asks_of(connection, caller.dealer, caller.now(), case=file.case)
            resources = await slots.resources(connection, caller.dealer_id)
            why = acts.nothing_free(kind, resources, asks)
            more = await free_options(caller.house, connection, caller.dealer, kind, asks=asks)
    except TelltaleError as error:
        return refused(error, f"/cases/{case_id}")
    return await page(
        request,
        "offer.html",
        file=file,
        kind=kind.value,
        ways=[way for way in driving.ways(towed) if way is kind or asks.places.lacks(way) is None],
        towed=towed,
        proposal=proposal,
        more=more,
        why=formatting.sentence(why),
        parts=asks.parts,
    )


async def send(request: web.Request) -> web.Response:
    caller, case_id = call(request), id_of(request)
    fields = await posted(request)
    kind = str(fields.get("kind", ""))
    again = f"/cases/{case_id}/offer" + (f"?kind={kind}" if kind in formatting.KINDS else "")
    try:
        if kind not in formatting.KINDS:
            raise BadInput("kind", "choose how the car comes to you")
        starts = [when(str(start), "window") for start in fields.getall("window", [])]
        if not starts:
            raise BadInput("window", "choose the windows on the page")
        await acts.make(caller, case_id, BookingKind(kind), starts)
    except Overtaken as error:
        return refused(error, again if error.noun == "window" else f"/cases/{case_id}", caller)
    except TelltaleError as error:
        return refused(error, f"/cases/{case_id}")
    return go(f"/cases/{case_id}", "The windows are held and the text is on its way.")


async def book(request: web.Request) -> web.Response:
    """Agreed while they were on the telephone: this window, now."""
    caller, case_id, fields = call(request), id_of(request), await form(request)
    kind = fields.get("kind", "")
    try:
        if kind not in formatting.KINDS:
            raise BadInput("kind", "choose how the car comes to you")
        await bookings.book(caller, case_id, BookingKind(kind), when(fields.get("window", ""), "window"))
    except TelltaleError as error:
        return refused(
            error, f"/cases/{case_id}/offer?kind={kind}" if kind in formatting.KINDS else f"/cases/{case_id}", caller
        )
    return go(f"/cases/{case_id}", "Booked, and the owner gets it in writing.")


async def accept(request: web.Request) -> web.Response:
    """The owner said it on the telephone."""
    caller, fields = call(request), await form(request)
    to = back(fields.get("back"), "/queue")
    try:
        await acts.accept(caller, id_of(request), row_of(fields.get("choice"), "choice", "is one of the windows"))
    except TelltaleError as error:
        return refused(error, to, caller)
    return go(to, "Booked, and the owner is told.")


async def decline(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    to = back(fields.get("back"), "/queue")
    try:
        await acts.decline(caller, id_of(request), "said no on the telephone")
    except TelltaleError as error:
        return refused(error, to)
    return go(to, "Noted: not now. The windows are free again.")


async def _proposal(caller: Call, connection: Connection, file: CaseFile, kind: BookingKind) -> Proposal | None:
    now, permission = caller.now(), await permission_for(caller, connection, file.case, MessageKind.OFFER)
    answer = asked(permission, now)
    leaves_at = answer.at if isinstance(answer, Ask) else now
    resources, taken = (
        await slots.resources(connection, caller.dealer_id),
        await taken_from(connection, caller.dealer_id, now),
    )
    options = capacity.offered(
        caller.dealer,
        kind,
        now=now,
        resources=resources,
        taken=taken,
        since=acts.readable_since(caller.dealer, leaves_at, now),
        asks=await asks_of(connection, caller.dealer, now, case=file.case),
    )
    if not options:
        return None
    windows = tuple(Free(option.window.starts_at, option.window.ends_at, option.ready_by) for option in options)
    if isinstance(answer, Ring):
        return Proposal(windows, ring=answer.because)
    link = caller.house.link("offer", _TOKEN)
    found = await compose(
        caller.house,
        connection,
        file.case,
        MessageKind.OFFER,
        kind=kind.value,
        windows=[o.window for o in options],
        link=link,
        now=leaves_at,
    )
    assert found is not None, "whoever may be asked can be reached"
    _, text = found
    waits = (
        f"It goes out {formatting.when(leaves_at, caller.dealer.zone, now)}: {permission.reason}."
        if leaves_at > now
        else None
    )
    return Proposal(windows, text, text.body.replace(_TOKEN, "…"), waits=waits)
