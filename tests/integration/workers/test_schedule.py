"""What the schedule reads: the time that is taken, by whom, and what should have happened by now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from actions import bookings as acts
from actions import legs as leg_acts
from actions import offers
from schemas.alert import AlertState as A
from schemas.booking import BookingKind
from schemas.pickup import LegEvent
from store.pool import transaction
from store.views import schedule
from tests.integration.workers.conftest import Scene

MINUTE = timedelta(minutes=1)


def _advisor(scene: Any) -> Any:
    return scene.house.acting(scene.dealer.id, "staff:1")


async def _late(scene: Any) -> list[tuple[str, bool]]:
    async with transaction(scene.house.pool, scene.dealer.id) as connection:
        return [(row.what, row.movable) for row in await schedule.overdue(connection, scene.dealer.id, scene.clock())]


async def _book(scene: Any, kind: BookingKind) -> Any:
    await scene.admin.execute(
        "INSERT INTO resources (dealer_id, kind, name) VALUES ($1, 'loaner', 'Loaner 1')", scene.dealer.id
    )
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    window = (await acts.free_windows(scene.house, scene.dealer.id, kind, loaner=True))[0].window
    return await acts.book(_advisor(scene), (await scene.case())["id"], kind, window.starts_at, loaner=True)


async def test_a_customer_who_has_not_come_work_that_is_not_done_and_a_loaner_that_is_not_back_are_overdue(
    scene: Scene,
) -> None:
    visit = await _book(scene, BookingKind.DROP_OFF)
    assert await _late(scene) == []
    scene.clock.at = visit.ends_at + MINUTE
    assert await _late(scene) == [("bring", True)]
    scene.clock.at = visit.ends_at - MINUTE
    await acts.arrive(_advisor(scene), visit.id)
    ready_by = await scene.admin.fetchval("SELECT ready_by FROM bookings")  # it came late in its window
    scene.clock.at = ready_by + MINUTE
    assert sorted(await _late(scene)) == [("loaner", False), ("ready", True)]
    await acts.finish(_advisor(scene), visit.id, "new tyre")
    assert await _late(scene) == [("loaner", False)]
    await acts.hand_over(_advisor(scene), visit.id)
    assert await _late(scene) == []


async def test_a_drive_that_nobody_began_can_be_moved_and_one_that_is_under_way_is_rung(scene: Scene) -> None:
    visit = await _book(scene, BookingKind.PICKUP)
    scene.clock.at = visit.ends_at + MINUTE
    assert await _late(scene) == [("collect", True)]
    leg = await scene.admin.fetchval("SELECT id FROM legs WHERE kind = 'collect'")
    await leg_acts.move(_advisor(scene), leg, LegEvent.ON_THE_WAY)
    assert await _late(scene) == [("collect", False)]


async def test_what_is_held_for_an_offer_stands_beside_what_is_booked_until_its_hold_runs_out(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    offer = await offers.make(_advisor(scene), (await scene.case())["id"])
    async with transaction(scene.house.pool, scene.dealer.id) as connection:
        span = (scene.clock(), scene.clock() + timedelta(days=7))
        held = await schedule.blocks(connection, scene.dealer.id, *span, scene.clock())
        gone = await schedule.blocks(connection, scene.dealer.id, *span, offer.expires_at + timedelta(days=7))
    assert (
        {row.state for row in held} == {"held"}
        and {row.use for row in held} == {"collect", "work", "return"}
        and gone == []
    )
    assert {(row.vehicle, row.owner) for row in held} == {("VW Golf", scene.owner.name)}
