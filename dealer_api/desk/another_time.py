"""Another time for a visit: free windows while it is agreed, a new "ready by" while the car is here, with the words for
its owner drafted.
"""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from actions import moving, returning
from actions.driving import stays
from actions.free_time import asks_of, free_options
from actions.texts import compose
from dealer_api import permissions as may
from dealer_api.app_keys import call
from dealer_api.bodies import when
from dealer_api.desk.page import back as back_to
from dealer_api.desk.page import form, go, id_of, page, refused
from rules.service import driving, promises
from rules.service.capacity import Option
from schemas.booking import BookingKind, BookingState
from schemas.errors import BadInput, TelltaleError
from schemas.message import MessageKind
from schemas.moment import local
from schemas.promise import PromiseState
from store import bookings
from store import promises as ledger
from store.views import casefile

_TOKEN = "x" * 43  # as long as a real one, so that the parts are counted right
_HERE = (BookingState.ARRIVED, BookingState.WORKING)


async def show(request: web.Request) -> web.Response:
    caller, booking_id = call(request), id_of(request)
    now = caller.house.now()
    async with caller.house.at(caller.dealer_id) as connection:
        booking = await bookings.get(connection, caller.dealer_id, booking_id)
        file = await casefile.load(connection, caller.dealer_id, booking.case_id)
        options: tuple[Option, ...] = ()
        towed = await stays(connection, file.case)
        truck = driving.needs_truck(booking, [leg for leg, _ in file.legs], towed)
        kind = BookingKind.TOW if truck else booking.kind
        proposed, found = None, None
        back = await returning.of(connection, booking) if booking.state is BookingState.READY else None
        drives = (
            await returning.free_drives(connection, caller.dealer, back, now)
            if back is not None and caller.may(may.BOOK)
            else ()
        )
        if booking.state is BookingState.AGREED and caller.may(may.BOOK):
            asks = await asks_of(connection, caller.dealer, now, case=file.case, but=booking)
            free = await free_options(
                caller.house, connection, caller.dealer, kind, loaner=booking.loaner_id is not None, asks=asks
            )
            options = tuple(option for option in free if truck or option.window.starts_at != booking.starts_at)
        if options:
            first = options[0].window
            found = await compose(
                caller.house,
                connection,
                file.case,
                MessageKind.MOVED,
                kind=kind.value,
                starts_at=first.starts_at,
                ends_at=first.ends_at,
                zone=booking.zone,
                link=caller.house.link("journey", _TOKEN),
            )
        elif drives:
            found = await compose(
                caller.house,
                connection,
                file.case,
                MessageKind.NEW_TIME,
                zone=booking.zone,
                starts_at=drives[0].starts_at,
                ends_at=drives[0].ends_at,
                template="agreed",
            )
        elif booking.state in _HERE:
            proposed = promises.later(booking.ready_by, now)
            found = await compose(
                caller.house, connection, file.case, MessageKind.NEW_TIME, ready_by=proposed, zone=booking.zone
            )
        rows = await ledger.of_booking(connection, caller.dealer_id, booking_id)
    return await page(
        request,
        "another_time.html",
        file=file,
        booking=booking,
        options=options,
        towed=towed if truck else None,
        back=back,
        drives=drives,
        to=back_to(request.query.get("back"), f"/cases/{booking.case_id}"),
        proposed=None if proposed is None else local(proposed, caller.dealer.zone),
        text=None if found is None else found[1].body.replace(_TOKEN, "…"),
        here=request.path_qs,
        promises=[row for row in rows if row.state in (PromiseState.OPEN, PromiseState.BROKEN)],
    )


async def move(request: web.Request) -> web.Response:
    """That window instead. Who saw an older time, or a window that is gone, sees the page anew."""
    caller, booking_id, fields = call(request), id_of(request), await form(request)
    here = f"/bookings/{booking_id}/time" + (
        f"?back={quote(asked)}" if (asked := back_to(fields.get("back"), "")) else ""
    )
    try:
        moved = await moving.move_to(
            caller,
            booking_id,
            when(fields.get("window", ""), "window"),
            was=when(fields["was"], "was") if fields.get("was") else None,
            kind=_kind(fields.get("kind")),
        )
    except TelltaleError as error:
        return refused(error, here, caller)
    to = asked or f"/cases/{moved.case_id}"
    if moved.state is BookingState.READY:
        return go(to, "The return has another time, and its owner is told.")
    return go(
        to,
        "A tow truck comes, and the owner is told."
        if fields.get("kind")
        else "The visit has another time, and its owner is told.",
    )


def _kind(name: str | None) -> BookingKind | None:
    if name and name not in list(BookingKind):
        raise BadInput("kind", "is no way in which a car comes")
    return BookingKind(name) if name else None
