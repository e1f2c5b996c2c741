"""An owner with two cars and two open offers: each text names its car, and a digit alone books nothing."""

from __future__ import annotations

from actions import cases, offers
from rules.service.replies import Meaning
from schemas.booking import BookingKind
from store import fleet
from store.pool import transaction
from tests.integration.workers.conftest import Scene


async def test_two_open_offers_are_never_guessed_between(scene: Scene) -> None:
    desk = scene.house.acting(scene.dealer.id, f"staff:{scene.people['advisor'].id}")
    async with transaction(scene.worker) as connection:
        other = await fleet.add(
            connection,
            scene.dealer.id,
            vin="WVWZZZ1KZAW000002",
            profile="petrol_hatch",
            title="VW Golf",
            plate="B-TT 205",
            actor="test",
            now=scene.clock(),
        )
        await fleet.give(connection, scene.dealer.id, other.id, scene.owner.id, actor="test", now=scene.clock())
    for car in (scene.car.id, other.id):
        case = await cases.open_by_hand(desk, car, "it squeaks")
        await offers.make(desk, case.id, BookingKind.DROP_OFF)
    await scene.work()
    first, second = (await scene.phone())[:2]
    assert "(B-TT 204)" in first and "(B-TT 205)" in second
    result = await scene.says("1")
    assert result.understood is not None and result.understood.meaning is Meaning.OTHER
    await scene.work()
    assert await scene.admin.fetchval("SELECT count(*) FROM bookings") == 0
    assert any('wrote: "1"' in text for text in await scene.staff_phone("advisor"))
    await scene.admin.execute("UPDATE offers SET state = 'withdrawn' WHERE case_id = (SELECT max(id) FROM cases)")
    await scene.says("1")
    assert await scene.admin.fetchval("SELECT count(*) FROM bookings") == 1
