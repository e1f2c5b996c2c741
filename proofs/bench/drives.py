"""`telltale bench drives`: how long a day of drives takes to plan, and how much shorter it is than by insertion.

Legs lie around a town as customers do (most within ten kilometres), half of them collections and half returns, in
windows of an hour on the half hour, of which no driver has two at once. `seconds` is the slowest of the days.
"""

from __future__ import annotations

import asyncio
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from rules.service.ordering import INSTALLED, best
from rules.service.rounds import Day, Errand, Shift, inserted
from rules.service.travel import estimate
from schemas.pickup import LegKind
from schemas.place import Place
from schemas.slot import Window

_DAYS = 5
_EIGHT = datetime(2026, 11, 23, 7, tzinfo=UTC)
_HOUSE = Place(latitude=53.5503, longitude=9.9920)
_NEAR = 0.06  #: degrees: how far customers live


async def main(settings: Any, *, legs: int) -> dict[str, Any]:
    """Some days of so many legs, and of twice as many; a driver for each four."""
    began = time.perf_counter()
    best(_day(0, 2))  # the library is loaded with the first day that is planned
    loaded = time.perf_counter() - began
    usual, twice = await asyncio.to_thread(_measure, legs), await asyncio.to_thread(_measure, 2 * legs)
    return {"vroom": INSTALLED, "seconds_to_load": round(loaded, 3), f"legs_{legs}": usual, f"legs_{2 * legs}": twice}


def _measure(legs: int) -> dict[str, Any]:
    slowest, plain_s, saved, worse, left = 0.0, 0.0, [], 0, 0
    for seed in range(_DAYS):
        day = _day(seed, legs)
        began = time.perf_counter()
        plain = inserted(day)
        plain_s = max(plain_s, time.perf_counter() - began)
        began = time.perf_counter()
        found = best(day)
        slowest = max(slowest, time.perf_counter() - began)
        worse += found.cost > plain.cost
        left += len(found.nobodys)
        if len(found.nobodys) == len(plain.nobodys):
            saved.append(1 - found.cost.travel_s / plain.cost.travel_s)
    return {
        "days": _DAYS,
        "seconds": round(slowest, 3),
        "seconds_by_insertion": round(plain_s, 3),
        "way_saved": round(sum(saved) / max(1, len(saved)), 3),
        "worse_than_insertion": worse,
        "legs_without_a_driver": left,
    }


def _day(seed: int, legs: int) -> Day:
    luck = random.Random(seed)
    drivers = max(1, -(-legs // 4))
    places = [_HOUSE]
    errands = []
    for n in range(legs):
        places.append(Place(latitude=luck.gauss(_HOUSE.latitude, _NEAR), longitude=luck.gauss(_HOUSE.longitude, _NEAR)))
        start = _EIGHT + timedelta(minutes=30 * luck.randrange(0, 18))
        window = Window(starts_at=start, ends_at=start + timedelta(hours=1))
        errands.append(Errand(n, LegKind.COLLECT if n % 2 else LegKind.RETURN, n + 1, window))
    there = (Window(starts_at=_EIGHT, ends_at=_EIGHT + timedelta(hours=10)),)
    return Day(tuple(errands), tuple(Shift(n, there) for n in range(1, drivers + 1)), estimate(places))
