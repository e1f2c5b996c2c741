"""A couple shares a number: each gets their own texts, once; who was asked answers; STOP is the number's."""

from __future__ import annotations

from typing import Any

from actions import cases, offers, owners
from rules.service.replies import Meaning
from schemas.booking import BookingKind


async def test_who_was_asked_answers_and_stop_counts_for_both(scene: Any) -> None:
    desk = scene.house.acting(scene.dealer.id, f"staff:{scene.people['advisor'].id}")
    partner = await scene.another_owner(name="Pat Partner", phone=scene.owner.phone)
    first = await scene.admin.fetchval("SELECT min(id) FROM owners WHERE phone = $1", scene.owner.phone)
    assert first == scene.owner.id
    await scene.admin.execute("UPDATE vehicles SET owner_id = $1 WHERE id = $2", partner.id, scene.car.id)
    case = await cases.open_by_hand(desk, scene.car.id, "it squeaks")
    await offers.make(desk, case.id, BookingKind.DROP_OFF)
    await scene.work()
    assert len(await scene.phone()) == 1  # once, though two are reached there
    result = await scene.says("1")
    assert result.understood.meaning is Meaning.CHOICE and result.owner_id == partner.id
    assert await scene.admin.fetchval("SELECT count(*) FROM bookings") == 1
    await scene.work()
    told = len(await scene.phone())
    await scene.says("STOP")
    await scene.says("STOP")
    await scene.work()
    assert len(await scene.phone()) == told + 1  # exactly one confirmation
    assert await scene.admin.fetchval("SELECT count(*) FROM owners WHERE stopped_at IS NOT NULL") == 2
    await scene.says("START")
    assert await scene.admin.fetchval("SELECT count(*) FROM owners WHERE stopped_at IS NOT NULL") == 0


async def test_a_stop_from_a_number_that_nobody_has_counts_for_whoever_gets_it(scene: Any) -> None:
    await scene.says("STOP", number="+491701111111")
    desk = scene.house.acting(scene.dealer.id, f"staff:{scene.people['advisor'].id}")
    owner = await owners.create(desk, {"name": "New Nele", "phone": "+491701111111"})
    assert owner.stopped_at is not None
    assert await scene.admin.fetchval("SELECT count(*) FROM stops WHERE address::text LIKE '%1701111111%'") == 0
