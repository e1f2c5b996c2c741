"""A visit is dragged along the hours: it asks before it sends, moves by the form's own code, and a drag of an older
page is refused with a 409 and changes nothing.
"""

from __future__ import annotations

from datetime import datetime

import pytest
from playwright.async_api import Locator, Page, expect

from actions import bookings, moving
from schemas.booking import BookingKind
from tests.acceptance.conftest import World
from tests.acceptance.test_desk_in_a_browser import AXE, Visitor, visitor

pytestmark = pytest.mark.browser
__all__ = ["visitor"]
SIZE = {"width": 1280, "height": 900}


async def _visit(world: World) -> int:
    windows = await bookings.free_windows(world.house, world.dealer, BookingKind.DROP_OFF)
    acting = world.house.acting(world.dealer, world.actor())
    return (await bookings.book(acting, world.cases["HH-JW 88"], BookingKind.DROP_OFF, windows[0].window.starts_at)).id


async def _starts_at(world: World, visit: int) -> datetime:
    async with world.admin.acquire() as connection:
        found: datetime = await connection.fetchval("SELECT starts_at FROM bookings WHERE id = $1", visit)
        return found


async def _drag(page: Page, block: Locator, half_hours: int) -> None:
    lane = block.locator("xpath=..")
    box, place = await lane.bounding_box(), await block.bounding_box()
    assert box is not None and place is not None
    await block.drag_to(
        lane,
        source_position={"x": 10, "y": 10},
        target_position={"x": place["x"] - box["x"] + 10 + half_hours * box["width"] / 24, "y": 12},
    )


async def test_a_visit_is_dragged_to_another_time_and_asks_first(world: World, visitor: Visitor) -> None:  # noqa: F811
    visit = await _visit(world)
    before = await _starts_at(world, visit)
    page = await visitor.page(size=SIZE, bypass_csp=True)
    await page.goto("/today")
    block = page.locator(f'.day [data-move="{visit}"]')
    await expect(block).to_have_attribute("draggable", "true")
    await _drag(page, block, 2)
    dialog = page.get_by_role("dialog", name="Another time")
    await expect(dialog).to_contain_text("Jonas Weber")
    await page.add_script_tag(path=AXE)
    assert (await page.evaluate("axe.run(document, {resultTypes: ['violations']})"))["violations"] == []
    await dialog.get_by_role("button", name="Leave it").press("Enter")
    assert await _starts_at(world, visit) == before
    await _drag(page, block, 2)
    await dialog.get_by_role("button", name="Move and send").click()
    await expect(dialog).to_be_hidden()
    assert (await _starts_at(world, visit) - before).total_seconds() == 3600
    async with world.admin.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM messages WHERE kind = 'moved'") == 1


async def test_a_drag_of_an_older_page_is_refused_and_changes_nothing(world: World, visitor: Visitor) -> None:  # noqa: F811
    visit = await _visit(world)
    page = await visitor.page(size=SIZE)
    await page.route("**/events", lambda route: route.abort())  # this page hears of nothing
    await page.goto("/today")
    block = page.locator(f'.day [data-move="{visit}"]')
    await _drag(page, block, 2)
    windows = await bookings.free_windows(world.house, world.dealer, BookingKind.DROP_OFF)
    await moving.move_to(world.house.acting(world.dealer, world.actor("manager")), visit, windows[-1].window.starts_at)
    stands = await _starts_at(world, visit)
    async with page.expect_response("**/api/v1/bookings/*/move") as answer:
        await page.get_by_role("button", name="Move and send").click()
    assert (await answer.value).status == 409
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("it has another time by now")
    assert await _starts_at(world, visit) == stands
    visitor.complaints = []  # the refusal, and the events that were cut
