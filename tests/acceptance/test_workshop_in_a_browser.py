"""A technician's work by keyboard, at desk and phone width: start, pause for a part, go on, finish; axe is content."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.acceptance.conftest import World
from tests.acceptance.test_desk_in_a_browser import AXE, PHONE, Visitor, visitor

pytestmark = pytest.mark.browser
__all__ = ["visitor"]
TECHNICIAN = "Lena Vogt"


async def _clean(page: Page, width: int) -> None:
    await page.add_script_tag(path=AXE)
    assert (await page.evaluate("axe.run(document, {resultTypes: ['violations']})"))["violations"] == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("size", [{"width": 1280, "height": 900}, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("script", [True, False], ids=["live", "no-script"])
async def test_a_car_goes_over_the_board_by_keyboard(
    world: World,
    visitor: Visitor,  # noqa: F811
    size: dict[str, int],
    script: bool,
) -> None:
    page = await visitor.page(TECHNICIAN, size, bypass_csp=True, java_script_enabled=script)
    await expect(page).to_have_url(re.compile("/workshop$"))
    await expect(page.get_by_role("heading", name="Workshop")).to_be_visible()
    if script:
        await _clean(page, size["width"])
    car = page.get_by_role("article", name="HH-HJ 74")
    await expect(car).to_contain_text("P0301")
    await expect(car).to_contain_text("Spark plugs")
    await car.get_by_role("button", name="Start").press("Enter")
    board = page.get_by_role("region", name="At work")
    await expect(board.get_by_role("article", name="HH-HJ 74")).to_be_visible()
    await car.get_by_text("It has to wait").press("Enter")
    await car.get_by_label("Which").fill("Ignition coil")
    await car.get_by_role("button", name="Pause the work").press("Enter")
    paused = page.get_by_role("region", name="Paused")
    await expect(paused).to_contain_text("A part: Ignition coil.")
    if script:
        await _clean(page, size["width"])
    await paused.get_by_role("button", name="It is here, go on").press("Enter")
    await car.get_by_text("Finished").press("Enter")
    await car.get_by_label("What was found and done").fill("Ignition coil replaced.")
    await car.get_by_role("button", name="The work is done").press("Enter")
    await expect(page.get_by_role("region", name="Done, to go back")).to_contain_text("Ignition coil replaced.")
    box = await page.get_by_role("button", name="Start").or_(page.locator(".deeds summary")).first.bounding_box()
    assert box is not None and box["height"] >= 44
