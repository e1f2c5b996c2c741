"""A manager notes that a driver is away, at desk and phone width: the page says so, axe finds nothing, and it can be
taken back.
"""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.acceptance.conftest import World
from tests.acceptance.test_desk_in_a_browser import AXE, MANAGER, PHONE, Visitor, visitor

pytestmark = pytest.mark.browser
__all__ = ["visitor"]


@pytest.mark.parametrize("size", [{"width": 1280, "height": 900}, PHONE], ids=["desk", "phone"])
async def test_an_absence_is_noted_and_taken_back(world: World, visitor: Visitor, size: dict[str, int]) -> None:  # noqa: F811
    page = await visitor.page(MANAGER, size, bypass_csp=True)
    for address in ("/settings", "/owners/2", f"/staff/{world.people['driver']}"):
        answer = await page.goto(address)
        assert answer is not None and answer.status == 200, address
        await page.add_script_tag(path=AXE)
        result = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert result["violations"] == [], address
        assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"], address
    away = page.get_by_role("region", name="Away")
    await away.get_by_label("From").fill("2027-06-01T08:00")
    await away.get_by_label("Until").fill("2027-06-01T07:00")
    await away.get_by_label("Why").fill("training")
    await away.get_by_role("button", name="Note it").click()
    await expect(page.get_by_text("must lie after it begins")).to_be_visible()
    await away.get_by_label("From").fill("2027-06-01T08:00")
    await away.get_by_label("Until").fill("2027-06-01T17:00")
    await away.get_by_label("Why").fill("training")
    await away.get_by_role("button", name="Note it").click()
    await expect(away.get_by_role("listitem")).to_contain_text("training")
    await away.get_by_role("button", name="Take back").click()
    await expect(away.get_by_role("listitem")).to_have_count(0)
