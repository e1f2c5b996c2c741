"""Lists as files: what is found by the filters of an address, all of it, as CSV in which no cell is a formula."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from aiohttp import web

from dealer_api import spreadsheet
from dealer_api.app_keys import Call, call
from dealer_api.bodies import small_number
from dealer_api.desk import queue as queue_page
from dealer_api.desk.page import day_span
from dealer_api.desk.vehicles import SILENT
from dealer_api.finding import ids_of
from schemas.moment import local
from store.pool import Connection
from store.views import day, inbox, people, queue, vehicles_page

_AT_ONCE = 500  #: rows read in one transaction
_Row = TypeVar("_Row")


async def of_queue(request: web.Request) -> web.StreamResponse:
    caller, now = call(request), call(request).house.now()
    which, severity = queue_page.asked(request)
    day_from, day_to = day_span(caller, now)

    async def read(connection: Connection, after: Any) -> list[queue.QueueRow]:
        return await queue.rows(
            connection,
            caller.dealer_id,
            which,
            staff_id=caller.staff.id if caller.staff else None,
            day_from=day_from,
            day_to=day_to,
            now=now,
            severity=severity or None,
            after=after,
            limit=_AT_ONCE,
        )

    at = _clock(caller)
    header = [
        "case",
        "severity",
        "state",
        "car",
        "plate",
        "owner",
        "what",
        "why",
        "taken_by",
        "opened",
        "changed",
        "visit",
        "from",
        "to",
        "rests_until",
    ]
    return await _file(
        request,
        name=f"queue-{which}",
        header=header,
        pages=_pages(caller, read, lambda row: (row.rank, row.place, row.id)),
        cells=lambda row: (
            row.id,
            row.severity,
            row.state,
            row.vehicle,
            row.plate,
            row.owner,
            row.title,
            row.alerts[0][3] if row.alerts else "",
            row.assignee,
            at(row.opened_at),
            at(row.changed_at),
            row.booking_kind,
            at(row.starts_at),
            at(row.ends_at),
            at(row.rests_until),
        ),
    )


async def of_vehicles(request: web.Request) -> web.StreamResponse:
    caller, since = call(request), call(request).house.now() - SILENT
    search, which = request.query.get("search", "").strip()[:100], request.query.get("show", "all")
    which = which if which in ("all", "silent", "case") else "all"

    async def read(connection: Connection, after: Any) -> list[vehicles_page.CarRow]:
        ids = await ids_of(caller, connection, search, "vehicle")
        return await vehicles_page.cars(
            connection,
            caller.dealer_id,
            ids=ids,
            which=which,
            silent_since=since,
            after=after,
            limit=_AT_ONCE,
        )

    at = _clock(caller)
    header = [
        "car",
        "plate",
        "vin",
        "model",
        "owner",
        "last_heard",
        "enrolled",
        "revoked",
        "case",
        "severity",
        "case_state",
    ]
    return await _file(
        request,
        name=f"vehicles-{which}",
        header=header,
        pages=_pages(caller, read, lambda row: (row.title, row.id)),
        cells=lambda car: (
            car.title,
            car.plate,
            car.vin,
            car.profile,
            car.owner,
            at(car.last_heard_at),
            at(car.enrolled_at),
            at(car.revoked_at),
            car.case_id,
            car.severity,
            car.case_state,
        ),
    )


async def of_owners(request: web.Request) -> web.StreamResponse:
    caller = call(request)
    search, which = request.query.get("search", "").strip()[:100], request.query.get("show", "all")
    which = which if which in ("all", "unread") else "all"

    async def read(connection: Connection, after: Any) -> list[people.OwnerRow]:
        ids = await ids_of(caller, connection, search, "owner")
        return await people.owners(connection, caller.dealer_id, ids=ids, which=which, after=after, limit=_AT_ONCE)

    at = _clock(caller)
    header = [
        "owner",
        "name",
        "phone",
        "email",
        "channel",
        "language",
        "cars",
        "care_texts",
        "said_stop",
        "last_wrote",
        "unread",
    ]
    return await _file(
        request,
        name=f"owners-{which}",
        header=header,
        pages=_pages(caller, read, lambda row: (row.name, row.id)),
        cells=lambda one: (
            one.id,
            one.name,
            one.phone,
            one.email,
            one.channel,
            one.language,
            one.cars,
            {True: "yes", False: "no", None: "not asked"}[one.service],
            at(one.stopped_at),
            at(one.last_in_at),
            "yes" if one.unread else "no",
        ),
    )


async def of_inbox(request: web.Request) -> web.StreamResponse:
    caller, now = call(request), call(request).house.now()
    show = request.query.get("show", "waiting")
    show = show if show in inbox.SHOWS else "waiting"

    async def read(connection: Connection, after: Any) -> list[inbox.Row]:
        return await inbox.rows(
            connection,
            caller.dealer_id,
            show,
            staff_id=caller.staff.id if caller.staff else 0,
            now=now,
            after=after,
            limit=_AT_ONCE,
        )

    at = _clock(caller)
    header = [
        "owner",
        "name",
        "cars",
        "unread",
        "waits_since",
        "last_wrote",
        "we_wrote",
        "answered_by",
        "rests_until",
        "last_words",
    ]
    return await _file(
        request,
        name=f"messages-{show}",
        header=header,
        pages=_pages(caller, read, lambda row: None if row.at is None else (row.at, row.owner_id)),
        cells=lambda row: (
            row.owner_id,
            row.name,
            row.cars,
            "yes" if row.unread else "no",
            at(row.since),
            at(row.last_in_at),
            at(row.last_out_at),
            row.assignee,
            at(row.snoozed_until),
            row.body,
        ),
    )


async def of_bookings(request: web.Request) -> web.StreamResponse:
    """The visits of the day that the schedule shows, or of its week."""
    caller, now = call(request), call(request).house.now()
    offset, week = small_number(request.query.get("day", "")), request.query.get("view") == "week"
    first = offset - (local(day_span(caller, now, offset)[0], caller.dealer.zone).weekday() if week else 0)
    since, until = day_span(caller, now, first)[0], day_span(caller, now, first + (6 if week else 0))[1]

    async def pages() -> AsyncIterator[list[day.VisitRow]]:
        async with caller.house.at(caller.dealer_id) as connection:
            yield await day.booked(connection, caller.dealer_id, since, until)

    at = _clock(caller)
    header = [
        "visit",
        "case",
        "kind",
        "state",
        "from",
        "to",
        "promised",
        "car",
        "plate",
        "owner",
        "severity",
        "what",
        "taken_by",
    ]
    return await _file(
        request,
        name=f"visits-{local(since, caller.dealer.zone):%Y-%m-%d}{'-week' if week else ''}",
        header=header,
        pages=pages(),
        cells=lambda row: (
            row.id,
            row.case_id,
            row.kind,
            row.state,
            at(row.starts_at),
            at(row.ends_at),
            at(row.ready_by),
            row.vehicle,
            row.plate,
            row.owner,
            row.severity,
            row.title,
            row.assignee,
        ),
    )


def _clock(caller: Call) -> Callable[[datetime | None], str]:
    """Times as the dealer's clock shows them, with their distance to UTC."""
    return lambda at: "" if at is None else local(at, caller.dealer.zone).isoformat(timespec="seconds")


async def _pages(
    caller: Call,
    read: Callable[[Connection, Any], Awaitable[list[_Row]]],
    place: Callable[[_Row], tuple[Any, ...] | None],
) -> AsyncIterator[list[_Row]]:
    """All pages one after the other, each read in a transaction of its own; `place`: where the next one goes on."""
    after = None
    while True:
        async with caller.house.at(caller.dealer_id) as connection:
            rows = await read(connection, after)
        yield rows
        if len(rows) < _AT_ONCE or (after := place(rows[-1])) is None:
            return


async def _file(
    request: web.Request,
    *,
    name: str,
    header: Sequence[str],
    pages: AsyncIterator[list[_Row]],
    cells: Callable[[_Row], Sequence[Any]],
) -> web.StreamResponse:
    first = await anext(pages)  # what is wrong with the address is said before anything is sent
    answer = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="telltale-{name}.csv"',
        }
    )
    await answer.prepare(request)
    await answer.write(
        ("\ufeff" + spreadsheet.lines([header, *(cells(row) for row in first)])).encode("utf-8", "replace")
    )
    async for rows in pages:
        await answer.write(spreadsheet.lines([cells(row) for row in rows]).encode("utf-8", "replace"))
    await answer.write_eof()
    return answer
