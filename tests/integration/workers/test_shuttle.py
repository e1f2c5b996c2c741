"""Who brings their car and is taken on by the house's shuttle: as many a day as the house says, told at both ends."""

from __future__ import annotations

from typing import Any

import pytest

from actions import accounts as house
from actions import bookings as acts
from actions import offers, owners
from schemas.alert import AlertState as A
from schemas.booking import BookingKind
from schemas.errors import BadInput, Overtaken
from tests.integration.workers.conftest import Scene

SHUTTLE = BookingKind.SHUTTLE
WORKS, FAR = "52.5200, 13.4050", "52.4009, 12.5316"


def _by(scene: Any, role: str) -> Any:
    return scene.house.acting(scene.dealer.id, f"staff:{scene.people[role].id}")


@pytest.fixture
async def ill(scene: Scene) -> Any:
    await scene.admin.execute("UPDATE owners SET language = 'en'")
    await house.update_dealer(_by(scene, "manager"), {"day_limits": "shuttle 1"})
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    return (await scene.case())["id"]


async def test_the_owner_is_told_of_the_shuttle_when_they_choose_come_and_may_be_fetched(
    scene: Scene, ill: int
) -> None:
    await offers.make(_by(scene, "advisor"), ill, SHUTTLE)
    await scene.work()
    assert "Bring it, get a shuttle: 1 = " in (await scene.phone())[-1]
    await scene.says("1")
    await scene.work()
    visit = await scene.admin.fetchrow("SELECT * FROM bookings")
    assert (visit["kind"], visit["state"]) == ("shuttle", "agreed")
    assert "our shuttle takes you on" in (await scene.phone())[-1]
    assert await scene.admin.fetchval("SELECT count(*) FROM legs") == 0, "nobody fetches the car"
    scene.clock.at = visit["starts_at"]
    await acts.arrive(_by(scene, "advisor"), visit["id"])
    await acts.finish(_by(scene, "technician"), visit["id"], "new valve")
    await scene.work()
    assert "is ready. Done: new valve. Tell us when our shuttle shall fetch you." in (await scene.phone())[-1]


async def test_the_day_s_places_of_the_shuttle_are_as_many_as_the_house_says(scene: Scene, ill: int) -> None:
    window = (await acts.free_windows(scene.house, scene.dealer.id, SHUTTLE))[0].window
    await acts.book(_by(scene, "advisor"), ill, SHUTTLE, window.starts_at)
    following = (await acts.free_windows(scene.house, scene.dealer.id, SHUTTLE))[0].window
    assert following.starts_at.date() > window.starts_at.date()


async def test_a_house_that_has_no_shuttle_says_so_and_how_it_would_have_one(scene: Scene, ill: int) -> None:
    await house.update_dealer(_by(scene, "manager"), {"day_limits": ""})
    with pytest.raises(Overtaken, match="no shuttle: a line of the daily limits"):
        await offers.make(_by(scene, "advisor"), ill, SHUTTLE)
    window = (await acts.free_windows(scene.house, scene.dealer.id, BookingKind.DROP_OFF))[0].window
    with pytest.raises(Overtaken, match="no shuttle"):
        await acts.book(_by(scene, "advisor"), ill, SHUTTLE, window.starts_at)


async def test_the_shuttle_goes_as_far_as_we_drive_and_no_farther(scene: Scene, ill: int) -> None:
    await house.update_dealer(_by(scene, "manager"), {"place": WORKS, "pickup_radius_km": 30})
    await owners.update(_by(scene, "advisor"), scene.owner.id, {"place": FAR})
    window = (await acts.free_windows(scene.house, scene.dealer.id, SHUTTLE))[0].window
    with pytest.raises(BadInput, match="our shuttle goes 30 km") as refused:
        await acts.book(_by(scene, "advisor"), ill, SHUTTLE, window.starts_at)
    assert refused.value.field == "address"
