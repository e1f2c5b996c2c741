"""What a customer sees on a phone: with and without JavaScript, light and dark, narrow and wide, with flaky network."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import expect

from dealer_api.app_keys import LIVE
from schemas.pickup import LegEvent
from store import feedback
from store.pool import transaction
from tests.integration.dealer_api.owner.conftest import Looking, World
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.browser
DESK = {"width": 1280, "height": 860}
NARROW = {"width": 320, "height": 640}
THUMB = 44  #: CSS pixels that a thumb needs


@pytest.fixture
def demo() -> bool:
    """The phones are among the pages."""
    return True


async def agreed(world: Any) -> str:
    """An offer is answered; the owner's link."""
    offer = await world.offer()
    path = str(await world.link())
    await world.post(f"{path}/accept", offer=offer.id, choice=1)
    return path


async def every_page(world: Any) -> list[str]:
    """The address of each page, with something on it."""
    offer = await world.offer()
    path = await world.link()
    async with transaction(world.desk.house.pool, world.dealer_id) as connection:
        await feedback.ask(connection, world.dealer_id, world.case.id, world.owner_id, world.desk.clock())
    question = await world.secret("feedback", world.case.id, owner_id=world.owner_id)
    await world.post(f"{path}/accept", offer=offer.id, choice=1)
    leg = await world.desk.admin.fetchval("SELECT id FROM legs WHERE kind = 'collect'")
    driver = await world.secret("driver", leg, staff_id=world.driver_id)
    await world.desk.admin.execute(
        "INSERT INTO phone_texts (dealer_id, reference, from_address, to_address, body, at) "
        "VALUES (1, 'one', '+49305550100', '+4917604069010', 'Hello http://x.example/o/1', $1)",
        world.desk.clock(),
    )
    return [
        path,
        f"{path}?note=booked",
        f"{path}/cancel",
        f"{path}/ask",
        f"{path}/preferences",
        question,
        driver,
        "/o/nothing",
        "/phone",
        "/phone?to=%2B4917604069010",
    ]


async def test_from_the_text_to_the_journey_that_moves_by_itself(world: World, looking: Looking) -> None:
    offer = await world.offer()
    page = await looking.page()
    await page.goto(await world.link())
    await expect(page.get_by_role("heading", level=1)).to_have_text("Front left tyre is losing air")
    await page.get_by_role("button", name="Today").nth(1).click()
    await expect(page.get_by_role("status")).to_have_text("Booked. Thank you!")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("We collect your car today")
    await asyncio.wait_for(world.desk.app[LIVE].listening.wait(), PATIENCE_S)
    await world.drive(LegEvent.ON_THE_WAY)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Driver is on the way to you")
    await expect(page.locator("[aria-current=step]")).to_contain_text("Driver on the way to you")
    assert offer.id


async def test_without_javascript_the_owner_gets_just_as_far(world: World, looking: Looking) -> None:
    await world.offer()
    page = await looking.page(java_script_enabled=False)
    await page.goto(await world.link())
    await page.get_by_role("link", name="Neither suits me").click()
    await page.get_by_role("button", name="Show me two other times").click()
    await expect(page.locator(".window")).to_have_count(2)
    await page.locator(".window").first.click()
    await expect(page.get_by_role("status")).to_have_text("Booked. Thank you!")
    await world.drive(LegEvent.ON_THE_WAY)
    await page.get_by_role("link", name="Show the newest state").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Driver is on the way to you")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(world: World, looking: Looking, scheme: Any) -> None:
    await world.offer()
    open_offer = await world.link()
    found = {}
    page = await looking.page(scheme=scheme, bypass_csp=True)
    for path in (open_offer, f"{open_offer}/decline"):
        await page.goto(path)
        found[path] = await looking.axe(page)
    for path in await every_page(world):
        await page.goto(path)
        found[path] = await looking.axe(page)
    await page.set_viewport_size(DESK)
    await page.goto("/phone?to=%2B4917604069010")
    found["phone at desk width"] = await looking.axe(page)
    looking.complaints[:] = [complaint for complaint in looking.complaints if "404" not in complaint]
    assert {path: complaint for path, complaint in found.items() if complaint} == {}


@pytest.mark.parametrize("size", [NARROW, {"width": 390, "height": 844}, DESK], ids=["320", "390", "1280"])
async def test_nothing_runs_out_of_the_page_and_every_button_takes_a_thumb(
    world: World, looking: Looking, size: dict[str, int]
) -> None:
    page = await looking.page(size=size)
    await world.offer()
    for path in (await world.link(), *await every_page(world)):
        await page.goto(path)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        for button in await page.locator("button:visible").all():
            box = await button.bounding_box()
            assert box is not None and box["height"] >= THUMB, (path, await button.inner_text())
    looking.complaints[:] = [complaint for complaint in looking.complaints if "404" not in complaint]


async def test_the_drivers_press_survives_a_tunnel(world: World, looking: Looking) -> None:
    path = await agreed(world)
    assert path
    leg = await world.desk.admin.fetchval("SELECT id FROM legs WHERE kind = 'collect'")
    page = await looking.page()
    await page.goto(f"{await world.secret('driver', leg, staff_id=world.driver_id)}?language=en")
    await expect(page.locator("body[data-kept]")).to_be_attached()  # an app by now, that needs no network
    await page.context.set_offline(True)
    await page.get_by_role("button", name="I am on the way").click()
    await expect(page.locator("#queue")).to_contain_text("Not sent yet")
    await page.context.set_offline(False)
    await expect(
        page.get_by_role("button", name="I have the car").or_(page.get_by_role("button", name="Ich habe das Auto"))
    ).to_be_visible(timeout=15_000)
    await expect(page.locator("#queue")).to_be_hidden(timeout=15_000)  # the page runs ahead of its press
    assert len(await world.texts("on_the_way")) == 1
    looking.complaints[:] = [
        complaint for complaint in looking.complaints if "ERR_INTERNET_DISCONNECTED" not in complaint
    ]


async def test_a_text_arrives_on_the_open_phone_and_counts_on_the_others(world: World, looking: Looking) -> None:
    page = await looking.page(size=DESK)
    await page.goto("/phone")
    badge = page.locator('.handsets a[data-number="+4917604069010"] .badge')
    await expect(badge).to_be_hidden()
    body = "booked: http://desk.example/o/abc."
    await world.desk.admin.execute(
        "INSERT INTO phone_texts (dealer_id, reference, from_address, to_address, body, at) "
        "VALUES (1, 'one', '+49305550100', '+4917604069010', $1, $2)",
        body,
        world.desk.clock(),
    )
    await expect(badge).to_have_text("1 new")
    await page.get_by_role("link", name="Emma Clarke").click()
    await expect(page.locator(".bubble.theirs p")).to_have_text(body)
    await expect(page.get_by_role("link", name="http://desk.example/o/abc", exact=True)).to_have_attribute(
        "href", "http://desk.example/o/abc"
    )
    await expect(badge).to_be_hidden()


async def test_feedback_can_be_given_by_keyboard_alone(world: World, looking: Looking) -> None:
    page = await looking.page()
    await agreed(world)
    async with transaction(world.desk.house.pool, world.dealer_id) as connection:
        await feedback.ask(connection, world.dealer_id, world.case.id, world.owner_id, world.desk.clock())
    await page.goto(await world.secret("feedback", world.case.id, owner_id=world.owner_id))
    await page.get_by_role("radio", name="4 good").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await page.keyboard.type("all was well")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    assert tuple(await world.desk.admin.fetchrow("SELECT score, words FROM feedback")) == (4, "all was well")


async def test_a_page_that_cannot_be_kept_true_says_since_when(world: World, looking: Looking) -> None:
    path = await agreed(world)
    page = await looking.page()
    await page.goto(path)
    await page.context.set_offline(True)
    await expect(page.get_by_text("No connection. This is how it stood at 08:30.")).to_be_visible(timeout=15_000)
    await page.context.set_offline(False)
    await expect(page.get_by_text("No connection")).to_be_hidden(timeout=15_000)
    looking.complaints[:] = [
        complaint for complaint in looking.complaints if "ERR_INTERNET_DISCONNECTED" not in complaint
    ]


HOSTILE = '"><script>window.pwned=1</script><img src=x onerror=window.pwned=1>{{7*7}}</textarea>'


async def test_what_people_typed_is_text_everywhere(world: World, looking: Looking) -> None:
    """Names, addresses, findings, texts and numbers with markup in them: nothing runs, nothing is loaded, the page is
    whole.
    """
    admin = world.desk.admin
    pages = await every_page(world)
    booking = await admin.fetchval("SELECT id FROM bookings")
    for statement in (
        "UPDATE owners SET name = $1, address = $1",
        "UPDATE vehicles SET title = $1, plate = $1",
        "UPDATE dealers SET name = name || $1, address = $1",
        "UPDATE staff SET name = $1 || name",
        "UPDATE legs SET address = $1",
        "UPDATE cases SET title = $1",
        "UPDATE bookings SET finding = $1, address = $1",
        "UPDATE phone_texts SET body = 'javascript:alert(1) http://x.example/' || $1",
        "UPDATE dealers SET phone = $1",
        "UPDATE alerts SET component = $1, evidence = jsonb_set(evidence, '{limits,0,label}', to_jsonb($1::text))",
    ):
        await admin.execute(statement, HOSTILE)
    await admin.execute(
        "INSERT INTO estimate_lines (dealer_id, booking_id, title, amount_minor) VALUES ($1, $2, $3, 1)",
        world.dealer_id,
        booking,
        HOSTILE,
    )
    page = await looking.page()
    for path in pages:
        await page.goto(path)
        await page.wait_for_load_state("networkidle" if "phone" not in path else "load")
        assert await page.evaluate("window.pwned") is None, path
        assert await page.locator("img, main script").count() == 0, path
        assert "49" not in await page.locator("h1").first.inner_text(), path
    links = await page.evaluate("[...document.querySelectorAll('.bubble a')].map(a => new URL(a.href).protocol)")
    assert set(links) <= {"http:", "https:"}
    looking.complaints[:] = [complaint for complaint in looking.complaints if "404" not in complaint]


async def test_from_right_to_left_each_page_is_mirrored_whole_and_axe_finds_nothing(
    world: World, looking: Looking
) -> None:
    await world.desk.admin.execute("UPDATE owners SET language = 'ar'")
    await world.desk.admin.execute("UPDATE staff SET language = 'ar'")
    page, small = await looking.page(size=DESK, bypass_csp=True), await looking.page(bypass_csp=True)
    for path in (await _first(world), *await every_page(world)):
        for one in (small, page):
            await one.goto(
                path if path.startswith("/phone") or path == "/o/nothing" else f"{path}{_asks(path)}language=ar"
            )
            if path not in ("/o/nothing",) and not path.startswith("/phone"):
                assert await one.evaluate("document.documentElement.dir + document.documentElement.lang") == "rtlar", (
                    path
                )
            assert await one.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            assert await looking.axe(one) == [], path
    await small.goto(f"{await world.link()}?language=ar")
    dot, words = small.locator(".steps li .dot").first, small.locator(".steps li .what").first
    there, here = await dot.bounding_box(), await words.bounding_box()
    assert there is not None and here is not None and there["x"] > here["x"], "the steps begin on the right"
    looking.complaints[:] = [complaint for complaint in looking.complaints if "404" not in complaint]


async def _first(world: Any) -> str:
    await world.offer()
    return str(await world.link())


def _asks(path: str) -> str:
    return "&" if "?" in path else "?"
