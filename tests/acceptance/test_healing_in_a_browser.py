"""A repair that the car has proved is seen: one picture of before and after, on the desk and on the owner's page."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from rules.service import healing
from schemas.signal import BY_PATH
from tests.acceptance.conftest import World
from tests.acceptance.test_desk_in_a_browser import AXE, MANAGER, Visitor, visitor  # noqa: F401

pytestmark = pytest.mark.browser
PICTURES = Path("build/pictures")
SIZES = [{"width": 390, "height": 844}, {"width": 1280, "height": 860}]


async def _healed(world: World) -> int:
    """The case whose car is proving it has done so: a tyre that lost air holds it."""
    signal = BY_PATH["Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure"].id
    demand: dict[str, Any] = {"kind": "band", "signals": [signal], "low": 210.0, "high": None}
    end = world.clock().timestamp()
    before = [(end - 172_800 + n * 900, 236 - n * 0.3) for n in range(150)]
    after = [(end - 28_800 + n * 600, 242 + n % 3 * 0.4) for n in range(48)]
    found = healing.picture(demand, before, after)
    assert found is not None
    case = world.cases["HH-MR 66E"]
    await world.admin.execute(
        "UPDATE cases SET state = 'done', healing = $2, changed_at = $3 WHERE id = $1",
        case,
        found.model_dump(mode="json", exclude_none=True),
        world.clock() - timedelta(minutes=5),
    )
    return case


@pytest.mark.parametrize("size", SIZES, ids=["phone", "desk"])
async def test_a_proved_repair_has_its_picture(world: World, visitor: Visitor, size: dict[str, int]) -> None:  # noqa: F811
    case = await _healed(world)
    page = await visitor.page(MANAGER, size, bypass_csp=True)
    await page.goto(f"/cases/{case}")
    article = page.locator("article", has=page.get_by_role("heading", name="Before the repair and after it"))
    await expect(article.get_by_text("After the repair").first).to_be_visible()
    await article.scroll_into_view_if_needed()
    PICTURES.mkdir(parents=True, exist_ok=True)
    await article.screenshot(path=PICTURES / f"healing-{size['width']}.png")
    if AXE.exists():
        await page.add_script_tag(path=AXE)
        result = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert result["violations"] == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
