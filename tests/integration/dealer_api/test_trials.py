"""What rules on trial have found is seen at the desk: of one's own cars, by whoever works with alerts, before and after
the rule may speak."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from store import fleet, stages
from store.pool import transaction
from tests.integration.dealer_api.conftest import Desk

_ALERT = """
INSERT INTO alerts (dealer_id, vehicle_id, rule, rule_version, component, episode, step, state, severity, because,
    first_at, changed_at, received_at, shadow) VALUES ($1, $2, $3, 1, 'front_left', 1, 1, $4, $5, $6, $7, $7, $7, true)
"""


async def _found(desk: Any, dealer: Any, n: int, state: str, severity: str = "soon", rule: str = "tyre_leak") -> int:
    async with desk.admin.acquire() as connection:
        vin = f"WVWZZZ1KZAW{dealer.id % 10}{n:05}"
        car = await fleet.add(
            connection,
            dealer.id,
            vin=vin,
            profile="petrol_hatch",
            title=f"Golf {n} of {dealer.name}",
            plate=f"HH-TT {n}",
            actor="test",
            now=desk.clock(),
        )
        since = desk.clock() - timedelta(days=n)
        await connection.execute(_ALERT, dealer.id, car.id, rule, state, severity, "loses 4 kPa a day", since)
        return int(car.id)


async def _stage(desk: Any, rule: str, stage: str) -> None:
    async with transaction(desk.admin) as connection:
        await stages.move(connection, rule, stage, reason="backtest: 3 hits", actor="system", now=desk.clock())


async def test_the_desk_shows_the_finds_of_its_own_cars_and_what_came_of_them(desk: Desk) -> None:
    client = await desk.as_role("technician")
    assert "No rule is on trial" in await (await client.get("/trials")).text()
    await _stage(desk, "tyre_leak", "shadow")
    assert "It has found nothing yet" in await (await client.get("/trials")).text()
    for n, state in enumerate(("active", "active", "resolved", "withdrawn"), start=1):
        await _found(desk, desk.dealer, n, state)
    await _found(desk, desk.other, 1, "active")
    page = await (await client.get("/trials")).text()
    assert "On trial" in page and "4 found, 2 of them still there" in page and "Golf 2 of" in page
    assert "Went away by itself" in page and "Rested on a wrong reading" in page
    assert desk.other.name not in page
    assert "for their turn" not in page
    await _stage(desk, "tyre_leak", "live")
    page = await (await client.get("/trials")).text()
    assert "Speaks" in page and "2 wait for their turn" in page


async def test_a_driver_does_not_see_what_rules_find(desk: Desk) -> None:
    client = await desk.as_role("driver")
    assert (await client.get("/trials")).status == 403
