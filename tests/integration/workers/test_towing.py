"""A car that must not be driven on is fetched by a tow truck: offered so, told so, and never collected by driving
it.
"""

from __future__ import annotations

from typing import Any

import pytest

from actions import bookings as acts
from actions import legs as leg_acts
from actions import moving, offers
from schemas.alert import AlertState as A
from schemas.booking import BookingKind
from schemas.errors import BadInput, IllegalMove, Overtaken
from schemas.pickup import LegEvent
from schemas.verdict import Severity
from tests.integration.workers.conftest import Scene
from workers import driver_notices

NOT_DRIVEN = "it must not be driven"


def _advisor(scene: Any) -> Any:
    return scene.house.acting(scene.dealer.id, "staff:1")


@pytest.fixture
async def ill(scene: Scene) -> Any:
    """A tyre that loses air slowly; the owner reads English."""
    await scene.admin.execute("UPDATE owners SET language = 'en'")
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    return await scene.case()


async def _worse(scene: Any) -> None:
    await scene.alert(A.ACTIVE, first_step=2, severity=Severity.NOW)
    await scene.work()


async def _booked(scene: Any, case: Any, kind: BookingKind) -> Any:
    window = (await acts.free_windows(scene.house, scene.dealer.id, kind))[6].window
    booking = await acts.book(_advisor(scene), case["id"], kind, window.starts_at)
    await driver_notices.drives_once(scene.context)
    await scene.work()
    return booking


async def _collect(scene: Any) -> Any:
    return await scene.admin.fetchrow("SELECT * FROM legs WHERE kind = 'collect' ORDER BY id DESC LIMIT 1")


async def test_a_car_that_must_not_be_driven_is_offered_a_tow_and_nothing_else(scene: Scene, ill: Any) -> None:
    await _worse(scene)
    for kind in (BookingKind.PICKUP, BookingKind.DROP_OFF, BookingKind.WAITING):
        with pytest.raises(BadInput, match=NOT_DRIVEN):
            await offers.make(_advisor(scene), ill["id"], kind)
        with pytest.raises(BadInput, match=NOT_DRIVEN):
            await acts.book(_advisor(scene), ill["id"], kind, scene.clock())
    offer = await offers.make(_advisor(scene), ill["id"])
    await scene.work()
    assert (
        offer.kind is BookingKind.TOW
        and "please do not drive on. We tow and return it: 1 = " in (await scene.phone())[-1]
    )


async def test_an_offer_to_drive_it_is_taken_back_when_the_car_gets_worse(scene: Scene, ill: Any) -> None:
    offer = await offers.make(_advisor(scene), ill["id"])
    await scene.work()
    await scene.alert(A.ACTIVE, first_step=2, severity=Severity.NOW)
    with pytest.raises(Overtaken, match=NOT_DRIVEN):  # before any worker has looked
        await offers.accept(scene.house.acting(scene.dealer.id, "owner"), offer.id, 1)
    await scene.work()
    assert (
        await scene.admin.fetchval("SELECT state FROM offers") == "withdrawn"
        and (await scene.case())["state"] == "open"
    )
    again = await offers.make_again(scene.house.acting(scene.dealer.id, "owner"), offer)
    assert again.kind is BookingKind.TOW


async def test_a_visit_whose_car_must_not_be_driven_any_more_is_flagged_once_to_whoever_has_the_case(
    scene: Scene, ill: Any
) -> None:
    await _booked(scene, ill, BookingKind.PICKUP)
    await _worse(scene)
    await scene.alert(A.ACTIVE, first_step=3, severity=Severity.NOW)
    await scene.work()
    asked = [text for text in await scene.staff_phone("advisor") if NOT_DRIVEN in text]
    assert len(asked) == 1 and "send a tow truck" in asked[0] and "Please ring" in asked[0]


async def test_our_driver_does_not_take_the_wheel_and_takes_it_with_the_truck_that_is_sent(
    scene: Scene, ill: Any
) -> None:
    await scene.admin.execute(
        "INSERT INTO resources (dealer_id, kind, name) VALUES ($1, 'tow_truck', 'Truck 1')", scene.dealer.id
    )
    visit = await _booked(scene, ill, BookingKind.PICKUP)
    await _worse(scene)
    scene.clock.at = visit.starts_at
    driver = scene.house.acting(scene.dealer.id, f"staff:{scene.people['driver'].id}")
    leg = await _collect(scene)
    await leg_acts.move(driver, leg["id"], LegEvent.ON_THE_WAY)
    with pytest.raises(Overtaken, match=NOT_DRIVEN):
        await leg_acts.move(driver, leg["id"], LegEvent.COLLECTED)
    towed = await moving.move_to(_advisor(scene), visit.id, visit.starts_at, kind=BookingKind.TOW)
    assert (towed.kind, towed.starts_at, (await _collect(scene))["state"]) == (
        BookingKind.TOW,
        visit.starts_at,
        "on_the_way",
    )
    assert await scene.admin.fetchval("SELECT count(*) FROM slots WHERE use = 'tow' AND state = 'booked'") == 1
    await leg_acts.move(driver, leg["id"], LegEvent.COLLECTED)
    scene.clock.on(minutes=1)  # the text waits while the step may be undone
    await scene.work()
    assert "on the tow truck and brings it to the workshop" in (await scene.phone())[-1]
    with pytest.raises(IllegalMove):
        await moving.move_to(_advisor(scene), visit.id, visit.starts_at, kind=BookingKind.TOW, was=visit.starts_at)


async def test_a_car_that_its_owner_was_to_bring_is_fetched_instead(scene: Scene, ill: Any) -> None:
    visit = await _booked(scene, ill, BookingKind.DROP_OFF)
    await _worse(scene)
    window = (await acts.free_windows(scene.house, scene.dealer.id, BookingKind.TOW))[-1].window
    towed = await moving.move_to(_advisor(scene), visit.id, window.starts_at, kind=BookingKind.TOW)
    await driver_notices.drives_once(scene.context)
    await scene.work()
    assert towed.kind is BookingKind.TOW and towed.address and (await _collect(scene))["starts_at"] == window.starts_at
    assert "A tow truck collects your car" in (await scene.phone())[-1]
    told = await scene.admin.fetchval("SELECT body FROM messages WHERE kind = 'staff_leg' ORDER BY id DESC LIMIT 1")
    assert told.startswith(("With the tow truck", "Please bring back"))


async def test_no_truck_that_is_free_is_said_with_the_next_windows(scene: Scene, ill: Any) -> None:
    await scene.admin.execute(
        "INSERT INTO resources (dealer_id, kind, name) VALUES ($1, 'tow_truck', 'Truck 1')", scene.dealer.id
    )
    visit = await _booked(scene, ill, BookingKind.PICKUP)
    await _worse(scene)
    await scene.admin.execute(
        "INSERT INTO slots (dealer_id, resource_id, during, state, use) "
        "SELECT dealer_id, id, tstzrange($1, $2), 'booked', 'tow' FROM resources WHERE kind = 'tow_truck'",
        visit.starts_at,
        visit.ends_at,
    )
    with pytest.raises(Overtaken, match="no tow truck is free") as refused:
        await moving.move_to(_advisor(scene), visit.id, visit.starts_at, kind=BookingKind.TOW)
    assert len(refused.value.windows) == 3
    with pytest.raises(BadInput, match="only a tow truck"):
        await moving.move_to(_advisor(scene), visit.id, visit.starts_at, kind=BookingKind.WAITING)


async def test_nobody_is_reminded_to_bring_a_car_that_must_not_be_driven(scene: Scene, ill: Any) -> None:
    await _booked(scene, ill, BookingKind.DROP_OFF)
    assert await scene.admin.fetchval("SELECT count(*) FROM messages WHERE kind = 'reminder' AND state = 'queued'")
    await _worse(scene)
    assert not await scene.admin.fetchval("SELECT count(*) FROM messages WHERE kind = 'reminder' AND state = 'queued'")
    assert NOT_DRIVEN in await scene.admin.fetchval("SELECT reason FROM messages WHERE kind = 'reminder' LIMIT 1")


async def test_that_we_collect_it_may_still_be_said_for_the_truck_comes_then(scene: Scene, ill: Any) -> None:
    await _booked(scene, ill, BookingKind.PICKUP)
    await _worse(scene)
    assert await scene.admin.fetchval("SELECT count(*) FROM messages WHERE kind = 'reminder' AND state = 'queued'")
