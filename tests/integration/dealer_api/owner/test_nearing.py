"""Where the driver is: for the customer who waits, while that drive lasts, and for nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.dealer_api.owner.conftest import World
from tests.integration.dealer_api.owner.test_driver_page import booked, button

PLACE = "53.55030,9.99200"


@pytest.fixture
async def road(world: World) -> Any:
    """The driver's link, and the owner's; the driver has set out."""
    path = await booked(world)
    await world.desk.admin.execute("UPDATE legs SET place = '53.57000,10.02000'")
    owner = await world.link()
    await world.post(f"{path}/move", **button(await world.get(path)))
    return path, owner


async def _say(world: World, path: str, place: str = PLACE, leg: int | None = None) -> int:
    number = leg or await world.desk.admin.fetchval("SELECT id FROM legs WHERE kind = 'collect'")
    async with world.web.post(f"{path}/position", data={"leg": str(number), "place": place}) as answer:
        return int(answer.status)


async def test_the_owner_sees_how_near_the_driver_is_and_only_while_that_is_fresh(world: World, road: Any) -> None:
    path, owner = road
    assert "min away" not in await world.get(f"{owner}?language=en")
    assert await _say(world, path) == 200
    page = await world.get(f"{owner}?language=en")
    assert "min away" in page and " km), as of " in page and "mlat=53.5503" in page
    world.desk.clock.at += timedelta(minutes=3)
    assert "min away" not in await world.get(f"{owner}?language=en")


async def test_the_next_step_takes_it_away_from_the_page_and_from_the_row(world: World, road: Any) -> None:
    path, owner = road
    await _say(world, path)
    await world.post(f"{path}/move", **button(await world.get(path)))
    assert "min away" not in await world.get(f"{owner}?language=en")
    assert await world.desk.admin.fetchval("SELECT count(*) FROM legs WHERE position IS NOT NULL") == 0
    assert await _say(world, path) == 409, "with the car in hand nobody waits for them any more"


async def test_before_the_drive_begins_nobody_is_seen(world: World) -> None:
    path = await booked(world)
    assert await _say(world, path) == 409
    assert await world.desk.admin.fetchval("SELECT position FROM legs WHERE kind = 'collect'") is None


@pytest.mark.parametrize("place", ["", "here", "91,0", "0,181", "53.5", "nan,nan", "1,2,3"])
async def test_a_place_that_is_none_is_refused_by_its_name(world: World, road: Any, place: str) -> None:
    path, _ = road
    assert await _say(world, path, place) == 422
    assert await _say(world, path, leg=10**9) == 422


async def test_the_page_asks_for_it_only_on_the_way_to_a_customer(world: World, road: Any) -> None:
    path, _ = road
    page = await world.get(f"{path}?language=en")
    assert "Let the customer see where I am" in page and "data-share=" in page
    await world.post(f"{path}/move", **button(page))
    assert "data-share=" not in await world.get(path)


async def test_the_browser_is_let_ask_for_it_on_these_pages_and_on_no_other(world: World, road: Any) -> None:
    path, owner = road
    allowed = {}
    for one in (path, owner):
        async with world.web.get(one) as answer:
            allowed[one] = "geolocation=(self)" in answer.headers["Permissions-Policy"]
    assert allowed == {path: True, owner: False}
