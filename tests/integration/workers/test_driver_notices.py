"""A driver hears of each drive once, by a text whose link opens their day."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from actions import bookings as booking_acts
from actions import legs as leg_acts
from dealer_api.application import build
from dealer_api.live import Live
from schemas.account import Role
from schemas.alert import AlertState as A
from schemas.booking import BookingKind
from store import accounts
from store.pool import transaction
from tests.integration.workers.conftest import Scene
from workers import driver_notices


@pytest.fixture
async def drives(scene: Scene) -> Any:
    """A car to be collected and brought back, its drives given to the dealer's only driver."""
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    window = (await booking_acts.free_windows(scene.house, scene.dealer.id, BookingKind.PICKUP))[0]
    await booking_acts.book(
        scene.house.acting(scene.dealer.id, "staff:1"),
        (await scene.case())["id"],
        BookingKind.PICKUP,
        window.window.starts_at,
    )
    return await scene.admin.fetch("SELECT * FROM legs ORDER BY starts_at")


async def test_each_drive_is_told_once_and_the_link_opens_the_drivers_day(scene: Scene, drives: Any) -> None:
    assert await driver_notices.drives_once(scene.context) == len(drives)
    assert await driver_notices.drives_once(scene.context) == 0
    await scene.send_all()
    told = await scene.staff_phone("driver")
    assert (
        len(told) == len(drives) and "Please collect the VW Golf (B-TT 204)" in told[0] and "Weg 1, Berlin" in told[0]
    )
    path = re.search(r"/d/\S+", told[0])
    async with TestClient(TestServer(build(scene.house, Live("")))) as web, web.get(path[0]) as page:
        assert page.status == 200 and "VW Golf" in await page.text()


async def test_another_driver_is_told_when_the_drive_becomes_theirs(scene: Scene, drives: Any) -> None:
    await driver_notices.drives_once(scene.context)
    async with transaction(scene.house.pool, scene.dealer.id) as connection:
        other = await accounts.add_staff(
            connection,
            scene.dealer.id,
            name="Second",
            email="second@nord.example",
            phone="+491599999",
            role=Role.DRIVER,
            language="de",
            password_hash=None,
            now=scene.clock(),
        )
    await leg_acts.assign(scene.house.acting(scene.dealer.id, "staff:1"), drives[0]["id"], other.id)
    assert await driver_notices.drives_once(scene.context) == 1
    await scene.send_all()
    assert "Bitte abholen: VW Golf" in (await scene.phone("+491599999"))[0]


async def test_a_drive_that_is_over_or_under_way_before_the_text_went_is_not_told(scene: Scene, drives: Any) -> None:
    await driver_notices.drives_once(scene.context)
    await scene.admin.execute("UPDATE legs SET state = 'cancelled'")
    await scene.send_all()
    assert await scene.staff_phone("driver") == []


async def test_at_night_only_what_is_near_is_told(scene: Scene, drives: Any) -> None:
    scene.clock.at = drives[0]["starts_at"].replace(hour=1)  # 02:00 in Berlin
    await scene.admin.execute(
        "UPDATE legs SET starts_at = $1, ends_at = $2", scene.clock.at.replace(hour=15), scene.clock.at.replace(hour=16)
    )
    assert await driver_notices.drives_once(scene.context) == 0
    scene.clock.on(hours=5)  # 07:00
    assert await driver_notices.drives_once(scene.context) == len(drives)
