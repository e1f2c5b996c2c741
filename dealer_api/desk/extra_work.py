"""Extra work at the desk: found by a technician, asked of the owner, answered by their link or on the telephone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from actions import estimates as acts
from dealer_api import permissions as may
from dealer_api import reader
from dealer_api.app_keys import Call, call
from dealer_api.desk.page import back, form, go, id_of, refused
from rules.service import extra_work, money
from schemas.booking import Booking
from schemas.errors import BadInput, TelltaleError
from schemas.estimate import EstimateLine
from schemas.verdict import Severity
from store import estimates
from store.pool import Connection


@dataclass(frozen=True, slots=True)
class Asked:
    """The extra work of one visit as a page shows it; sums are written out in the dealer's currency."""

    booking_id: int
    lines: Sequence[EstimateLine]
    advice: Sequence[EstimateLine]  #: declined at an earlier visit
    may_add: bool
    may_answer: bool
    country: str

    def money(self, amount_minor: int) -> str:
        return money.written(amount_minor, self.country, reader.locale())

    @property
    def waits(self) -> bool:
        return bool(extra_work.unanswered(self.lines))

    @property
    def agreed(self) -> str | None:
        """What the owner has said yes to, in all."""
        yes = [line.amount_minor for line in self.lines if line.answer == "approved"]
        return self.money(sum(yes)) if yes else None


async def of_visit(caller: Call, connection: Connection, *, booking_id: int, vehicle_id: int, state: str) -> Asked:
    """What was asked at this visit, and what comes back from earlier ones."""
    open_ = state in [one.value for one in extra_work.ASKED_OF]
    return Asked(
        booking_id,
        lines=await estimates.of_booking(connection, caller.dealer_id, booking_id),
        advice=extra_work.advice(await estimates.earlier(connection, caller.dealer_id, vehicle_id, booking_id)),
        may_add=open_ and caller.may(may.WORK_BOOKINGS),
        may_answer=open_ and caller.may(may.ANSWER_ESTIMATES),
        country=caller.dealer.country,
    )


async def of_booking(caller: Call, connection: Connection, booking: Booking) -> Asked:
    """The same of a visit that was read already."""
    return await of_visit(
        caller, connection, booking_id=booking.id, vehicle_id=booking.vehicle_id, state=booking.state.value
    )


async def add(request: web.Request) -> web.Response:
    """A line, with its parts and its labour; the owner is asked by a text."""
    caller, fields = call(request), await form(request)

    async def asked(booking_id: int) -> None:
        country = caller.dealer.country
        parts, labour = (money.read(fields.get(name, ""), country, name) for name in ("parts", "labour"))
        if not parts + labour:
            raise BadInput("parts", "say what it costs: the owner decides by that")
        if fields.get("urgency") not in list(Severity):
            raise BadInput("urgency", "say how urgent it is")
        await acts.add(
            caller,
            booking_id,
            fields.get("title", "")[:200],
            parts + labour,
            labour_minor=labour,
            urgency=Severity(fields["urgency"]),
        )

    return await _done(request, asked, "Asked. The owner gets one text about all that is added within two minutes.")


async def answer(request: web.Request) -> web.Response:
    """What the owner said on the telephone."""
    caller, fields = call(request), await form(request)

    async def said(line_id: int) -> None:
        if fields.get("answer") not in ("approved", "declined"):
            raise BadInput("answer", "is yes or no")
        await acts.answer(caller, line_id, fields["answer"] == "approved", "on the telephone")

    return await _done(request, said, "Noted, with your name.")


async def withdraw(request: web.Request) -> web.Response:
    caller = call(request)
    return await _done(
        request,
        lambda line_id: acts.withdraw(caller, line_id, "not needed after all"),
        "Withdrawn. Nobody is asked any more.",
    )


async def _done(request: web.Request, act: Callable[[int], Awaitable[object]], note: str) -> web.Response:
    to = back((await form(request)).get("back"), "/workshop")
    try:
        await act(id_of(request))
    except TelltaleError as error:
        return refused(error, to)
    return go(to, note)
