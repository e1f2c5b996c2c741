"""Cases over the API: the queue, one case whole, and what people do with it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, Field

from actions import bookings as visits
from actions import cases as acts
from actions import messages as words
from actions import offers as offering
from actions import warning
from actions.driving import stays
from actions.free_time import is_online
from dealer_api.api.offers import OfferWhole, whole_offer
from dealer_api.app_keys import Call, call
from dealer_api.bodies import Body, Id, Page, Paged, When, asked, bare_number, number, page, read, reply
from dealer_api.permissions import READ_MESSAGES
from rules.service.casework import Step, acknowledge_by, next_step, queue_key, speaks
from rules.service.promises import missed
from schemas.alert import Alert
from schemas.booking import Booking, BookingKind, BookingState
from schemas.case import CASE, Case, CaseState, Confirmation
from schemas.errors import BadInput
from schemas.feedback import Feedback
from schemas.history import Change
from schemas.pickup import Leg
from schemas.slot import Window
from schemas.thread import Line
from schemas.verdict import Severity
from store import alerts, bookings, cases, fleet, history, offers, pickups, threads
from store.pool import Connection

_LIVE: list[CaseState] = [state for state in CaseState if state not in (CaseState.DONE, CaseState.DISMISSED)]

Rank = Annotated[int, Field(ge=0, le=100)]  #: of a case in the queue, the most urgent first


class CaseQuery(Paged[tuple[Rank, When, Id]]):
    """`state`: `live` (the default: neither done nor dismissed), `all`, or states with commas between."""

    state: Annotated[str | None, Field(max_length=200)] = None
    vehicle: Id | None = None
    assignee: Id | None = None


class CaseRow(Case):
    """A case of the queue, with the names around it."""

    vehicle: str
    vin: str
    plate: str | None
    owner: str | None
    assignee: str | None
    acknowledge_by: datetime | None


class NextStep(BaseModel):
    """The one obvious next step. Without a `path` there is nothing to do but wait."""

    act: str
    label: str
    because: str
    path: str | None
    event: str | None
    waits_for: str | None


class CaseWhole(CaseRow):
    """A case with all that belongs to it."""

    next_step: NextStep
    allowed: list[str]
    alerts: list[Alert]
    offers: list[OfferWhole]
    bookings: list[Booking]
    legs: list[Leg]
    history: list[Change]
    conversation: list[Line]
    feedback: Feedback | None


class NewCase(Body):
    """A customer rang."""

    vehicle_id: Id
    note: Annotated[str, Field(min_length=1, max_length=4000)]
    severity: Severity = Severity.SOON
    title: Annotated[str, Field(max_length=200)] = ""


class Reason(Body):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class Confirmed(Body):
    """How it is known that the repair holds, where the car cannot show it."""

    how: Confirmation
    note: Annotated[str, Field(max_length=1000)] = ""


class Assign(Body):
    """To whom."""

    staff_id: Id


class NewOffer(Body):
    """What to offer; the windows are found and held.

    Without a kind the car is collected, or towed if it must not be driven.
    """

    kind: BookingKind | None = None


class Words(Body):
    """What a person writes."""

    body: Annotated[str, Field(min_length=1, max_length=words.LONGEST_FREE)]


class Queued(BaseModel):
    """A text in the outbox."""

    message_id: int


class WindowQuery(Body):
    """How the car comes, whether a loaner is needed, and for which case: its work may take longer than any visit's."""

    kind: BookingKind = BookingKind.PICKUP
    loaner: bool = False
    case: Id | None = None


class FreeWindow(Window):
    """A window that is free now, and when the car would be ready."""

    ready_by: datetime


async def listed(request: web.Request) -> web.Response:
    caller, query = call(request), asked(request, CaseQuery)
    async with caller.house.at(caller.dealer_id) as connection:
        found = await cases.queue(
            connection,
            caller.dealer_id,
            states=_states(query),
            vehicle_id=query.vehicle,
            assignee_id=query.assignee,
            after=query.cursor,
            limit=query.limit + 1,
        )
    rows = [_row(caller, case, beside) for case, beside in found]
    return reply(page(rows, query.limit, lambda row: list(queue_key(row))))


async def one(request: web.Request) -> web.Response:
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        return reply(await whole(connection, caller, number(request)))


async def create(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, NewCase)
    case = await acts.open_by_hand(caller, body.vehicle_id, note=body.note, severity=body.severity, title=body.title)
    return await _answer(caller, case.id, 201)


async def acknowledge(request: web.Request) -> web.Response:
    caller = call(request)
    await acts.acknowledge(caller, await bare_number(request))
    return await _answer(caller, number(request))


async def assign(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Assign)
    await acts.assign(caller, number(request), body.staff_id)
    return await _answer(caller, number(request))


async def dismiss(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Reason)
    await acts.dismiss(caller, number(request), body.reason)
    return await _answer(caller, number(request))


async def reopen(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Reason)
    await acts.reopen(caller, number(request), body.reason)
    return await _answer(caller, number(request))


async def rang(request: web.Request) -> web.Response:
    caller = call(request)
    await warning.rang(caller, await bare_number(request))
    return await _answer(caller, number(request))


async def confirm(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Confirmed)
    await acts.confirm(caller, number(request), body.how, body.note)
    return await _answer(caller, number(request))


async def offer(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, NewOffer)
    made = await offering.make(caller, number(request), body.kind)
    async with caller.house.at(caller.dealer_id) as connection:
        return reply(await whole_offer(connection, made), 201)


async def write(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Words)
    return reply(Queued(message_id=await words.send_free(caller, body.body, case_id=number(request))), 201)


async def windows(request: web.Request) -> web.Response:
    caller, query = call(request), asked(request, WindowQuery)
    options = await visits.free_windows(
        caller.house,
        caller.dealer_id,
        query.kind,
        loaner=query.loaner,
        online=is_online(caller),
        case_id=query.case,
    )
    items = [FreeWindow(starts_at=o.window.starts_at, ends_at=o.window.ends_at, ready_by=o.ready_by) for o in options]
    return reply(Page[FreeWindow](items=items))


async def whole(connection: Connection, caller: Call, case_id: int) -> CaseWhole:
    """One case with all that belongs to it."""
    dealer_id = caller.dealer_id
    case = await cases.get(connection, dealer_id, case_id)
    row = _row(caller, case, (await cases.around(connection, dealer_id, [case_id]))[case_id])
    made = await offers.of_case(connection, dealer_id, case_id)
    visited = await bookings.of_case(connection, dealer_id, case_id)
    current = next((booking for booking in visited if booking.state is not BookingState.CANCELLED), None)
    legs = [leg for booking in visited for leg in await pickups.of_booking(connection, dealer_id, booking.id)]
    mine = [leg for leg in legs if current is not None and leg.booking_id == current.id]
    lines = (
        []
        if case.owner_id is None or not caller.may(READ_MESSAGES)
        else await threads.lines(connection, dealer_id, await threads.of_owner(connection, dealer_id, case.owner_id))
    )
    changes = await history.of(connection, dealer_id, "case", case_id)
    for noun, things in (("offer", made), ("booking", visited), ("leg", legs)):
        for thing in things:
            changes += await history.of(connection, dealer_id, noun, thing.id)
    car = await fleet.get(connection, dealer_id, case.vehicle_id)
    return CaseWhole(
        **row.model_dump(),
        next_step=_step(
            next_step(
                case,
                made[0] if made else None,
                current,
                mine,
                has_owner=case.owner_id is not None,
                can_prove=speaks(car.last_heard_at, caller.house.now()),
                missed=current is not None and missed(current, caller.dealer, caller.house.now()),
                stays=await stays(connection, case),
            )
        ),
        allowed=[event.value for event in CASE.allowed(case.state)],
        alerts=[alert for alert in await alerts.of_case(connection, dealer_id, case_id) if not alert.shadow],
        offers=[await whole_offer(connection, offer) for offer in made],
        bookings=visited,
        legs=legs,
        history=sorted(changes, key=lambda change: change.at),
        conversation=lines,
        feedback=await cases.feedback_of(connection, dealer_id, case_id),
    )


async def _answer(caller: Call, case_id: int, status: int = 200) -> web.Response:
    async with caller.house.at(caller.dealer_id) as connection:
        return reply(await whole(connection, caller, case_id), status)


def _row(caller: Call, case: Case, beside: dict[str, Any]) -> CaseRow:
    return CaseRow(
        **case.__dict__, **beside, acknowledge_by=None if case.acknowledged_at else acknowledge_by(case, caller.dealer)
    )


def _states(query: CaseQuery) -> list[CaseState] | None:
    if query.state == "all" or (query.state is None and query.vehicle is not None):
        return None
    if query.state in (None, "live"):
        return _LIVE
    try:
        return [CaseState(name) for name in str(query.state).split(",")]
    except ValueError:
        raise BadInput("state", f"is `live`, `all`, or of {', '.join(CaseState)}") from None


def _step(step: Step) -> NextStep:
    return NextStep(
        act=step.act, label=step.label, because=step.because, path=step.path, event=step.event, waits_for=step.waits_for
    )
