"""The evidence pack of a case, from the button to the file: it stands alone, hands out no link of the owner's, and is
read on paper, on a phone and mirrored.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from schemas.pack import opened
from telltale.commands import replay
from tests.acceptance.conftest import World
from tests.acceptance.test_desk_in_a_browser import AXE, MANAGER, Visitor, visitor  # noqa: F401

pytestmark = pytest.mark.browser
SIZES = [{"width": 390, "height": 844}, {"width": 1280, "height": 860}]


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("size", SIZES, ids=["phone", "desk"])
async def test_the_pack_of_a_case_stands_alone(
    world: World,
    visitor: Visitor,  # noqa: F811
    tmp_path: Path,
    size: dict[str, int],
    language: str,
) -> None:
    await world.admin.execute("UPDATE staff SET language = $1", language)
    page = await visitor.page(MANAGER, size, bypass_csp=True)
    await page.goto(f"/cases/{world.cases['HH-HJ 74']}")
    async with page.expect_download() as download:
        await page.locator("form[action$=evidence] button").click()
    file = tmp_path / "pack.html"
    await (await download.value).save_as(file)
    text = file.read_text(encoding="utf-8")
    outside = re.sub(r"<svg.*?</svg>", "", text, flags=re.S)
    assert not re.search(r"(?:src|href)=|https?://|url\(", outside), "it needs nothing from elsewhere"
    pack, digest, stands = opened(text)
    assert stands and digest in outside and pack.case == world.cases["HH-HJ 74"]
    assert replay.of(text)["as_it_was_made"]
    await page.goto(f"file://{file}")
    if AXE.exists():
        await page.add_script_tag(path=AXE)
        found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert found["violations"] == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
