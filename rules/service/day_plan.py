"""A dealer's day of drives as it can be planned: whose legs these are, who is there, and how far it is. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from rules.service.opening import open_times
from rules.service.rounds import Day, Errand, Orders, Plan, Shift, weighed
from rules.service.travel import HANDOVER, Matrix
from schemas.account import Dealer
from schemas.pickup import Leg, LegState
from schemas.place import Place, place_of
from schemas.slot import Window


def places_of(dealer: Dealer, legs: Sequence[Leg]) -> list[Place]:
    """Every place that is known, once, the house first; empty where nobody knows where the house is."""
    house = place_of(dealer.place)
    if house is None:
        return []
    return list(dict.fromkeys([house, *(place for leg in legs if (place := place_of(leg.place)) is not None)]))


def day_of(
    dealer: Dealer,
    legs: Sequence[Leg],
    away: Mapping[int, Sequence[Window]],
    span: tuple[datetime, datetime],
    places: Sequence[Place],
    matrix: Matrix,
) -> Day:
    """`legs` within `span`; `away`: each driver's absences, a key for everybody who drives; `matrix` between `places`.

    To a place that nobody knows the way takes what a usual drive leaves beside the handover, both ways alike.
    """
    usual = max(0, (dealer.drive_minutes * 60 - round(HANDOVER.total_seconds())) // 2)
    unknown = max(len(places), 1)
    size = unknown + 1
    whole: list[list[int | None]] = [
        [0 if i == j else usual if unknown in (i, j) else matrix[i][j] for j in range(size)] for i in range(size)
    ]
    number = {str(place): n for n, place in enumerate(places)}
    errands = tuple(
        Errand(
            leg.id,
            leg.kind,
            place=number.get(leg.place or "", unknown) if places else unknown,
            window=Window(starts_at=leg.starts_at, ends_at=leg.ends_at),
            driver=leg.driver_id,
            bound=leg.state is not LegState.PLANNED,
        )
        for leg in legs
    )
    opening = open_times(dealer, *span)
    shifts = tuple(Shift(driver, tuple(_left(opening, gone))) for driver, gone in away.items())
    return Day(errands, shifts, whole)


def standing(day: Day) -> Plan:
    """The day as it is booked now, each driver's legs in order of their windows."""
    return weighed(day, orders_of(day), "booked")


def freed(day: Day, legs: Collection[int]) -> Day:
    """The same day, in which these legs are to find a driver and all others stay with theirs."""
    errands = tuple(
        replace(errand, driver=None, bound=False) if errand.leg_id in legs else replace(errand, bound=True)
        for errand in day.errands
    )
    return replace(day, errands=errands)


def orders_of(day: Day, but: frozenset[int] = frozenset()) -> Orders:
    """Whose the legs are now; without those in `but`."""
    held: dict[int, list[Errand]] = {shift.driver: [] for shift in day.shifts}
    for errand in sorted(day.errands, key=lambda e: (e.window.starts_at, e.leg_id)):
        if errand.driver in held and errand.leg_id not in but:
            held[errand.driver].append(errand)
    return held


def _left(opening: Sequence[Window], gone: Sequence[Window]) -> list[Window]:
    """What is open and not away."""
    left = list(opening)
    for absence in gone:
        left = [part for span in left for part in _cut(span, absence)]
    return left


def _cut(span: Window, out: Window) -> list[Window]:
    parts = ((span.starts_at, min(span.ends_at, out.starts_at)), (max(span.starts_at, out.ends_at), span.ends_at))
    return [Window(starts_at=start, ends_at=end) for start, end in parts if start < end]
