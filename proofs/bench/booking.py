"""`telltale bench booking`: how long until every rival for one window has an answer.

Three ways in one run: our lock with the constraint behind it, the constraint alone (what people write first), and the
whole act as the desk does it, with its case, history, drives and text.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from actions import bookings
from proofs.ground import bench_dealer, bench_house, own_database
from rules.service import capacity
from schemas.booking import BookingKind
from schemas.errors import Overtaken, Unavailable
from schemas.slot import Claim, Use, Window
from store import accounts, slots
from store.migrate import role_url
from store.pool import Pool, open_pool, transaction

AT_ONCE = 40  #: connections; the other rivals wait for one, as they do at the desk
_SECRET = "bench"
_NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
_CASES = """
WITH cars AS (
    INSERT INTO vehicles (vin, dealer_id, dealer_since, profile, title)
    SELECT 'WVWZZZ1KZAW' || lpad(n::text, 6, '0'), $1, $2, 'petrol_hatch', 'Golf' FROM generate_series(1, $3::int) AS n
      RETURNING id
)
INSERT INTO cases (dealer_id, vehicle_id, state, severity, title, origin, opened_at, changed_at)
SELECT $1, id, 'open', 'soon', 'x', 'call', $2, $2 FROM cars RETURNING id
"""


async def main(settings: Any, *, rivals: int) -> dict[str, Any]:
    """Each way once, on its own hour."""
    async with own_database(_SECRET) as url:
        return await _measure(url, rivals)


async def _measure(url: str, rivals: int) -> dict[str, Any]:
    office = await open_pool(role_url(url, _SECRET, "telltale_office"), name="bench-office", size=1)
    pool = await open_pool(role_url(url, _SECRET, "telltale_desk"), name="bench-desk", size=AT_ONCE)
    house = bench_house(pool, _NOW, _SECRET)
    async with transaction(office) as connection:
        dealer = await bench_dealer(connection, _NOW)
        bay = await accounts.add_resource(connection, dealer.id, "bay", "Bay")
        cases = [row["id"] for row in await connection.fetch(_CASES, dealer.id, _NOW, rivals + 1)]
    first = await bookings.book(
        house.acting(dealer.id, "bench"), cases.pop(), BookingKind.DROP_OFF, _NOW + timedelta(days=1)
    )

    def claim(hours: int) -> list[Claim]:
        start = _NOW + timedelta(days=2, hours=hours)
        return [
            Claim(resource_id=bay, use=Use.WORK, window=Window(starts_at=start, ends_at=start + timedelta(hours=2)))
        ]

    async def locked() -> None:
        async with transaction(pool, dealer.id) as connection:
            await slots.resources(connection, dealer.id, lock=True)
            taken = await slots.taken(connection, dealer.id, _NOW, _NOW + timedelta(days=9))
            if any(capacity.overlap(claim(0)[0].window, window) for window in taken.get(bay, ())):
                raise Overtaken("window")
            await slots.book(connection, dealer.id, first.id, claim(0))

    async def constraint_alone() -> None:
        async with transaction(pool, dealer.id) as connection:
            await slots.book(connection, dealer.id, first.id, claim(4))

    def whole(case: int) -> Callable[[], Awaitable[Any]]:
        return lambda: bookings.book(
            house.acting(dealer.id, "bench"), case, BookingKind.DROP_OFF, _NOW + timedelta(days=3)
        )

    async def look() -> None:
        async with transaction(pool, dealer.id) as connection:
            await slots.taken(connection, dealer.id, _NOW, _NOW + timedelta(days=9))

    # as a desk's connections in the morning: planning a query for the first time is not what rivals wait for
    await _race(pool, [look for _ in range(AT_ONCE * 6)])
    lock, alone = await _race(pool, [locked] * rivals), await _race(pool, [constraint_alone] * rivals)
    act = await _race(pool, [whole(case) for case in cases])
    await asyncio.gather(pool.close(), office.close())
    return {
        "rivals": rivals,
        f"seconds_{rivals}_rivals": lock["seconds"],
        "winners": lock["winners"],
        "deadlocks": lock["deadlocks"],
        "constraint_alone": alone,
        "whole_act": act,
        "ratio_to_constraint_alone": round(alone["seconds"] / lock["seconds"], 2),
    }


async def _race(pool: Pool, acts: list[Callable[[], Awaitable[Any]]]) -> dict[str, Any]:
    """All at once, no more under way than there are connections; seconds until the last one knows."""
    room, counted = asyncio.Semaphore(AT_ONCE), {"winners": 0, "refused": 0, "deadlocks": 0, "other": 0}

    async def one(act: Callable[[], Awaitable[Any]]) -> None:
        async with room:
            try:
                await act()
                counted["winners"] += 1
            except Overtaken:
                counted["refused"] += 1
            except Unavailable as error:
                counted["deadlocks" if isinstance(error.__cause__, asyncpg.DeadlockDetectedError) else "other"] += 1

    began = time.perf_counter()
    await asyncio.gather(*(one(act) for act in acts))
    return {"seconds": round(time.perf_counter() - began, 3), **counted}
