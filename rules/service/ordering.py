"""The best plan of a day's drives that we can find: VROOM's where it is installed and better, else by insertion. Pure.

To VROOM a leg is one stop at its owner's. What lies between two of them, driving the first car to the house or
fetching the second one there, is in the way from one to the other, which therefore differs in each direction. Where
windows book time, each piece of the day is a good of which a leg takes one for every piece of its window, and of which
a driver has room for one: then no two windows of one driver overlap.
VROOM's windows are hard: what it leaves over is put in by insertion. Of both plans the cheaper counts, so that none is
ever worse than insertion.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

from rules.service.rounds import HOUSE, Day, Errand, Plan, inserted, may_drive
from rules.service.travel import HANDOVER
from schemas.pickup import LegKind

INSTALLED = find_spec("vroom") is not None
_EFFORT = ((60, 3), (10_000, 1))  #: up to so many legs, of 0 to 5: a day of any house is ordered within a second or two
_AROUND = timedelta(hours=4)  #: how long before and after their hours a round may begin and end: the way there and home
_BEGIN = datetime(2000, 1, 1, tzinfo=UTC)


def best(day: Day, *, with_vroom: bool = INSTALLED) -> Plan:
    """The cheaper one of both ways; on a tie the plain one."""
    plain = inserted(day)
    if not with_vroom or len(day.errands) < 2 or not any(shift.free for shift in day.shifts):
        return plain
    solved = inserted(day, _allowed(day, _solved(day)))
    return Plan(solved.rounds, solved.nobodys, solved.cost, "vroom") if solved.cost < plain.cost else plain


def _allowed(day: Day, orders: dict[int, list[Errand]]) -> dict[int, list[Errand]]:
    """Without what may not be with this driver: VROOM was told, but nothing rests on that."""
    kept: dict[int, list[Errand]] = {}
    for shift in day.shifts:
        mine = kept[shift.driver] = []
        for errand in orders.get(shift.driver, ()):
            if may_drive(day, shift, errand, mine):
                mine.append(errand)
    return kept


def _solved(day: Day) -> dict[int, list[Errand]]:
    """VROOM's order of each driver's legs."""
    import vroom

    problem = vroom.Input()
    problem.set_durations_matrix("car", _between(day))
    pieces = _pieces(day) if day.apart else []
    fit = {
        n: {number for number, shift in enumerate(day.shifts) if may_drive(day, shift, errand, ())}
        for n, errand in enumerate(day.errands)
    }
    for number, shift in enumerate(day.shifts):
        if not shift.free:
            continue
        hours = vroom.TimeWindow(
            _s(min(f.starts_at for f in shift.free) - _AROUND), _s(max(f.ends_at for f in shift.free) + _AROUND)
        )
        can = {n for n, those in fit.items() if number in those}  # a skill for each leg that this driver can do
        problem.add_vehicle(
            vroom.Vehicle(number, start=HOUSE, end=HOUSE, capacity=[1] * len(pieces), time_window=hours, skills=can)
        )
    for n, errand in enumerate(day.errands):
        window = vroom.TimeWindow(
            _s(errand.window.starts_at), _s(max(errand.window.starts_at, errand.window.ends_at - HANDOVER))
        )
        takes = [int(errand.window.starts_at < end and start < errand.window.ends_at) for start, end in pieces]
        job = vroom.Job(
            n,
            location=n + 1,
            default_service=int(HANDOVER.total_seconds()),
            pickup=takes,
            skills={n},
            time_windows=[window],
        )
        problem.add_job(job)
    routes = problem.solve(
        exploration_level=next(effort for most, effort in _EFFORT if len(day.errands) <= most), nb_threads=1
    ).routes
    orders: dict[int, list[Errand]] = {}
    if "id" not in routes:  # nothing fits anybody
        return orders
    for vehicle, kind, task in zip(
        routes["vehicle_id"].tolist(), routes["type"].tolist(), routes["id"].tolist(), strict=True
    ):
        if kind == "job":
            orders.setdefault(day.shifts[int(vehicle)].driver, []).append(day.errands[int(task)])
    return orders


def _between(day: Day) -> list[list[int]]:
    """Seconds from one owner's to the next one's, by way of the house as the legs ask; the house itself comes first."""
    ends = [
        (HOUSE, 0),
        *((HOUSE, day.way(e.place, HOUSE)) if e.kind is LegKind.COLLECT else (e.place, 0) for e in day.errands),
    ]
    return [[0 if i == j else spent + _to(day, at, j) for j in range(len(ends))] for i, (at, spent) in enumerate(ends)]


def _to(day: Day, at: int, number: int) -> int:
    if number == 0:
        return 0 if at == HOUSE else day.way(at, HOUSE)
    errand = day.errands[number - 1]
    if errand.kind is LegKind.COLLECT:
        return day.way(at, errand.place)
    return (0 if at == HOUSE else day.way(at, HOUSE)) + day.way(HOUSE, errand.place)


def _pieces(day: Day) -> list[tuple[Any, Any]]:
    """The day, cut wherever a window begins or ends."""
    cuts = sorted({at for errand in day.errands for at in (errand.window.starts_at, errand.window.ends_at)})
    return list(pairwise(cuts))


def _s(at: datetime) -> int:
    return int((at - _BEGIN) / timedelta(seconds=1))
