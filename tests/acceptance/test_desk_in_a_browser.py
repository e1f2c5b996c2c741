"""The desk as its people use it, in headless Chromium: pages live by themselves, by keyboard, at desk and phone width,
and nothing for axe to find.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from proofs import handing_over
from schemas.handover import HandoverKind
from tests.acceptance.conftest import World
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.browser
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
ADVISOR, MANAGER, DRIVER = "Anna Petersen", "Ruth Sommer", "Mila Brandt"


class Visitor:
    """Somebody with a browser window; what the console complains of fails the test."""

    def __init__(self, browser: Any, url: str) -> None:
        self.browser, self.url = browser, url
        self.complaints: list[str] = []
        self.contexts: list[Any] = []

    async def page(self, who: str | None = ADVISOR, size: dict[str, int] = DESK, **more: Any) -> Page:
        context = await self.browser.new_context(viewport=size, base_url=self.url, **more)
        self.contexts.append(context)
        page: Page = await context.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        page.on(
            "console", lambda complaint: self.complaints.append(complaint.text) if complaint.type == "error" else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        if who is not None:
            await page.goto("/sign-in")
            await page.get_by_role("button", name=who).click()
            await page.wait_for_url(re.compile("/(queue|driver|workshop)$"))
        return page


@pytest.fixture
async def visitor(browser: Any, world: World) -> AsyncIterator[Visitor]:
    made = Visitor(browser, world.url)
    yield made
    for context in made.contexts:
        await context.close()
    assert made.complaints == []


async def test_a_case_stands_in_the_queue_without_a_reload_and_goes_all_the_way(world: World, visitor: Visitor) -> None:
    async with world.admin.acquire() as connection:
        await connection.execute("UPDATE cases SET state = 'dismissed' WHERE id = $1", world.cases["HH-SL 41"])
    page = await visitor.page()
    await expect(page.get_by_role("link", name="Lastra Van, case 1")).to_have_count(0)
    loaded = await page.evaluate("window.loadedOnce = true")
    case = await world.fault("HH-SL 41", "coolant_hot", "", "now", "coolant at 121 °C for 2 minutes", {})
    row = page.locator(f"#case-{case}")
    await expect(row).to_contain_text("Coolant at 121 °C")
    await expect(page.locator("#said")).to_contain_text("New: Now, Lastra Van")  # a screen reader hears of it
    assert loaded and await page.evaluate("window.loadedOnce")  # still the same page

    await row.get_by_role("button", name="Take it").click()
    await expect(page.get_by_role("status").first).to_contain_text("yours")
    await page.get_by_role("link", name="Offer a tow truck").click()  # it must not be driven
    await expect(page.get_by_role("heading", name="These two windows are free")).to_be_visible()
    shown = await page.locator(".window .span").all_inner_texts()
    text = await page.locator(".preview").inner_text()
    assert len(shown) == 2 and all(window.replace("–", "-") in text for window in shown)
    await expect(page.get_by_text("2 SMS parts")).to_be_visible()
    await page.get_by_role("button", name="Hold and send").click()
    await expect(page.get_by_role("heading", name="Wait for the owner's answer")).to_be_visible()
    sent = await page.locator(".talk .out .bubble").last.inner_text()
    assert [window.replace("–", "-") in sent for window in shown] == [True, True]

    await page.get_by_role("button", name=f"Owner rang: today {shown[1]}").click()
    await expect(page.get_by_role("heading", name="The driver has not set out yet")).to_be_visible()
    await expect(page.get_by_text(f"today {shown[1]}").first).to_be_visible()
    for button in ("Driver sets out", "Driver has the car", "Car is at the workshop"):
        await page.get_by_role("button", name=button).click()
    await page.get_by_role("button", name="Work has begun").click()
    await page.get_by_label("What was found and done").fill("Water pump replaced.")
    await page.get_by_role("button", name="The work is done").click()
    await page.get_by_role("button", name="Driver sets out with the car").click()
    await expect(page.get_by_role("button", name="Car is handed over")).to_be_visible()
    async with world.admin.acquire() as connection:
        way = await connection.fetchrow(
            "SELECT l.booking_id, l.driver_id FROM legs l JOIN bookings b ON b.id = l.booking_id "
            "WHERE b.case_id = $1 AND l.kind = 'return'",
            case,
        )
    driver = world.house.acting(world.dealer, f"staff:{way['driver_id']}")
    await handing_over.record(driver, way["booking_id"], HandoverKind.RETURN)  # no return ends without one
    await page.get_by_role("button", name="Car is handed over").click()
    await expect(page.get_by_role("heading", name="Wait for the car's own proof")).to_be_visible()
    await expect(page.get_by_text("Water pump replaced.").first).to_be_visible()


async def test_windows_that_went_meanwhile_are_not_sent(world: World, visitor: Visitor) -> None:
    page = await visitor.page()
    await page.goto(f"/cases/{world.cases['HH-JW 88']}/offer")
    await expect(page.get_by_role("button", name="Hold and send")).to_be_visible()
    world.clock.on(hours=9)
    await page.get_by_role("button", name="Hold and send").click()
    await expect(page.get_by_role("alert")).to_contain_text("no longer free")
    await expect(page.get_by_role("heading", name="These two windows are free")).to_be_visible()
    async with world.admin.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM offers WHERE case_id = $1", world.cases["HH-JW 88"]) == 0


async def test_a_waiting_customer_gets_a_true_text_in_two_clicks(world: World, visitor: Visitor) -> None:
    page = await visitor.page()
    await page.goto("/waiting")
    guest = page.get_by_role("article", name="Oliver Grant")
    await expect(guest).to_contain_text("min too long")
    await guest.get_by_text("We wait for a part").click()
    promised = await guest.locator("details[open] .preview").inner_text()
    await guest.locator("details[open]").get_by_role("button", name="Send").click()
    await expect(page.get_by_role("status").first).to_contain_text("on its way")
    await expect(page.get_by_role("article", name="Oliver Grant").locator(".figure")).to_have_text("0")
    async with world.admin.acquire() as connection:
        assert await connection.fetchval("SELECT body FROM messages ORDER BY id DESC LIMIT 1") == promised


async def test_an_owner_s_reply_appears_by_itself_and_is_answered(world: World, visitor: Visitor) -> None:
    page = await visitor.page()
    await page.goto(f"/cases/{world.cases['HH-JW 88']}")
    await expect(page.locator(".talk .in .bubble")).to_have_text("Geht auch Donnerstag nach 16 Uhr?")
    await page.get_by_label("Your text").fill("Ja, Donnerstag 16:30 – passt das?")
    await expect(page.locator("#measure")).to_contain_text("1 SMS part")
    await page.get_by_role("button", name="Send text").click()
    await expect(page.locator(".talk .out .bubble").last).to_have_text("Ja, Donnerstag 16:30 - passt das?")
    await expect(page.get_by_role("link", name="Unread text")).to_have_count(0)


async def test_the_whole_way_by_keyboard(world: World, visitor: Visitor) -> None:
    page = await visitor.page(who=None)
    await page.goto("/sign-in")
    await expect(page.get_by_label("E-mail")).to_be_focused()
    await page.keyboard.type("advisor@nordlicht.example")
    await page.keyboard.press("Tab")
    await page.keyboard.type("telltale-demo")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/queue")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="To the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()
    reached = page.get_by_role("button", name="Take it")
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await reached.evaluate("button => button === document.activeElement"):
            break
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Ask the owner for a time")).to_be_visible()


async def test_an_invitation_opens_once(world: World, visitor: Visitor) -> None:
    manager = await visitor.page(MANAGER)
    await manager.goto("/staff")
    await manager.get_by_label("Name").fill("Nele Voss")
    await manager.get_by_label("E-mail").fill("nele@nordlicht.example")
    await manager.get_by_role("button", name="Make the invitation").click()
    link = await manager.locator(".note .mono").inner_text()
    assert await manager.locator("#main").get_attribute("hx-get") is None, (
        "a live look would take away what is shown only now"
    )
    nele = await visitor.page(who=None)
    await nele.goto(link)
    await nele.get_by_label("Password").fill("quiet rivers run")
    await nele.get_by_label("The same again").fill("quiet rivers run")
    await nele.get_by_role("button", name="Set password and sign in").click()
    await expect(nele.get_by_role("heading", name="Queue")).to_be_visible()
    answer = await nele.request.get(link)
    assert answer.status == 410


async def test_import_says_what_was_refused_and_why(world: World, visitor: Visitor) -> None:
    page = await visitor.page()
    await page.goto("/import")
    rows = (
        "name,phone,vin,title,profile\nIda Holm,+49 151 23456789,WTTPH0000NM000999,Alba "
        "1.2,petrol_hatch\nNobody,,WTTPH0000NM000998,Alba 1.2,petrol_hatch\n"
    )
    await page.locator("input[type=file]").set_input_files(
        {"name": "owners.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    await page.get_by_role("button", name="Import").click()
    await expect(page.get_by_role("heading", name="Imported: 1 of 2 lines taken")).to_be_visible()
    await expect(page.get_by_text("without a phone number or a mail address")).to_be_visible()


async def test_a_driver_sees_the_day_and_nothing_of_the_house(world: World, visitor: Visitor) -> None:
    page = await visitor.page(DRIVER, PHONE)
    await page.goto("/today")
    await expect(page.get_by_role("heading", name="Today")).to_be_visible()
    await page.get_by_role("button", name=re.compile("^Collected")).click()
    await expect(page.get_by_text("Collected. The owner sees it.")).to_be_visible()
    for closed in ("/settings", "/owners", "/queue", "/vehicles", "/cases/1"):
        assert (await page.request.get(closed)).status == 403


async def test_pages_work_without_a_script(world: World, visitor: Visitor) -> None:
    page = await visitor.page(java_script_enabled=False)
    await page.goto(f"/cases/{world.cases['HH-EC 417']}")
    await expect(page.locator("svg.evidence:visible")).to_have_count(1)
    await page.get_by_role("button", name="Take it").click()
    await expect(page.get_by_role("heading", name="Ask the owner for a time")).to_be_visible()


async def test_the_chart_reads_out_values_and_has_its_numbers_as_a_table(world: World, visitor: Visitor) -> None:
    page = await visitor.page()
    await page.goto(f"/cases/{world.cases['HH-EC 417']}")
    chart = page.locator("figure.chart")
    await expect(chart.locator("canvas")).to_be_visible()
    last = await chart.locator('[data-series="0"]').inner_text()
    box = await chart.locator(".u-over").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 40)
    await expect(chart.locator('[data-series="0"]')).not_to_have_text(last)
    await chart.get_by_text("Show the numbers").click()
    await expect(chart.get_by_role("columnheader", name="Front left (kPa)")).to_be_visible()


async def test_what_a_car_sent_is_text_and_nothing_else(world: World, visitor: Visitor) -> None:
    page = await visitor.page()
    await page.goto("/quarantine?reason=not_json")
    await page.get_by_text("The message", exact=True).click()
    await expect(page.locator("pre.payload")).to_contain_text("<script>alert(1)</script>")
    async with world.admin.acquire() as connection:
        await connection.execute("UPDATE owners SET name = '<img src=x onerror=alert(1)>' WHERE name = 'Emma Clarke'")
    await page.goto("/owners")
    await expect(page.get_by_role("link", name="<img src=x onerror=alert(1)>")).to_be_visible()


@pytest.mark.parametrize(("size", "dark"), ((DESK, False), (PHONE, True)), ids=("desk-light", "phone-dark"))
async def test_every_page_is_accessible_and_never_scrolls_sideways(
    world: World, visitor: Visitor, size: dict[str, int], dark: bool
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed (./test installs it with npm)")
    page = await visitor.page(MANAGER, size, color_scheme="dark" if dark else "light", bypass_csp=True)
    cases, cars = world.cases, world.cars
    addresses = [
        "/queue",
        "/queue?show=done",
        "/search?q=alba",
        "/keys",
        "/today",
        "/today?day=3",
        "/today?view=week",
        "/today?view=sheet",
        "/waiting",
        "/vehicles",
        f"/vehicles/{cars['HH-EC 417']}",
        f"/vehicles/{cars['HH-SK 82']}",
        "/quarantine",
        "/owners",
        "/owners/2",
        "/inbox?show=all",
        "/inbox/2",
        "/quick-replies",
        "/owners/2/export",
        "/owners/2/erase",
        "/owners/new",
        "/cases/new",
        "/staff",
        "/import",
        "/settings",
        "/security",
        "/more",
        f"/cases/{cases['HH-JW 88']}/offer",
        *(f"/cases/{cases[plate]}" for plate in ("HH-EC 417", "HH-SL 41", "HH-OG 58", "HH-HJ 74", "HH-LF 33")),
        "/sign-in",
        "/forgotten",
    ]
    found: list[str] = []
    for address in addresses:
        if address == "/sign-in":
            await page.context.clear_cookies()
        answer = await page.goto(address)
        assert answer is not None and answer.status == 200, address
        await page.add_script_tag(path=AXE)
        result = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [f"{address}: {v['id']}: {v['nodes'][0]['html'][:120]}" for v in result["violations"]]
        width = await page.evaluate("document.documentElement.scrollWidth")
        if width > size["width"]:
            found.append(f"{address}: {width} px wide")
    assert found == []


async def test_a_manager_books_by_phone_adds_a_bay_and_makes_a_key(world: World, visitor: Visitor) -> None:
    page = await visitor.page(MANAGER)
    await page.goto(f"/cases/{world.cases['HH-JW 88']}/offer?kind=drop_off")
    await page.get_by_text("Agreed on the phone?").click()
    window = (await page.get_by_label("Free windows").locator("option").nth(1).inner_text()).strip()
    await page.get_by_label("Free windows").select_option(index=1)
    await page.get_by_role("button", name="Book it").click()
    await expect(page.get_by_role("region", name="Visit")).to_contain_text(window)

    await page.goto("/settings")
    await page.get_by_label("Called").fill("Bay 4")
    await page.get_by_role("button", name="Add").click()
    await expect(page.get_by_role("region", name="Bays, loaners, tow trucks")).to_contain_text("Bay 4")
    await page.get_by_label("For which program").fill("tyre shop")
    await page.get_by_role("checkbox", name="vehicles:read").check()
    await page.get_by_role("button", name="Make the key").click()
    token = await page.locator("#keys .breaks").inner_text()
    answer = await page.request.get("/api/v1/vehicles", headers={"Authorization": f"Bearer {token}", "Cookie": ""})
    assert answer.status == 200
    await page.get_by_role("button", name="Revoke the key tyre shop").click()
    await expect(page.get_by_role("status").first).to_contain_text("opens nothing")


async def test_a_text_from_a_stranger_waits_for_a_person(world: World, visitor: Visitor) -> None:
    async with world.admin.acquire() as connection:
        await connection.execute(
            """INSERT INTO replies (dealer_id, channel, provider_id, from_address, to_address, body, understood,
               received_at)
               VALUES ($1, 'phone', 'p9', '+491701112223', '+494066969100', 'Is this the garage?', 'other', $2)""",
            world.dealer,
            world.clock(),
        )
    page = await visitor.page()
    await page.goto("/owners")
    await expect(page.get_by_role("region", name="From numbers nobody knows")).to_contain_text("Is this the garage?")
    await page.get_by_role("button", name="Read the text from +491701112223").click()
    await expect(page.get_by_text("Is this the garage?")).to_have_count(0)


async def test_desk_owner_and_driver_see_each_other_s_steps(world: World, visitor: Visitor) -> None:
    """The guiding story on three screens: what one does, the others see without touching anything."""
    desk = await visitor.page()
    case = world.cases["HH-EC 417"]
    await desk.goto(f"/cases/{case}")
    await desk.get_by_role("button", name="Take it").click()
    await desk.get_by_role("link", name="Offer a tow truck").click()
    await desk.get_by_role("button", name="Hold and send").click()
    text = await desk.locator(".talk .out .bubble").last.inner_text()
    link = re.search(r"http\S+/o/\S+", text)
    assert link is not None

    owner = await visitor.page(who=None, size=PHONE)
    await owner.goto(link[0])
    await expect(owner.get_by_role("heading", level=1)).to_have_text("Front left tyre is losing air")
    await owner.get_by_role("button", name="Today").nth(0).click()
    await expect(owner.get_by_role("heading", level=1)).to_contain_text("A tow truck collects your car today")
    await expect(desk.get_by_role("heading", name="The driver has not set out yet")).to_be_visible(timeout=10_000)

    async with world.admin.acquire() as connection:
        name = await connection.fetchval(
            "SELECT s.name FROM legs l JOIN bookings b ON b.id = l.booking_id JOIN staff s ON s.id = l.driver_id "
            "WHERE b.case_id = $1 AND l.kind = 'collect'",
            case,
        )
    driver = await visitor.page(name, PHONE)
    await driver.goto("/today")
    row = driver.get_by_role("row", name=re.compile("Tow truck.*HH-EC 417"))
    await row.get_by_role("button", name=re.compile("^On the way")).click()
    await expect(owner.get_by_role("heading", level=1)).to_have_text(
        f"{name.split()[0]} is on the way to you with the tow truck"
    )
    await expect(desk.get_by_role("heading", name="The driver is on the way to the owner")).to_be_visible(
        timeout=10_000
    )


async def test_a_page_that_hears_nothing_says_so_and_catches_up(world: World, visitor: Visitor) -> None:
    page = await visitor.page()
    await page.wait_for_function("window.htmx !== undefined")
    await expect(page.locator("#stale")).to_be_hidden()

    async def meanwhile() -> None:
        await expect(page.locator("#stale")).to_contain_text("What stands here is from 10:27")
        async with world.admin.acquire() as connection:
            await connection.execute("UPDATE cases SET state = 'dismissed' WHERE id = $1", world.cases["HH-LF 33"])

    await world.restart(meanwhile)
    await expect(page.locator("#stale")).to_be_hidden(timeout=20_000)
    await expect(page.locator(f"#case-{world.cases['HH-LF 33']}")).to_have_count(0)
    visitor.complaints = [
        complaint for complaint in visitor.complaints if "ERR_" not in complaint and "htmx" not in complaint.lower()
    ]


async def test_the_schedule_moves_a_visit_by_keyboard_and_comes_back_to_where_it_was(
    world: World, visitor: Visitor
) -> None:
    page = await visitor.page()
    visit = await _book(world, "HH-JW 88")
    await page.goto("/today?day=1" if (visit.starts_at.date() > world.clock().date()) else "/today")
    link = (
        page.get_by_role("region", name="Calendar of drivers").get_by_role("link", name=re.compile("Jonas Weber")).first
    )
    await expect(link).to_be_visible()
    move = (
        page.get_by_role("row", name=re.compile("Jonas Weber.*Agreed"))
        .get_by_role("link", name="Move the visit of")
        .first
    )
    await move.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Another time for Jonas Weber")).to_be_visible()
    await page.get_by_label("Move it to").focus()
    await page.keyboard.press("ArrowDown")
    await page.get_by_role("button", name="Move and send").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("The visit has another time, and its owner is told.")).to_be_visible()
    assert re.search(r"/today", page.url)
    async with world.admin.acquire() as connection:
        assert await connection.fetchval("SELECT starts_at FROM bookings WHERE id = $1", visit.id) != visit.starts_at
    await page.get_by_role("link", name="Week", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Week 48")


async def _book(world: Any, plate: str) -> Any:
    from actions import bookings
    from schemas.booking import BookingKind

    window = (await bookings.free_windows(world.house, world.dealer, BookingKind.DROP_OFF))[0].window
    return await bookings.book(
        world.house.acting(world.dealer, world.actor()), world.cases[plate], BookingKind.DROP_OFF, window.starts_at
    )


async def test_search_and_the_queue_by_single_keys(world: World, visitor: Visitor) -> None:
    page = await visitor.page()
    await page.goto("/queue")
    await page.keyboard.press("/")
    await expect(page.locator("#find")).to_be_focused()
    await page.keyboard.type("ec417")
    await expect(page.locator("#quick .hit").first).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#quick .hit").first).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("#quick")).to_be_hidden()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/search?*")
    await page.goto("/queue")
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    await expect(page.locator("#cases .car a").first).to_be_focused()
    await page.keyboard.press("?")
    await page.wait_for_url("**/keys")
    await page.get_by_label("Single letters are keys").uncheck()
    await page.goto("/queue")
    await page.keyboard.press("j")
    await expect(page.locator("#cases .car a").first).not_to_be_focused()
    await page.keyboard.press("Control+k")
    await expect(page.locator("#find")).to_be_focused()
