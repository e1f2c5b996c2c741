"""Who drives which leg of a day, in which order: what a round is, when its stops happen, what it costs, and a plan by
insertion. Pure.

A driver begins and ends at the house. To collect a car they travel to its owner, and drive it to the house; to return
one they drive it from the house to its owner. Nobody drives two cars at once. Between two legs they travel by whatever
carries them, in the same time.
Cost is compared in this order: legs that nobody drives, seconds for which owners wait past their windows, seconds of
travel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rules.service.travel import HANDOVER, Matrix
from schemas.pickup import LegKind
from schemas.slot import Window

HOUSE = 0  #: the place in the matrix at which every round begins
_NO_ROAD_S = 4 * 3600  #: a way that the road service does not know is not impossible, only bad


@dataclass(frozen=True, slots=True)
class Errand:
    """A leg: at `place` (of the matrix) within `window`. `driver`: who has it; `bound`: they have set out."""

    leg_id: int
    kind: LegKind
    place: int
    window: Window
    driver: int | None = None
    bound: bool = False


@dataclass(frozen=True, slots=True)
class Shift:
    """When a driver is there: their `free` times of the day."""

    driver: int
    free: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """What is to be planned. `apart`: two windows of one driver may not overlap: their time is booked by windows."""

    errands: tuple[Errand, ...]
    shifts: tuple[Shift, ...]
    matrix: Matrix
    apart: bool = True

    def way(self, start: int, end: int) -> int:
        """Seconds of travel."""
        found = self.matrix[start][end]
        return _NO_ROAD_S if found is None else found


@dataclass(frozen=True, slots=True)
class Stop:
    """When the driver sets out, is at the owner's, is free again; `late`: how long after the window all is done."""

    errand: Errand
    leaves: datetime
    arrives: datetime
    done: datetime
    late: timedelta


@dataclass(frozen=True, slots=True, order=True)
class Cost:
    """Less is better, from the left."""

    nobodys: int
    late_s: int
    travel_s: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Each driver's stops in order, and the legs that nobody can drive."""

    rounds: Mapping[int, tuple[Stop, ...]]
    nobodys: tuple[Errand, ...]
    cost: Cost
    by: str = "insertion"  #: who made it

    def driver_of(self) -> dict[int, int]:
        """Leg to driver."""
        return {stop.errand.leg_id: driver for driver, stops in self.rounds.items() for stop in stops}


Orders = Mapping[int, Sequence[Errand]]  #: driver to their legs, in order


def may_drive(day: Day, shift: Shift, errand: Errand, others: Sequence[Errand]) -> bool:
    """Whether its window fits this driver: they are there, and, where windows book time, it overlaps none of theirs."""
    if errand.bound:
        return errand.driver == shift.driver
    there = any(
        free.starts_at <= errand.window.starts_at and errand.window.ends_at <= free.ends_at for free in shift.free
    )
    return there and not (day.apart and any(_overlap(errand.window, other.window) for other in others))


def stops(day: Day, order: Sequence[Errand]) -> tuple[tuple[Stop, ...], int]:
    """One driver's round as early as windows let them, and its seconds of travel, the way home with it."""
    found: list[Stop] = []
    at, now, travelled = HOUSE, None, 0
    for errand in order:
        to_house = day.way(at, HOUSE) if errand.kind is LegKind.RETURN and at != HOUSE else 0
        there = to_house + day.way(HOUSE if errand.kind is LegKind.RETURN else at, errand.place)
        latest = errand.window.starts_at - timedelta(seconds=there)
        leaves = latest if now is None else max(now, latest)
        arrives = leaves + timedelta(seconds=there)
        handed = arrives + HANDOVER
        back = day.way(errand.place, HOUSE) if errand.kind is LegKind.COLLECT else 0
        done = handed + timedelta(seconds=back)
        found.append(
            Stop(errand, leaves, arrives=arrives, done=done, late=max(timedelta(), handed - errand.window.ends_at))
        )
        at, now, travelled = HOUSE if errand.kind is LegKind.COLLECT else errand.place, done, travelled + there + back
    return tuple(found), travelled + (day.way(at, HOUSE) if at != HOUSE else 0)


def weighed(day: Day, orders: Orders, by: str) -> Plan:
    """A plan out of each driver's order; whatever stands in none of them is nobody's."""
    rounds, late, travel, driven = {}, timedelta(), 0, set[int]()
    for driver, order in orders.items():
        found, spent = stops(day, order)
        rounds[driver] = found
        late += sum((stop.late for stop in found), timedelta())
        travel += spent
        driven |= {errand.leg_id for errand in order}
    left = tuple(errand for errand in day.errands if errand.leg_id not in driven)
    return Plan(rounds, left, Cost(len(left), round(late.total_seconds()), travel), by)


def inserted(day: Day, orders: Orders | None = None) -> Plan:
    """Each leg where it costs least, the earliest windows first; legs that are in `orders` stay in their order."""
    held: dict[int, list[Errand]] = {shift.driver: list((orders or {}).get(shift.driver, ())) for shift in day.shifts}
    spent = {driver: _cost(day, order) for driver, order in held.items()}
    known = {errand.leg_id for order in held.values() for errand in order}
    for errand in sorted(
        (e for e in day.errands if e.leg_id not in known),
        key=lambda e: (not e.bound, e.window.starts_at, e.window.ends_at, e.leg_id),
    ):
        best = min(_places(day, held, spent, errand), default=None, key=lambda place: place.key)
        if best is not None:
            held[best.driver].insert(best.at, errand)
            spent[best.driver] = best.cost
    return weighed(day, held, "insertion")


@dataclass(frozen=True, slots=True)
class _Place:
    driver: int
    at: int
    cost: tuple[int, int]  #: of the driver's round with it
    key: tuple[int, ...] = field(default=())


def _places(
    day: Day, held: Mapping[int, list[Errand]], spent: Mapping[int, tuple[int, int]], errand: Errand
) -> Iterator[_Place]:
    """Everywhere it fits, with what it would add; of equal ones its driver keeps it, else the least busy gets it."""
    for shift in day.shifts:
        order, before = held[shift.driver], spent[shift.driver]
        if may_drive(day, shift, errand, order):
            for at in range(len(order) + 1):
                cost = _cost(day, [*order[:at], errand, *order[at:]])
                key = (
                    cost[0] - before[0],
                    cost[1] - before[1],
                    errand.driver != shift.driver,
                    len(order),
                    shift.driver,
                    at,
                )
                yield _Place(shift.driver, at, cost, key)


def _cost(day: Day, order: Sequence[Errand]) -> tuple[int, int]:
    found, travelled = stops(day, order)
    return round(sum(stop.late.total_seconds() for stop in found)), travelled


def _overlap(one: Window, other: Window) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at
