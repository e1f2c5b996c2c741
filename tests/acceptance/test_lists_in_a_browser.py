"""The queue in a browser: cases are chosen by keyboard, outlive an update of the page, and are decided together."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import expect

from tests.acceptance.conftest import World
from tests.acceptance.test_desk_in_a_browser import AXE, MANAGER, Visitor, visitor  # noqa: F401

pytestmark = pytest.mark.browser
SIZES = [{"width": 390, "height": 844}, {"width": 1280, "height": 860}]


@pytest.mark.parametrize("size", SIZES, ids=["phone", "desk"])
async def test_cases_are_chosen_by_keyboard_and_decided_together(
    world: World,
    visitor: Visitor,  # noqa: F811
    size: dict[str, int],
) -> None:
    page = await visitor.page(MANAGER, size, bypass_csp=True)
    await page.goto("/queue")
    bar, chosen = page.locator("#bulk"), page.locator("input[name=case]:checked")
    await expect(bar).to_be_hidden()
    for _ in range(2):
        await page.keyboard.press("j")
        await page.keyboard.press("x")
    await expect(chosen).to_have_count(2)
    await expect(bar).to_be_visible()
    if AXE.exists():
        await page.add_script_tag(path=AXE)
        found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert found["violations"] == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    async with page.expect_response("**/queue"):  # somebody else does something: the page is drawn again
        bell = json.dumps({"dealer": world.dealer, "noun": "case", "id": 1})
        await world.admin.execute("SELECT pg_notify('desk', $1)", bell)
    await expect(chosen).to_have_count(2)
    await page.get_by_placeholder("Why they are closed").fill("The same recall.")
    await page.get_by_role("button", name="Close without work").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").first).to_contain_text("Done for 2 cases.")


async def test_cases_are_chosen_without_a_script_and_a_view_is_kept(
    world: World,
    visitor: Visitor,  # noqa: F811
) -> None:
    page = await visitor.page(MANAGER, SIZES[1], java_script_enabled=False)
    await page.goto("/queue?severity=soon")
    await page.locator(".keep-view summary").click()
    await page.get_by_label("Name of the view").fill("Soon ones")
    await page.get_by_role("button", name="Keep", exact=True).click()
    await page.get_by_role("link", name="Soon ones").click()
    await page.locator("input[name=case]").first.check()
    await page.get_by_role("button", name="Let them rest").click()
    await expect(page.get_by_text("Done for 1 case.")).to_be_visible()
    await page.goto("/queue?show=resting")
    await expect(page.get_by_text("rests until")).to_have_count(1)


async def test_the_inbox_is_walked_by_keyboard_as_the_page_of_keys_says(
    world: World,
    visitor: Visitor,  # noqa: F811
) -> None:
    page = await visitor.page(MANAGER, SIZES[1])
    await page.goto("/inbox")
    await page.keyboard.press("j")
    first = page.locator(".inbox .from a").first
    await expect(first).to_be_focused()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/inbox/*")
