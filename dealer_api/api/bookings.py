"""Visits over the API: from the agreement to the hand-over, and the customers who wait."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from actions import bookings as acts
from actions import estimates as extras
from actions import messages as words
from actions import moving, pausing
from dealer_api.api.cases import Queued, Reason
from dealer_api.app_keys import call
from dealer_api.bodies import Body, Id, Page, Paged, When, asked, bare_number, number, page, read, reply
from rules.service.casework import minutes_since_word, waiting_words
from schemas.booking import Booking, BookingKind, BookingState
from schemas.errors import BadInput
from schemas.estimate import EstimateLine
from schemas.pause import Awaited, Pause
from schemas.pickup import Leg
from schemas.slot import Slot
from schemas.verdict import Severity
from store import bookings, cases, estimates, pauses, pickups, slots


class BookingQuery(Paged[tuple[When, Id]]):
    """By case, by state (commas between), by the time at which the visit begins."""

    case: Id | None = None
    state: Annotated[str | None, Field(max_length=200)] = None
    since: When | None = None
    until: When | None = None


class NewBooking(Body):
    """Agreed directly. `starts_at` is one of the free windows, with its zone."""

    case_id: Id
    kind: BookingKind
    starts_at: When
    loaner: bool = False


class Move(Body):
    """Another time: one of the free windows, with its zone.

    `was` is the time that was seen; who saw an older one is refused. `kind` "tow" sends a tow truck instead, also at
    the time that stands.
    """

    starts_at: When
    was: When | None = None
    kind: BookingKind | None = None


class BookingWhole(Booking):
    """A visit with its drives, the time that it takes, what its work waits for, and extra work."""

    legs: list[Leg]
    slots: list[Slot]
    pause: Pause | None
    estimates: list[EstimateLine]


class Finding(Body):
    """What was found and done, in words for the owner."""

    finding: Annotated[str, Field(min_length=1, max_length=1000)]


class Promise(Body):
    """A time that the customer is given."""

    ready_by: When


class Template(Body):
    """`waiting` says whichever is true now; or one of `words` of the waiting board."""

    template: Annotated[str, Field(max_length=40)] = "waiting"


class Waiting(BaseModel):
    """A customer whose car is here."""

    booking_id: int
    case_id: int
    kind: BookingKind
    state: BookingState
    vehicle: str
    owner: str | None
    minutes_since_word: int
    too_long: bool
    ready_by: datetime | None
    words: list[str]


class NewPause(Body):
    """What the work waits for, and when that should be here."""

    awaits: Awaited
    what: Annotated[str, Field(min_length=1, max_length=120)]
    due_at: When


class NewLine(Body):
    """Extra work that needs the owner's yes; money in minor units (cents)."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    amount_minor: Annotated[int, Field(ge=0, le=100_000_000)]
    labour_minor: Annotated[int, Field(ge=0, le=100_000_000, description="of the amount; the rest is parts")] = 0
    urgency: Severity = Severity.ADVICE


class LineAnswer(Body):
    """The owner's word, given to a person."""

    approved: bool
    reason: Annotated[str, Field(min_length=1, max_length=400)]


async def listed(request: web.Request) -> web.Response:
    caller, query = call(request), asked(request, BookingQuery)
    async with caller.house.at(caller.dealer_id) as connection:
        found = await bookings.listed(
            connection,
            caller.dealer_id,
            case_id=query.case,
            states=_states(query.state),
            since=query.since,
            until=query.until,
            after=query.cursor,
            limit=query.limit + 1,
        )
    return reply(page(found, query.limit, lambda booking: [booking.starts_at, booking.id]))


async def one(request: web.Request) -> web.Response:
    caller, booking_id = call(request), number(request)
    async with caller.house.at(caller.dealer_id) as connection:
        booking = await bookings.get(connection, caller.dealer_id, booking_id)
        return reply(
            BookingWhole(
                **booking.model_dump(),
                legs=await pickups.of_booking(connection, caller.dealer_id, booking_id),
                slots=await slots.of_booking(connection, caller.dealer_id, booking_id),
                pause=await pauses.now_of(connection, caller.dealer_id, booking_id),
                estimates=await estimates.of_booking(connection, caller.dealer_id, booking_id),
            )
        )


async def create(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, NewBooking)
    return reply(await acts.book(caller, body.case_id, body.kind, body.starts_at, loaner=body.loaner), 201)


async def arrive(request: web.Request) -> web.Response:
    return reply(await acts.arrive(call(request), await bare_number(request)))


async def start(request: web.Request) -> web.Response:
    return reply(await acts.start(call(request), await bare_number(request)))


async def finish(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Finding)
    return reply(await acts.finish(caller, number(request), body.finding))


async def pause(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, NewPause)
    return reply(
        await pausing.pause(caller, number(request), awaits=body.awaits, what=body.what, due_at=body.due_at), 201
    )


async def go_on(request: web.Request) -> web.Response:
    return reply(await pausing.go_on(call(request), await bare_number(request)))


async def hand_over(request: web.Request) -> web.Response:
    return reply(await acts.hand_over(call(request), await bare_number(request)))


async def move(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Move)
    return reply(await moving.move_to(caller, number(request), body.starts_at, was=body.was, kind=body.kind))


async def cancel(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Reason)
    return reply(await acts.cancel(caller, number(request), body.reason))


async def promise(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Promise)
    return reply(await acts.promise(caller, number(request), body.ready_by))


async def write(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Template)
    return reply(Queued(message_id=await words.send_waiting(caller, number(request), body.template)), 201)


async def waiting(request: web.Request) -> web.Response:
    """Who waits, and for how long they have not heard from us; people in the lounge come first."""
    caller = call(request)
    now = caller.house.now()
    async with caller.house.at(caller.dealer_id) as connection:
        here = [
            b
            for b in await bookings.here(connection, caller.dealer_id)
            if b.kind is BookingKind.WAITING or b.state is not BookingState.READY
        ]
        around = await cases.around(connection, caller.dealer_id, [booking.case_id for booking in here])
    items = [
        Waiting(
            booking_id=b.id,
            case_id=b.case_id,
            kind=b.kind,
            state=b.state,
            vehicle=around[b.case_id]["vehicle"],
            owner=around[b.case_id]["owner"],
            minutes_since_word=minutes_since_word(b, now),
            too_long=minutes_since_word(b, now) >= caller.dealer.waiting_word_minutes,
            ready_by=b.ready_by,
            words=list(waiting_words(b)),
        )
        for b in here
    ]
    return reply(Page[Waiting](items=items))


async def add_line(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, NewLine)
    line = await extras.add(
        caller,
        number(request),
        body.title,
        body.amount_minor,
        labour_minor=body.labour_minor,
        urgency=body.urgency,
    )
    return reply(line, 201)


async def answer_line(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, LineAnswer)
    return reply(await extras.answer(caller, number(request), body.approved, body.reason))


async def withdraw_line(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Reason)
    return reply(await extras.withdraw(caller, number(request), body.reason))


def _states(text: str | None) -> list[BookingState] | None:
    try:
        return None if text is None else [BookingState(name) for name in text.split(",")]
    except ValueError:
        raise BadInput("state", f"is of {', '.join(BookingState)}") from None
