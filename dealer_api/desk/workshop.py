"""The technician's board: cars in the building by state and bay, the job of each, and start, pause, go on, finish."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from actions import pausing
from dealer_api import permissions as may
from dealer_api.app_keys import Call, call
from dealer_api.desk import extra_work, formatting
from dealer_api.desk.page import back, day_span, form, go, id_of, page, refused, wall_clock
from rules.service.opening import open_times
from rules.service.operations import suggested
from schemas.errors import BadInput, TelltaleError
from schemas.moment import local
from schemas.operation import Operation
from schemas.pause import Awaited
from schemas.slot import Resource, ResourceKind
from store import slots
from store.views import workshop

_NEAR = timedelta(hours=1)  #: a promise that is so near presses
#: The sections of the board, in their order, and what stands in each.
SECTIONS = {
    "working": "At work",
    "waiting": "Waiting for a technician",
    "paused": "Paused",
    "done": "Done, to go back",
    "road": "On the road today",
    "expected": "Coming today",
}
_HERE = ("working", "waiting", "paused")


@dataclass(frozen=True, slots=True)
class Car:
    """A card of the board."""

    row: workshop.CarRow
    section: str
    work: tuple[Operation, ...]  #: what its alerts suggest
    codes: tuple[str, ...]
    look: str  #: of its promise: late, near or nothing
    overdue: bool  #: what it waits for should be here


@dataclass(frozen=True, slots=True)
class Bay:
    """One bay and what is in it now."""

    name: str
    cars: tuple[Car, ...]


async def show(request: web.Request) -> web.Response:
    caller = call(request)
    now = caller.house.now()
    async with caller.house.at(caller.dealer_id) as connection:
        rows = await workshop.cars(connection, caller.dealer_id, now, day_span(caller, now)[1])
        resources = await slots.resources(connection, caller.dealer_id)
        extra = {
            row.id: await extra_work.of_visit(
                caller, connection, booking_id=row.id, vehicle_id=row.vehicle_id, state=row.state
            )
            for row in rows
            if row.state in ("arrived", "working")
        }
    cars = [car_of(row, now) for row in rows]
    sections = [(key, title, [car for car in cars if car.section == key]) for key, title in SECTIONS.items()]
    return await page(
        request,
        "workshop.html",
        sections=sections,
        bays=bays_of(resources, cars),
        extra=extra,
        to_do=sum(car.section in _HERE for car in cars),
        here=request.path,
        dues=dues(caller, now),
        works=caller.may(may.WORK_BOOKINGS),
        mine=caller.staff.id if caller.staff is not None else None,
        sends=caller.may(may.ASSIGN_LEGS),
    )


def car_of(row: workshop.CarRow, now: datetime) -> Car:
    """Where a car stands on the board, and what presses."""
    section = {"ready": "done", "agreed": "expected" if row.road is None else "road"}.get(row.state) or (
        "paused" if row.what is not None else "working" if row.state == "working" else "waiting"
    )
    left = None if row.ready_by is None or section not in _HERE else row.ready_by - now
    look = "" if left is None or left > _NEAR else "late" if left <= timedelta() else "near"
    return Car(
        row,
        section,
        work=suggested((alert[0], alert[1]) for alert in row.alerts),
        codes=tuple(dict.fromkeys(alert[1] for alert in row.alerts if alert[0] == "trouble_code")),
        look=look,
        overdue=row.due_at is not None and row.due_at <= now,
    )


def bays_of(resources: Sequence[Resource], cars: Sequence[Car]) -> tuple[Bay, ...]:
    """Each bay with the cars that are worked on or wait for it; a paused car stands aside."""
    names = [one.name for one in resources if one.kind is ResourceKind.BAY]
    inside = [car for car in cars if car.section in ("working", "waiting")]
    return tuple(Bay(name, tuple(car for car in inside if car.row.bay == name)) for name in names)


def dues(caller: Call, now: datetime) -> list[tuple[str, str]]:
    """When what is awaited may be here, as one can say with one press: (wall clock, words)."""
    opens = [
        span.starts_at
        for span in open_times(caller.dealer, now, now + timedelta(days=9))
        if local(span.starts_at, caller.dealer.zone).date() > local(now, caller.dealer.zone).date()
    ]
    zone = caller.dealer.zone
    firsts = list({local(start, zone).date(): start for start in reversed(opens)}.values())[::-1]
    soon = [(now + timedelta(hours=hours), f"in {hours} h, at {{clock}}") for hours in (1, 3)]
    later = [(start, "{day} {clock}, when we open") for start in firsts[:6]]
    found = []
    for moment, words in soon + later:
        wall = local(moment + timedelta(seconds=-moment.timestamp() % 900), zone)  # the next quarter of an hour
        found.append(
            (f"{wall:%Y-%m-%dT%H:%M}", words.format(clock=f"{wall:%H:%M}", day=formatting.short_day(wall.date())))
        )
    return found


async def pause(request: web.Request) -> web.Response:
    """It waits for something until a time: one of the offered ones, or another."""
    caller, fields = call(request), await form(request)

    async def paused(booking_id: int) -> None:
        if fields.get("awaits") not in list(Awaited):
            raise BadInput("awaits", "say what it waits for")
        due = wall_clock(fields.get("moment") or fields.get("due", ""), "due", caller.dealer.zone)
        await pausing.pause(
            caller, booking_id, awaits=Awaited(fields["awaits"]), what=fields.get("what", ""), due_at=due
        )

    return await _done(request, paused, "Paused. The bay is free; where its time moves, the owner is told.", fields)


async def go_on(request: web.Request) -> web.Response:
    caller = call(request)
    return await _done(request, lambda n: pausing.go_on(caller, n), "It goes on.", await form(request))


async def _done(
    request: web.Request, act: Callable[[int], Awaitable[object]], note: str, fields: dict[str, str]
) -> web.Response:
    to = back(fields.get("back"), "/workshop")
    try:
        await act(id_of(request))
    except TelltaleError as error:
        return refused(error, to)
    return go(to, note)
