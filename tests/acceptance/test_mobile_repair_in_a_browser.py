"""A mobile repair on every page where it stands: the schedule in each of its views, the board, the case; by its
technician's eyes, too.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import expect

from actions import bookings, labour
from dealer_api.desk.schedule import GROUPS, HEADINGS
from schemas.booking import BookingKind
from schemas.operation import Skill
from tests.acceptance.conftest import World
from tests.acceptance.test_desk_in_a_browser import AXE, MANAGER, PHONE, Visitor, visitor

__all__ = ["visitor"]
DESK = {"width": 1280, "height": 900}


def test_each_kind_of_resource_has_a_heading() -> None:
    assert set(HEADINGS) == set(GROUPS.values())


async def _agreed(world: World) -> tuple[int, Any]:
    manager, advisor = (world.house.acting(world.dealer, world.actor(who)) for who in ("manager", "advisor"))
    await world.admin.execute("INSERT INTO resources (dealer_id, kind, name) VALUES ($1, 'van', 'Van 1')", world.dealer)
    technician = await world.admin.fetchrow(
        "SELECT id, name FROM staff WHERE role = 'technician' AND dealer_id = $1", world.dealer
    )
    await labour.set_skills(manager, technician["id"], frozenset(Skill))
    case, kind = world.cases["HH-JW 88"], BookingKind.MOBILE_REPAIR
    first = (await bookings.free_windows(world.house, world.dealer, kind, case_id=case))[0]
    await bookings.book(advisor, case, kind, first.window.starts_at)
    return case, technician["name"]


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_it_stands_on_every_page_of_its_day(world: World, visitor: Visitor, size: dict[str, int]) -> None:  # noqa: F811
    case, technician = await _agreed(world)
    page = await visitor.page(MANAGER, size, bypass_csp=True)
    for address, words in (
        ("/today", "Service vans out"),
        ("/today?view=week", "Van 1"),
        ("/today?view=sheet", "Mobile repair"),
        ("/workshop", "On the road today"),
        (f"/cases/{case}", "Mobile repair"),
    ):
        answer = await page.goto(address)
        assert answer is not None and answer.status == 200, address
        await expect(page.locator("main")).to_contain_text(words)
        await page.add_script_tag(path=AXE)
        found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert found["violations"] == [], address
        assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"], address
    theirs = await visitor.page(technician, size)
    await theirs.goto("/workshop")
    await theirs.get_by_role("button", name=re.compile("^I am on the way")).click()
    await theirs.get_by_role("button", name=re.compile("^I am at the car")).click()
    await expect(theirs.get_by_role("region", name="At work").get_by_text("At its owner's")).to_be_visible()
