"""The schedule: a day of drivers, bays and loaners along the hours, a week of them, and a sheet to print; each driver's
next step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from aiohttp import web

from actions import legs as acts
from dealer_api import permissions as may
from dealer_api.app_keys import Call, call
from dealer_api.bodies import small_number
from dealer_api.desk import formatting
from dealer_api.desk.page import back, day_span, form, go, id_of, page, refused, row_of
from dealer_api.desk.schedule import groups_of, look_of, week_of
from dealer_api.desk.workshop import SECTIONS, car_of
from rules.service.driving import stays
from rules.service.pickup import minutes_late, next_event
from schemas.booking import BookingKind
from schemas.errors import BadInput, TelltaleError
from schemas.moment import from_local, local
from schemas.pickup import LEGS, Leg, LegEvent, LegKind, LegState
from store import slots, witnesses
from store.views import day, schedule, workshop

_QUARTERS = 48
_HOURS = _QUARTERS // 4
_FIRST = 7  #: the calendar begins at seven unless a drive begins earlier


@dataclass(frozen=True, slots=True)
class ShownLeg:
    """A drive as a block of the calendar and as a line of the list."""

    row: day.LegRow
    start: int  #: the quarter hour at which its block begins, from 1
    span: int
    look: str
    step: str | None
    mine: bool
    late: str
    can_assign: bool
    towed: bool  #: it is made with the tow truck
    stays: str  #: why the car must not be driven, where no truck was agreed; empty when it may
    overdue: bool  #: its window has passed and nobody has set out
    today: bool = True  #: it begins on the day that is shown

    @property
    def moves(self) -> int | None:
        """The visit that another time for this drive would move: nobody has set out, and its turn is not over."""
        row = self.row
        waits = row.state == "planned" and row.booking_state == ("agreed" if row.kind == "collect" else "ready")
        return row.booking_id if waits else None


@dataclass(frozen=True, slots=True)
class Lane:
    """One driver's day."""

    name: str
    legs: list[ShownLeg]


@dataclass(frozen=True, slots=True)
class Lanes:
    """The whole calendar."""

    lanes: list[Lane]
    list: list[ShownLeg]
    hours: range
    now: int | None  #: the quarter hour that is now

    @property
    def first(self) -> int:
        return self.hours[0]

    @property
    def last(self) -> int:
        return self.hours[-1] + 1

    @property
    def total(self) -> int:
        return len(self.list)

    @property
    def finished(self) -> int:
        return sum(leg.look == "finished" for leg in self.list)


async def show(request: web.Request) -> web.Response:
    """A day; or as `view` asks the week that it lies in, or a sheet to print."""
    caller = call(request)
    now, zone = caller.house.now(), caller.dealer.zone
    offset, view = small_number(request.query.get("day", "")), request.query.get("view")
    if view == "week":
        return await _week(request, caller, offset, now)
    day_from, day_to = day_span(caller, now, offset)
    async with caller.house.at(caller.dealer_id) as connection:
        rows = await day.legs(connection, caller.dealer_id, day_from, day_to, under_way=offset == 0)
        following = await day.next_drive(connection, caller.dealer_id, day_to)
        visits = await day.visits(connection, caller.dealer_id, day_from, day_to)
        drivers = await day.drivers(connection, caller.dealer_id)
        blocks = await schedule.blocks(connection, caller.dealer_id, since=day_from, until=day_to, now=now)
        resources = await slots.resources(connection, caller.dealer_id)
        late = await schedule.overdue(connection, caller.dealer_id, now) if offset == 0 else []
        odd = (
            await witnesses.odd(connection, caller.dealer_id) if offset == 0 and caller.may(may.LOOK_AT_DRIVES) else []
        )
        inside = (
            await workshop.cars(connection, caller.dealer_id, now, day_to) if view == "sheet" and not offset else []
        )
    there = local(day_from, zone)
    near = {0: "Today", 1: "Tomorrow", -1: "Yesterday"}
    begins = [row.starts_at for row in rows] + [block.starts_at for block in blocks]
    first = min([_FIRST, *(local(moment, zone).hour for moment in begins if day_from <= moment < day_to)])
    lanes = lanes_of(rows, drivers, caller=caller, now=now, day_from=day_from, day_to=day_to, first=first)
    return await page(
        request,
        "sheet.html" if view == "sheet" else "today.html",
        groups=groups_of(blocks, resources, caller=caller, now=now, day=(day_from, day_to), first=first),
        late=late,
        odd=odd,
        inside=[car_of(row, now) for row in inside if row.state != "agreed"],
        title=near.get(offset, formatting.long_day(there.date(), year=False)),
        date_words=formatting.long_day(there.date()),
        offset=offset,
        times=half_hours(day_from, zone, lanes.first),
        lanes=lanes,
        following=_following(following, zone, now),
        sections=SECTIONS,
        visits=visits,
        drivers=drivers,
        here=request.path_qs,
    )


async def _week(request: web.Request, caller: Call, offset: int, now: datetime) -> web.Response:
    """Monday to Sunday around that day."""
    zone = caller.dealer.zone
    monday = offset - local(day_span(caller, now, offset)[0], zone).weekday()
    days = [(monday + n, *day_span(caller, now, monday + n)) for n in range(7)]
    async with caller.house.at(caller.dealer_id) as connection:
        blocks = await schedule.blocks(connection, caller.dealer_id, since=days[0][1], until=days[-1][2], now=now)
        resources = await slots.resources(connection, caller.dealer_id)
    columns, groups = week_of(blocks, resources, caller, days)
    title = f"Week {columns[0].date.isocalendar().week}"
    return await page(
        request,
        "week.html",
        title=title,
        offset=offset,
        days=columns,
        groups=groups,
        now_looks=lambda row: look_of(row, now),
        here=request.path_qs,
    )


async def move(request: web.Request) -> web.Response:
    """The driver's next step."""
    caller, fields = call(request), await form(request)
    to = back(fields.get("back"), "/today")
    try:
        if fields.get("event") not in list(LegEvent):
            raise BadInput("step", "choose the next step")
        event = LegEvent(fields["event"])
        await acts.move(caller, id_of(request), event)
    except TelltaleError as error:
        return refused(error, to)
    return go(to, f"{formatting.LEGS[event.value]}. The owner sees it.")


async def assign(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    try:
        await acts.assign(caller, id_of(request), row_of(fields.get("driver"), "driver", "choose who drives"))
    except TelltaleError as error:
        return refused(error, "/today")
    return go("/today", "The drive has a driver.")


def half_hours(day_from: datetime, zone: str, first: int) -> list[str]:
    """The instants at which the shown day's half hours begin; a wall time that does not come is left out."""
    date, found = local(day_from, zone).date(), []
    for n in range(_HOURS * 2):
        hour, half = divmod(first * 2 + n, 2)
        try:
            at = from_local(date + timedelta(days=hour // 24), time(hour % 24, half * 30), zone, fold=0)
        except BadInput:
            at = None
        found.append("" if at is None else at.isoformat())
    return found


def _following(moment: datetime | None, zone: str, now: datetime) -> tuple[int, str] | None:
    """How many days ahead the next drive is, and when in words."""
    if moment is None:
        return None
    return (local(moment, zone).date() - local(now, zone).date()).days, formatting.when(moment, zone, now)


def lanes_of(
    rows: Sequence[day.LegRow],
    drivers: Mapping[int, str],
    caller: Call,
    now: datetime,
    day_from: datetime,
    day_to: datetime,
    first: int = _FIRST,
) -> Lanes:
    """Drives by driver, placed on quarter hours of the dealer's wall clock.

    What is driven now but planned for another day stands in the list only.
    """
    zone = caller.dealer.zone
    first = min([first, *(local(row.starts_at, zone).hour for row in rows if day_from <= row.starts_at < day_to)])
    shown = [replace(_shown(row, first, caller, now), today=day_from <= row.starts_at < day_to) for row in rows]
    placed = [leg for leg in shown if leg.today]
    lanes = [Lane("Nobody yet", found)] if (found := [leg for leg in placed if leg.row.driver_id is None]) else []
    names = {**drivers, **{row.driver_id: row.driver or "" for row in rows if row.driver_id is not None}}
    lanes += [Lane(name, [leg for leg in placed if leg.row.driver_id == driver]) for driver, name in names.items()]
    at = _quarter(now, first, zone)
    shown.sort(key=lambda leg: (not leg.overdue, leg.row.starts_at))
    return Lanes(
        lanes, shown, range(first, first + _HOURS), at if day_from <= now < day_to and 1 <= at <= _QUARTERS else None
    )


def _shown(row: day.LegRow, first: int, caller: Call, now: datetime) -> ShownLeg:
    zone = caller.dealer.zone
    leg = Leg(
        id=row.id,
        dealer_id=caller.dealer_id,
        booking_id=row.booking_id,
        kind=LegKind(row.kind),
        state=LegState(row.state),
        driver_id=row.driver_id,
        slot_id=None,
        address=row.address,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        changed_at=row.changed_at,
    )
    mine = caller.staff is not None and row.driver_id == caller.staff.id
    event = next_event(leg)
    moves = caller.may(may.ASSIGN_LEGS) or (caller.may(may.MOVE_LEGS) and (mine or row.driver_id is None))
    waits = leg.kind is LegKind.RETURN and leg.state is LegState.PLANNED and row.booking_state != "ready"
    overdue = leg.state is LegState.PLANNED and leg.ends_at <= now
    late = minutes_late(leg, now) if overdue or not waits else 0
    towed = row.booking_kind == BookingKind.TOW and leg.kind is LegKind.COLLECT
    found = (
        stays(row.standing)
        if leg.kind is LegKind.COLLECT and leg.state in (LegState.PLANNED, LegState.ON_THE_WAY)
        else None
    )
    start = min(max(1, _quarter(row.starts_at, first, zone)), _QUARTERS - 3)
    length = max(4, round((row.ends_at - row.starts_at) / timedelta(minutes=15)))
    look = "finished" if LEGS[leg.kind].final(leg.state) else "moving" if leg.state is not LegState.PLANNED else ""
    return ShownLeg(
        row,
        start,
        span=min(length, _QUARTERS - start + 1),
        look=look,
        step=event.value
        if event and moves and not waits and not (event is LegEvent.COLLECTED and found and not towed)
        else None,
        mine=mine,
        late=f"{formatting.span(timedelta(minutes=late))} late" if late else "",
        can_assign=caller.may(may.ASSIGN_LEGS) and not LEGS[leg.kind].final(leg.state),
        towed=towed,
        stays=found.because if found and not towed else "",
        overdue=overdue,
    )


def _quarter(moment: datetime, first: int, zone: str) -> int:
    wall = local(moment, zone)
    return (wall.hour - first) * 4 + wall.minute // 15 + 1


async def looked(request: web.Request) -> web.Response:
    """Somebody looked at an odd drive."""
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        if not await witnesses.seen(
            connection, caller.dealer_id, witness_id=id_of(request), by=caller.actor, now=caller.house.now()
        ):
            return go("/today", "Somebody has looked at it already.")
    return go("/today", "Noted: you have looked at it.")
