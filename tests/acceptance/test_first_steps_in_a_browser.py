"""A manager's first days, in a browser: the list of steps, and one put aside and taken up again by keyboard."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.acceptance.conftest import World
from tests.acceptance.test_desk_in_a_browser import AXE, MANAGER, Visitor, visitor  # noqa: F401

pytestmark = pytest.mark.browser
SIZES = [{"width": 390, "height": 844}, {"width": 1280, "height": 860}]


@pytest.mark.parametrize("size", SIZES, ids=["phone", "desk"])
async def test_the_first_steps_are_read_and_put_aside_by_keyboard(
    world: World,
    visitor: Visitor,  # noqa: F811
    size: dict[str, int],
) -> None:
    await world.admin.execute("UPDATE resources SET retired_at = now() WHERE kind = 'driver'")
    await world.admin.execute("UPDATE staff SET joined_at = NULL WHERE role = 'driver'")
    page = await visitor.page(MANAGER, size, bypass_csp=True)
    await page.goto("/first-run")
    driver = page.locator("#driver")
    await expect(driver.get_by_text("Invited, nobody has come yet")).to_be_visible()
    await driver.get_by_role("button", name="We do not need this").focus()
    await page.keyboard.press("Enter")
    await expect(driver.get_by_text("Put aside")).to_be_visible()
    await driver.get_by_role("button", name="Take it up again").focus()
    await page.keyboard.press("Enter")
    await expect(driver.get_by_text("Invited, nobody has come yet")).to_be_visible()
    for path in ("/first-run", "/vehicles/new"):
        await page.goto(path)
        if AXE.exists():
            await page.add_script_tag(path=AXE)
            found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            assert found["violations"] == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
