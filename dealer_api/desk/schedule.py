"""Who and what is taken when: rows of bays, loaners and trucks along a day's hours, how full it is, and a week of days
side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dealer_api.app_keys import Call
from rules.service.load import Load, load
from rules.service.opening import open_times
from schemas.booking import BookingKind
from schemas.moment import local
from schemas.slot import Resource, ResourceKind, Window
from store.views.schedule import BlockRow

QUARTERS = 48
_QUARTER = timedelta(minutes=15)
_DONE = ("ready", "completed")
#: In which order they stand, and what a group of them is called.
GROUPS = {
    ResourceKind.DRIVER: "Drivers",
    ResourceKind.BAY: "Bays",
    ResourceKind.TECHNICIAN: "Technicians",
    ResourceKind.LOANER: "Loaners",
    ResourceKind.TOW_TRUCK: "Tow trucks",
    ResourceKind.VAN: "Service vans",
}


#: What stands above the list of a group's day.
HEADINGS = {
    "Drivers": "Drivers",
    "Bays": "In the bays",
    "Technicians": "At work",
    "Loaners": "Loaners out",
    "Tow trucks": "Tow trucks out",
    "Service vans": "Service vans out",
}


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of time as it is drawn: from which quarter hour of the shown ones, and how many."""

    row: BlockRow
    start: int
    span: int
    look: str  #: held, overdue, finished, moving or nothing
    before: bool  #: it began on an earlier day
    after: bool  #: it goes on on a later one

    @property
    def moves(self) -> int | None:
        """The visit that another time for this piece of a bay would move: one that its owner brings, not yet here."""
        row = self.row
        if row.use != "work" or row.state != "booked" or row.booking_state != "agreed" or row.booking_kind is None:
            return None
        return row.booking_id if BookingKind(row.booking_kind).brought else None


@dataclass(frozen=True, slots=True)
class Line:
    """One bay, loaner or truck with its day."""

    name: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """All of a kind, and how full they are."""

    title: str
    load: Load
    lines: tuple[Line, ...]

    @property
    def heading(self) -> str:
        return HEADINGS[self.title]

    @property
    def agreed(self) -> bool:
        """Whether anything is taken by more than an offer."""
        return any(block.row.state == "booked" for line in self.lines for block in line.blocks)


@dataclass(frozen=True, slots=True)
class Cell:
    """One resource on one day of the week."""

    blocks: tuple[BlockRow, ...]
    load: Load


@dataclass(frozen=True, slots=True)
class WeekDay:
    """A column: which day it is, counted from today, and whether the house is open."""

    offset: int
    date: date
    open: bool


@dataclass(frozen=True, slots=True)
class WeekGroup:
    """The rows of one kind, each with a cell a day, and what they are together."""

    title: str
    together: tuple[Load, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def groups_of(
    blocks: Sequence[BlockRow],
    resources: Sequence[Resource],
    caller: Call,
    now: datetime,
    day: tuple[datetime, datetime],
    first: int,
) -> tuple[Group, ...]:
    """The day of every kind of resource there is; `first` is the hour at which the shown day begins."""
    opening = open_times(caller.dealer, *day)
    found = []
    for kind, title in GROUPS.items():
        mine = [resource for resource in resources if resource.kind is kind]
        if mine:
            lines = tuple(
                Line(
                    _name(one),
                    tuple(
                        _block(b, now, day=day, first=first, zone=caller.dealer.zone)
                        for b in blocks
                        if b.resource_id == one.id
                    ),
                )
                for one in mine
            )
            found.append(Group(title, load(kind, opening, [_windows(blocks, one) for one in mine]), lines))
    return tuple(found)


def week_of(
    blocks: Sequence[BlockRow],
    resources: Sequence[Resource],
    caller: Call,
    days: Sequence[tuple[int, datetime, datetime]],
) -> tuple[tuple[WeekDay, ...], tuple[WeekGroup, ...]]:
    """Seven days, each as (days from today, its midnight, the next midnight)."""
    hours = [open_times(caller.dealer, since, until) for _, since, until in days]
    columns = tuple(
        WeekDay(offset, local(since, caller.dealer.zone).date(), bool(open_))
        for (offset, since, _), open_ in zip(days, hours, strict=True)
    )
    found = []
    for kind, title in GROUPS.items():
        mine = [resource for resource in resources if resource.kind is kind]
        if not mine:
            continue
        rows, on_days = (
            [],
            [[b for b in blocks if b.starts_at < until and since < b.ends_at] for _, since, until in days],
        )
        for one in mine:
            cells = [
                Cell(tuple(b for b in on if b.resource_id == one.id), load(kind, open_, [_windows(on, one)]))
                for on, open_ in zip(on_days, hours, strict=True)
            ]
            rows.append((_name(one), tuple(cells)))
        together = tuple(
            load(kind, open_, [_windows(on, one) for one in mine]) for on, open_ in zip(on_days, hours, strict=True)
        )
        found.append(WeekGroup(title, together, tuple(rows)))
    return columns, tuple(found)


def _name(resource: Resource) -> str:
    """A person's resource carries their number, so that two of one name can be told apart; people need not see it."""
    return resource.name.rpartition(" (")[0] if resource.staff_id is not None else resource.name


def _windows(blocks: Sequence[BlockRow], resource: Resource) -> list[Window]:
    return [Window(starts_at=b.starts_at, ends_at=b.ends_at) for b in blocks if b.resource_id == resource.id]


def _block(row: BlockRow, now: datetime, day: tuple[datetime, datetime], first: int, zone: str) -> Block:
    since, until = max(row.starts_at, day[0]), min(row.ends_at, day[1])
    wall = local(since, zone)
    start = min(max(1, (wall.hour - first) * 4 + wall.minute // 15 + 1), QUARTERS - 1)
    lost = max(0, (first - wall.hour) * 4 - wall.minute // 15)  # what lies before the first shown hour
    span = min(max(2, -(-(until - since) // _QUARTER) - lost), QUARTERS - start + 1)
    return Block(
        row, start, span=span, look=look_of(row, now), before=row.starts_at < day[0], after=row.ends_at > day[1]
    )


def look_of(row: BlockRow, now: datetime) -> str:
    """How the block looks: what should be over and is not is red."""
    if row.state == "held":
        return "held"
    if row.use == "work":
        if row.booking_state in _DONE:
            return "finished"
        if (row.ready_by is not None and row.ready_by <= now) or row.ends_at <= now:
            return "overdue"
        return "moving" if row.booking_state in ("arrived", "working") else ""
    return "overdue" if row.use == "loaner" and row.ends_at <= now and row.booking_state not in _DONE else ""
