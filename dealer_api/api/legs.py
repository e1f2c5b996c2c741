"""The day's drives over the API, and the driver's steps."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from aiohttp import web

from actions import legs as acts
from dealer_api.app_keys import call
from dealer_api.bodies import Body, Day, Id, Page, Query, asked, number, read, reply
from rules.service.pickup import minutes_late, next_event
from schemas.booking import Booking
from schemas.moment import local, zone
from schemas.pickup import Leg, LegEvent
from store import accounts, bookings, cases, pickups
from store.pool import Connection


class LegQuery(Query):
    """`day` is a date on the dealer's calendar; without one the list is of today and everything planned after it."""

    day: Day | None = None
    driver: Id | None = None
    booking: Id | None = None


class LegRow(Leg):
    """A drive with all that its driver needs."""

    case_id: int
    vehicle: str
    plate: str | None
    owner: str | None
    driver: str | None
    next_event: LegEvent | None
    minutes_late: int


class Move(Body):
    """The step that has just been made."""

    event: LegEvent


class Driver(Body):
    """Who drives."""

    driver_id: Id


async def listed(request: web.Request) -> web.Response:
    caller, query = call(request), asked(request, LegQuery)
    since, until = _day(query.day or local(caller.house.now(), caller.dealer.zone).date(), caller.dealer.zone)
    async with caller.house.at(caller.dealer_id) as connection:
        found = await pickups.listed(
            connection,
            caller.dealer_id,
            since=None if query.booking else since,
            until=until if query.day else None,
            driver_id=query.driver,
            booking_id=query.booking,
        )
        return reply(Page[LegRow](items=await _rows(connection, caller.dealer_id, found, caller.house.now())))


async def move(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Move)
    leg = await acts.move(caller, number(request), body.event)
    async with caller.house.at(caller.dealer_id) as connection:
        return reply((await _rows(connection, caller.dealer_id, [leg], caller.house.now()))[0])


async def assign(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Driver)
    leg = await acts.assign(caller, number(request), body.driver_id)
    async with caller.house.at(caller.dealer_id) as connection:
        return reply((await _rows(connection, caller.dealer_id, [leg], caller.house.now()))[0])


async def _rows(connection: Connection, dealer_id: int, legs: list[Leg], now: datetime) -> list[LegRow]:
    visits: dict[int, Booking] = {
        leg.booking_id: await bookings.get(connection, dealer_id, leg.booking_id) for leg in legs
    }
    around = await cases.around(connection, dealer_id, [visit.case_id for visit in visits.values()])
    names = {person.id: person.name for person in await accounts.staff_of(connection, dealer_id)}
    rows = []
    for leg in legs:
        case_id = visits[leg.booking_id].case_id
        beside = around[case_id]
        rows.append(
            LegRow(
                **leg.model_dump(),
                case_id=case_id,
                vehicle=beside["vehicle"],
                plate=beside["plate"],
                owner=beside["owner"],
                driver=names.get(leg.driver_id or 0),
                next_event=next_event(leg),
                minutes_late=minutes_late(leg, now),
            )
        )
    return rows


def _day(day: date, zone_name: str) -> tuple[datetime, datetime]:
    """The instants between which a wall calendar shows that day: 23, 24 or 25 hours."""
    where = zone(zone_name)
    return datetime(day.year, day.month, day.day, tzinfo=where), datetime.combine(
        day + timedelta(days=1), datetime.min.time(), where
    )
