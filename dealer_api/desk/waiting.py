"""The customers who wait here: minutes since our last word, and a true text in two clicks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from actions.texts import compose
from dealer_api.app_keys import Call, call
from dealer_api.desk.page import page
from rules.service.casework import minutes_since_word, waiting_words
from rules.service.wording import Text
from schemas.booking import Booking
from schemas.message import MessageKind
from schemas.moment import local
from store import bookings, cases
from store.pool import Connection
from store.views import day

_LABELS = {
    "arrived": "We have your car, work starts soon",
    "in_work": "We are working on it, all as planned",
    "part": "We wait for a part",
    "answer": "We need your answer, please come to the desk",
    "longer": "It takes longer than we said",
}
_DUE = 0.7  #: of the dealer's limit: from here on it is amber


@dataclass(frozen=True, slots=True)
class TrueWord:
    """A sentence that is true now, in the owner's language."""

    template: str
    label: str
    text: Text


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who waits."""

    row: day.VisitRow
    here_since: datetime
    minutes: int
    look: str  #: fine | due | over
    words: list[TrueWord]
    suggested: str  #: a time for a new promise


async def show(request: web.Request) -> web.Response:
    caller = call(request)
    now = caller.house.now()
    async with caller.house.at(caller.dealer_id) as connection:
        rows = await day.lounge(connection, caller.dealer_id)
        guests = [await _guest(caller, connection, row, now) for row in rows]
    guests.sort(key=lambda guest: -guest.minutes)
    return await page(request, "waiting.html", guests=guests, here=request.path)


async def _guest(caller: Call, connection: Connection, row: day.VisitRow, now: datetime) -> Guest:
    booking = await bookings.get(connection, caller.dealer_id, row.id)
    minutes, limit = minutes_since_word(booking, now), caller.dealer.waiting_word_minutes
    look = "over" if minutes >= limit else "due" if minutes >= limit * _DUE else "fine"
    soon = local(max(row.ready_by or now, now) + timedelta(minutes=30), caller.dealer.zone)
    return Guest(
        row,
        row.arrived_at or row.starts_at,
        minutes=minutes,
        look=look,
        words=await _words(caller, connection, booking, now),
        suggested=f"{soon.replace(minute=soon.minute // 15 * 15):%H:%M}",
    )


async def _words(caller: Call, connection: Connection, booking: Booking, now: datetime) -> list[TrueWord]:
    case = await cases.get(connection, caller.dealer_id, booking.case_id)
    promise = {"ready_by": booking.ready_by} if booking.ready_by and booking.ready_by > now else {}
    found = []
    for template in waiting_words(booking):
        made = await compose(
            caller.house, connection, case, MessageKind.WAITING, template=template, kind=booking.kind.value, **promise
        )
        if made is not None:
            found.append(TrueWord(template, _LABELS[template], made[1]))
    return found
