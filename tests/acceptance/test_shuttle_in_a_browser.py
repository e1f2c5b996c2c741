"""The shuttle at the desk: a way to offer where the house has one, and no tab where it has none."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from actions import accounts, bookings
from schemas.booking import BookingKind
from tests.acceptance.conftest import World
from tests.acceptance.test_desk_in_a_browser import ADVISOR, AXE, PHONE, Visitor, visitor

__all__ = ["visitor"]
WAY = "Owner brings the car, shuttle"


@pytest.mark.browser
async def test_a_house_without_a_shuttle_offers_none(world: World, visitor: Visitor) -> None:  # noqa: F811
    page = await visitor.page(ADVISOR)
    await page.goto(f"/cases/{world.cases['HH-JW 88']}/offer")
    await expect(page.get_by_role("link", name="Owner waits here")).to_be_visible()
    await expect(page.get_by_role("link", name=WAY)).to_have_count(0)


@pytest.mark.browser
async def test_it_is_offered_and_stands_in_the_day(world: World, visitor: Visitor) -> None:  # noqa: F811
    manager, advisor = (world.house.acting(world.dealer, world.actor(who)) for who in ("manager", "advisor"))
    await accounts.update_dealer(manager, {"day_limits": "shuttle 4, desk 1"})
    case = world.cases["HH-JW 88"]
    page = await visitor.page(ADVISOR, PHONE, bypass_csp=True)
    await page.goto(f"/cases/{case}/offer?kind=shuttle")
    await expect(page.get_by_role("link", name=WAY)).to_have_attribute("aria-current", "true")
    await expect(page.locator("main")).to_contain_text("Mit Fahrdienst ab hier: 1 = ")
    first = (await bookings.free_windows(world.house, world.dealer, BookingKind.SHUTTLE, case_id=case))[0]
    await bookings.book(advisor, case, BookingKind.SHUTTLE, first.window.starts_at)
    for address in ("/today", "/today?view=sheet", f"/cases/{case}"):
        await page.goto(address)
        await expect(page.locator("main")).to_contain_text(WAY)
        await page.add_script_tag(path=AXE)
        found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert found["violations"] == [], address
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
