"""The driver's app in a browser: without a network it goes on, says what waits, and brings all of it when there is
one.
"""

from __future__ import annotations

import asyncio
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Page, expect

from proofs.proxy import Proxy
from tests.integration.dealer_api.owner.test_driver_page import booked as agreed
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.browser
SIDES = ("front", "rear", "left", "right")
PICTURES = Path("build/pictures")


def shot(n: int) -> dict[str, Any]:
    """A photo as the phone's camera hands it over."""
    out = BytesIO()
    Image.linear_gradient("L").resize((1280, 960)).rotate(n * 90).convert("RGB").save(out, "JPEG")
    return {"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


async def booked(world: Any) -> str:
    """A pickup is agreed; the link of a driver who reads English."""
    await world.desk.admin.execute("UPDATE staff SET language = 'en'")
    return await agreed(world)


async def fill_in(page: Page, odometer: int) -> None:
    """Photos of four sides, the numbers, a dent by a tap on the outline, and a signature by finger."""
    for n, side in enumerate(SIDES):
        await page.locator(f"[data-view={side}] input[type=file]").set_input_files(shot(n))
        await expect(page.locator(f"[data-view={side}].done")).to_be_visible()
    await page.get_by_label("Kilometres on the clock").fill(str(odometer))
    await page.get_by_label("How full, in %").fill("60")
    outline = page.locator("svg.outline")
    await outline.click(position={"x": 60, "y": 40})
    pad = await page.locator("[data-pad] canvas").bounding_box()
    assert pad is not None
    await page.locator("[data-pad] canvas").scroll_into_view_if_needed()
    pad = await page.locator("[data-pad] canvas").bounding_box()
    assert pad is not None
    await page.mouse.move(pad["x"] + 20, pad["y"] + 60)
    await page.mouse.down()
    for n in range(12):
        await page.mouse.move(pad["x"] + 20 + n * 18, pad["y"] + 60 + (n % 3) * 12)
    await page.mouse.up()


class Tunnel:
    """The way to the house, which can be shut: to a browser's pages and to its workers alike."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy, self._house = proxy, proxy.target
        self.base = f"http://127.0.0.1:{proxy.port}"

    @classmethod
    async def before(cls, looking: Any) -> Tunnel:
        return cls(await Proxy("127.0.0.1", int(looking.base.rpartition(":")[2])).start())

    def shut(self) -> None:
        self._proxy.target = ("127.0.0.1", 1)
        self._proxy.cut()

    def open(self) -> None:
        self._proxy.target = self._house


async def state(world: Any, kind: str) -> str:
    found: str = await world.desk.admin.fetchval("SELECT state FROM legs WHERE kind = $1", kind)
    return found


async def becomes(world: Any, kind: str, wanted: str) -> None:
    """The press has reached the house. That nothing waits is true before the phone has kept the press, too."""
    async with asyncio.timeout(PATIENCE_S):
        while await state(world, kind) != wanted:
            await asyncio.sleep(0.05)


async def records(world: Any) -> list[str]:
    return [row["kind"] for row in await world.desk.admin.fetch("SELECT kind FROM handovers ORDER BY id")]


async def test_a_driver_collects_without_network_and_brings_the_car_back_with_a_signature(
    world: Any, looking: Any
) -> None:
    road = await Tunnel.before(looking)
    link = road.base + await booked(world)
    page = await looking.page()
    await page.goto(link)
    await page.get_by_role("button", name="I am on the way").click()
    await expect(page.get_by_role("link", name="Record the car")).to_be_visible()
    await page.reload()
    await expect(page.locator("body[data-kept]")).to_be_attached()

    road.shut()
    await page.goto(link)  # a cold start in a basement
    await page.get_by_role("link", name="Record the car").click()
    await fill_in(page, 41_230)
    await page.get_by_role("button", name="Save the record").click()
    await expect(page.locator("#queue")).to_contain_text("Not sent yet: 5")
    await page.get_by_role("button", name="I have the car").click()
    await expect(page.locator("#queue")).to_contain_text("Not sent yet: 6")
    await page.reload()
    await expect(page.locator("#queue")).to_contain_text("I have the car")
    await expect(page.get_by_role("button", name="At the workshop")).to_be_visible()
    assert await records(world) == [] and await state(world, "collect") == "on_the_way"

    road.open()
    await expect(page.locator("#queue")).to_be_hidden()
    assert await records(world) == ["collect"] and await state(world, "collect") == "collected"
    await page.get_by_role("button", name="At the workshop").click()
    await becomes(world, "collect", "at_workshop")
    await expect(page.locator("#queue")).to_be_hidden()
    looking.complaints.clear()  # what a browser says of requests without a network
    await world.repair()

    await page.goto(link)
    await page.get_by_role("button", name="On the way back").click()
    await page.get_by_role("link", name="Record the return").click()
    assert await page.get_by_role("button", name="Handed over").count() == 0
    await fill_in(page, 41_250)
    await page.get_by_role("button", name="Save the record").click()
    await page.get_by_role("button", name="Handed over").click()
    await becomes(world, "return", "handed_over")
    await expect(page.locator("#queue")).to_be_hidden()
    assert await records(world) == ["collect", "return"] and await state(world, "return") == "handed_over"
    assert await world.desk.admin.fetchval(
        "SELECT bool_and(proof = 'signature' AND cardinality(photos) = 4) FROM handovers"
    )
    assert await world.desk.admin.fetchval("SELECT jsonb_array_length(marks) FROM handovers LIMIT 1") == 1


async def test_a_step_that_waits_can_be_taken_back_and_a_sent_one_for_a_minute(world: Any, looking: Any) -> None:
    road = await Tunnel.before(looking)
    link = road.base + await booked(world)
    page = await looking.page()
    await page.goto(link)
    await expect(page.locator("body[data-kept]")).to_be_attached()
    road.shut()
    await page.get_by_role("button", name="I am on the way").click()
    await page.get_by_role("button", name="Undo: I am on the way").click()
    await expect(page.locator("#queue")).to_be_hidden()
    road.open()
    looking.complaints.clear()
    await page.get_by_role("button", name="I am on the way").click()
    await page.get_by_role("button", name="Undo: On the way to the customer").click()
    await expect(page.get_by_role("button", name="I am on the way")).to_be_visible()
    assert await state(world, "collect") == "planned"
    assert await world.desk.admin.fetchval("SELECT state FROM messages WHERE kind = 'on_the_way'") == "cancelled"


@pytest.mark.parametrize("size", [{"width": 390, "height": 844}, {"width": 1280, "height": 860}], ids=["phone", "desk"])
async def test_axe_finds_nothing_in_the_app(world: Any, looking: Any, size: dict[str, int]) -> None:
    link = await booked(world)
    page = await looking.page(size=size)
    await page.goto(link)
    await page.get_by_role("button", name="I am on the way").click()
    await expect(page.get_by_role("link", name="Record the car")).to_be_visible()
    PICTURES.mkdir(parents=True, exist_ok=True)
    assert await looking.axe(page) == []
    await page.screenshot(path=PICTURES / f"driver-{size['width']}.png", full_page=True)
    await page.get_by_role("link", name="Record the car").click()
    await fill_in(page, 41_230)
    assert await looking.axe(page) == []
    await page.screenshot(path=PICTURES / f"handover-{size['width']}.png", full_page=True)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
