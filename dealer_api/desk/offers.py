"""Offering windows: what would be held and the very text, seen before it is sent; and the owner's answer by telephone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from actions import bookings
from actions import offers as acts
from actions.booking_agreement import address_for
from actions.free_time import free_options, taken_from
from actions.texts import compose, purpose_of
from dealer_api.app_keys import Call, call
from dealer_api.bodies import posted, when
from dealer_api.desk import formatting
from dealer_api.desk.page import back, form, go, id_of, page, refused, row_of
from rules.service import capacity, permission
from rules.service.wording import Text
from schemas.booking import BookingKind
from schemas.case import CASE, CaseEvent
from schemas.errors import BadInput, Overtaken, TelltaleError
from schemas.message import Message, MessageKind, MessageState
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
    """What would be sent, and whether it may go now: (look, sentence) when there is something to say about that."""

    windows: tuple[Free, ...]
    text: Text  #: counted with a link as long as the real one will be
    shown: str  #: the same with that link cut short
    permission: tuple[str, str] | None


async def show(request: web.Request) -> web.Response:
    caller, case_id = call(request), id_of(request)
    asked = request.query.get("kind", "pickup")
    kind = BookingKind(asked) if asked in formatting.KINDS else BookingKind.PICKUP
    try:
        async with caller.house.at(caller.dealer_id) as connection:
            file = await casefile.load(connection, caller.dealer_id, case_id)
            CASE.next(file.case.state, CaseEvent.OFFERED)
            if file.owner is None:
                raise BadInput("owner", "nobody is known as the owner of this car, so there is nobody to write to")
            if kind is BookingKind.PICKUP and not file.owner.address:
                kind = BookingKind.DROP_OFF if asked != "pickup" or "kind" not in request.query else kind
            await address_for(connection, file.case, kind)
            proposal = await _proposal(caller, connection, file, kind)
            more = await free_options(caller.house, connection, caller.dealer, kind)
    except TelltaleError as error:
        return refused(error, f"/cases/{case_id}")
    return await page(request, "offer.html", file=file, kind=kind.value, proposal=proposal, more=more)


async def send(request: web.Request) -> web.Response:
    caller, case_id = call(request), id_of(request)
    fields = await posted(request)
    kind = str(fields.get("kind", ""))
    again = f"/cases/{case_id}/offer?kind={kind if kind in formatting.KINDS else 'pickup'}"
    try:
        if kind not in formatting.KINDS:
            raise BadInput("kind", "choose how the car comes to you")
        starts = [when(str(said), "window") for said in fields.getall("window", [])]
        if not starts:
            raise BadInput("window", "choose the windows on the page")
        await acts.make(caller, case_id, BookingKind(kind), starts)
    except Overtaken as error:
        return refused(error, again if error.noun == "window" else f"/cases/{case_id}")
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
        return refused(error, f"/cases/{case_id}/offer?kind={kind}" if kind in formatting.KINDS else f"/cases/{case_id}")
    return go(f"/cases/{case_id}", "Booked, and the owner gets it in writing.")


async def accept(request: web.Request) -> web.Response:
    """The owner said it on the telephone."""
    caller, fields = call(request), await form(request)
    to = back(fields.get("back"), "/queue")
    try:
        await acts.accept(caller, id_of(request), row_of(fields.get("choice"), "choice", "is one of the windows"))
    except TelltaleError as error:
        return refused(error, to)
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
    now = caller.house.now()
    resources = await slots.resources(connection, caller.dealer_id)
    options = capacity.offered(caller.dealer, kind, now, resources, await taken_from(connection, caller.dealer_id, now))
    if not options or file.owner is None:
        return None
    found = await compose(
        caller.house, connection, file.case, MessageKind.OFFER, kind=kind.value, windows=[option.window for option in options], link=caller.house.link("offer", _TOKEN)
    )
    if found is None:
        raise BadInput("owner", "there is no number or mailbox to write to")
    _, text = found
    windows = tuple(Free(option.window.starts_at, option.window.ends_at, option.ready_by) for option in options)
    return Proposal(windows, text, text.body.replace(_TOKEN, "…"), _may(caller, file, text, now))


def _may(caller: Call, file: CaseFile, text: Text, now: datetime) -> tuple[str, str] | None:
    """Whether it would go at once; the same rule decides again when it is sent."""
    assert file.owner is not None
    message = Message(
        id=0, dealer_id=caller.dealer_id, thread_id=None, owner_id=file.owner.id, staff_id=None, case_id=file.case.id, kind=MessageKind.OFFER,
        purpose=purpose_of(MessageKind.OFFER, file.case.severity), channel=file.owner.channel, to_address="", language=file.owner.language,
        body=text.body, facts={}, state=MessageState.QUEUED, reason=None, reference="", attempts=0, queued_at=now, due_at=now, sent_at=None,
    )  # fmt: skip
    match permission.may_send(message, file.owner, file.consents, now, severity=file.case.severity):
        case permission.Wait(until=until, reason=reason):
            return "warn", f"It goes out {formatting.when(until, caller.dealer.zone, now)}: {reason}."
        case permission.Never(reason=reason):
            return "bad", f"This text would not be sent: {reason}. Ring {file.owner.phone or 'the owner'} instead."
        case _:
            return None
