"""The day sheet while the server is stopped: what was seen last, with its time; fresh again as soon as it is back; gone
once somebody signs out.
"""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import expect

from tests.acceptance.conftest import World
from tests.acceptance.test_desk_in_a_browser import AXE, PHONE, Visitor, visitor
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.browser
__all__ = ["visitor"]


@pytest.mark.parametrize("size", [{"width": 1280, "height": 900}, PHONE], ids=["desk", "phone"])
async def test_the_last_known_day_is_read_with_the_server_stopped(
    world: World,
    visitor: Visitor,  # noqa: F811
    size: dict[str, int],
) -> None:
    page = await visitor.page(size=size, bypass_csp=True)
    await expect(page.locator("body[data-kept]")).to_be_attached()  # the queue is open; nobody has looked at the day
    assert world.restart is not None

    async def meanwhile() -> None:
        for address in ("/today?view=sheet", "/today"):
            await page.goto(address)
            await expect(page.locator("#stale")).to_contain_text(
                re.compile("What stands here is from Mon 23 Nov 2026, 10:[0-9]{2}")
            )
            await expect(page.get_by_role("heading", name="Drives")).to_be_visible()
            await expect(page.get_by_text("Stadtbäckerei").first).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert await page.evaluate("getComputedStyle(document.querySelector('.sheet')).display") == "grid", "undressed"
        await page.add_script_tag(path=AXE)
        assert (await page.evaluate("axe.run(document, {resultTypes: ['violations']})"))["violations"] == []

    await world.restart(meanwhile)
    await expect(page.locator("#stale")).to_be_hidden()
    assert await page.evaluate("document.documentElement.dataset.kept") is None
    visitor.complaints = [one for one in visitor.complaints if "Failed to" not in one and "ERR_" not in one]


async def test_whoever_signs_out_leaves_no_day_behind(world: World, visitor: Visitor) -> None:  # noqa: F811
    page = await visitor.page()
    await expect(page.locator("body[data-kept]")).to_be_attached()
    assert await page.evaluate("caches.has('telltale-day-1')")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page).to_have_url(re.compile("/sign-in"))
    await page.wait_for_function("caches.has('telltale-day-1').then((has) => !has)")
    visitor.complaints = [one for one in visitor.complaints if "401" not in one]  # a page that asked in that moment


async def test_a_session_that_ended_elsewhere_leaves_none_either(world: World, visitor: Visitor) -> None:  # noqa: F811
    page = await visitor.page()
    await expect(page.locator("body[data-kept]")).to_be_attached()
    async with world.admin.acquire() as connection:
        await connection.execute("DELETE FROM sessions")
    async with asyncio.timeout(PATIENCE_S):
        while "/sign-in" not in page.url:  # who was let in a moment ago is not asked again (authentication.Known)
            await page.goto("/today")
    await page.wait_for_function("caches.has('telltale-day-1').then((has) => !has)")
