"""What a driver finds at an owner's: how far it is, whom they meet, what they must know; and cars too far away."""

from __future__ import annotations

from typing import Any

import pytest

from actions import accounts as house
from actions import bookings as acts
from actions import offers, owners
from schemas.alert import AlertState as A
from schemas.booking import BookingKind
from schemas.errors import BadInput
from schemas.verdict import Severity
from tests.integration.workers.conftest import Scene

WORKS, NEAR, FAR = "52.5200, 13.4050", "52.5300, 13.4300", "53.5503, 9.9920"


def _advisor(scene: Any) -> Any:
    return scene.house.acting(scene.dealer.id, "staff:1")


@pytest.fixture
async def ill(scene: Scene) -> Any:
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    return await scene.case()


async def _book(scene: Any, case: Any, kind: BookingKind = BookingKind.PICKUP) -> Any:
    window = (await acts.free_windows(scene.house, scene.dealer.id, kind))[6].window
    return await acts.book(_advisor(scene), case["id"], kind, window.starts_at)


async def _leg(scene: Any) -> Any:
    return await scene.admin.fetchrow("SELECT * FROM legs WHERE kind = 'collect' ORDER BY id DESC LIMIT 1")


async def test_a_car_beyond_the_radius_is_not_collected_and_nothing_is_held_for_it(scene: Scene, ill: Any) -> None:
    await house.update_dealer(_advisor(scene), {"place": WORKS, "pickup_radius_km": 30})
    await owners.update(_advisor(scene), scene.owner.id, {"place": FAR})
    for refused in (offers.make(_advisor(scene), ill["id"], BookingKind.PICKUP), _book(scene, ill)):
        with pytest.raises(BadInput) as why:
            await refused
        assert why.value.field == "address" and "within 30 km" in why.value.reason
    assert await scene.admin.fetchval("SELECT count(*) FROM slots") == 0
    assert (await scene.case())["state"] == "open"
    assert (await _book(scene, ill, BookingKind.DROP_OFF)).kind is BookingKind.DROP_OFF, "they can bring it"


async def test_a_tow_truck_goes_beyond_it(scene: Scene, ill: Any) -> None:
    await house.update_dealer(_advisor(scene), {"place": WORKS, "pickup_radius_km": 30})
    await owners.update(_advisor(scene), scene.owner.id, {"place": FAR})
    await scene.alert(A.ACTIVE, first_step=2, severity=Severity.NOW)
    await scene.work()
    assert (await offers.make(_advisor(scene), ill["id"])).kind is BookingKind.TOW


async def test_a_drive_knows_its_door_and_hears_what_the_desk_learns_later(scene: Scene, ill: Any) -> None:
    await house.update_dealer(_advisor(scene), {"place": WORKS})
    await owners.update(_advisor(scene), scene.owner.id, {"place": NEAR, "access_notes": "bell at the gate"})
    await _book(scene, ill)
    before = await _leg(scene)
    assert (before["access_notes"], before["travel_by"]) == ("bell at the gate", "estimate")
    assert 5 <= before["travel_minutes"] <= 20
    await owners.update(_advisor(scene), scene.owner.id, {"contact": "Ms Roth, +49 30 555"})
    assert (await _leg(scene))["contact"] == "Ms Roth, +49 30 555"
    await house.update_dealer(_advisor(scene), {"place": FAR})
    assert (await _leg(scene))["travel_minutes"] is None, "the house has moved: nobody knows for now"


async def test_a_new_address_is_not_where_the_old_one_was(scene: Scene) -> None:
    await owners.update(_advisor(scene), scene.owner.id, {"place": NEAR})
    moved = await owners.update(_advisor(scene), scene.owner.id, {"address": "Anderer Weg 9, Berlin"})
    assert moved.place is None
    again = await owners.update(_advisor(scene), scene.owner.id, {"address": "Weg 2, Berlin", "place": WORKS})
    assert again.place == "52.52000,13.40500"


@pytest.mark.parametrize("place", ["somewhere", "95, 13", "52.5"])
async def test_what_is_no_place_is_refused_by_its_name(scene: Scene, place: str) -> None:
    for refused in (
        owners.update(_advisor(scene), scene.owner.id, {"place": place}),
        house.update_dealer(_advisor(scene), {"place": place}),
    ):
        with pytest.raises(BadInput) as why:
            await refused
        assert why.value.field == "place"
