"""One visit on people's own screens: the owner chooses, and moves it; the driver is seen on the way, and collects it
in a basement; from the workshop's board it goes home, with a signature.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from dealer_api import cookies
from tests.integration.dealer_api.owner.test_driver_app import Tunnel, becomes, fill_in, records

pytestmark = pytest.mark.browser
MAP = {"latitude": 53.5503, "longitude": 9.992}


async def _board(world: Any, looking: Any) -> Page:
    """The technician's board, signed in."""
    client, page = await world.desk.as_role("technician"), await looking.page()
    jar = client.session.cookie_jar.filter_cookies(world.desk.server.make_url("/"))
    await page.context.add_cookies(
        [{"name": cookies.SESSION, "value": jar[cookies.SESSION].value, "url": looking.base}]
    )
    await page.goto("/workshop")
    return page


async def test_from_the_offer_to_the_signature_over_another_time_a_tunnel_and_the_board(
    world: Any, looking: Any
) -> None:
    await world.desk.admin.execute("UPDATE staff SET language = 'en'")
    await world.offer()
    owner = await looking.page()
    path = await world.link()
    await owner.goto(path)
    await owner.locator("button.window").first.click()
    title = owner.get_by_role("heading", level=1)
    await expect(title).to_contain_text("We collect your car")
    first = await title.inner_text()

    await owner.get_by_role("link", name="Choose another time").click()
    await owner.locator("button.window").nth(2).click()
    await expect(owner.get_by_text("Moved. Thank you!")).to_be_visible()
    assert await title.inner_text() != first
    moved = await world.desk.admin.fetchrow("SELECT starts_at, ends_at FROM bookings")
    leg = await world.desk.admin.fetchrow("SELECT * FROM legs WHERE kind = 'collect'")
    assert (leg["starts_at"], leg["ends_at"]) == tuple(moved)
    await world.desk.admin.execute("UPDATE legs SET place = '53.57000,10.02000'")

    road = await Tunnel.before(looking)
    link = road.base + await world.secret("driver", leg["id"], staff_id=leg["driver_id"])
    world.desk.clock.at = moved["starts_at"]
    driver = await looking.page(geolocation=MAP, permissions=["geolocation"])
    await driver.goto(link)
    await driver.get_by_role("button", name="I am on the way").click()
    await expect(title).to_contain_text("is on the way to you")
    await driver.reload()
    await expect(driver.locator("body[data-kept]")).to_be_attached()
    await driver.get_by_role("button", name="Let the customer see where I am").click()
    await expect(driver.get_by_role("button", name="The customer sees where I am")).to_be_visible()
    await expect(owner.get_by_text(re.compile(r"About \d+ min away"))).to_be_visible()
    assert await looking.axe(owner) == [] and await looking.axe(driver) == []

    road.shut()
    await driver.goto(link)
    await driver.get_by_role("link", name="Record the car").click()
    await fill_in(driver, 41_230)
    await driver.get_by_role("button", name="Save the record").click()
    await driver.get_by_role("button", name="I have the car").click()
    await expect(driver.locator("#queue")).to_contain_text("Not sent yet: 6")
    road.open()
    await becomes(world, "collect", "collected")
    await expect(driver.locator("#queue")).to_be_hidden()
    await expect(owner.get_by_text(re.compile(r"min away"))).to_have_count(0)
    await driver.get_by_role("button", name="At the workshop").click()
    await becomes(world, "collect", "at_workshop")
    looking.complaints.clear()  # what a browser says of requests without a network

    board = await _board(world, looking)
    await board.get_by_role("button", name=re.compile("^Start")).click()
    await board.get_by_text("Finished", exact=True).click()
    await board.get_by_label(re.compile("What was found and done")).fill("nail in the tyre, patched")
    await board.get_by_role("button", name="The work is done").click()
    await expect(title).to_contain_text("The work is finished")

    await driver.goto(link)
    await driver.get_by_role("button", name="On the way back").click()
    await driver.get_by_role("link", name="Record the return").click()
    await fill_in(driver, 41_250)
    await driver.get_by_role("button", name="Save the record").click()
    await driver.get_by_role("button", name="Handed over").click()
    await becomes(world, "return", "handed_over")
    assert await records(world) == ["collect", "return"]
    assert await world.desk.admin.fetchval("SELECT bool_and(proof = 'signature') FROM handovers")
    assert await world.desk.admin.fetchval("SELECT state FROM bookings") == "completed"
    assert await world.desk.admin.fetchval("SELECT count(*) FROM legs WHERE position IS NOT NULL") == 0
    await expect(title).not_to_contain_text("The work is finished")
