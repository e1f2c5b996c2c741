"""A late drive, a missed promise and a customer who does not come, on real rows: who hears of it, when, and never
twice.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from actions import bookings as acts
from actions import legs as leg_acts
from schemas.alert import AlertState as A
from schemas.booking import BookingKind
from schemas.moment import local
from schemas.pickup import LegEvent
from store import consents
from store.pool import transaction
from tests.integration.workers.conftest import Scene
from workers import lateness

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def book(scene: Scene) -> Any:
    """Books the next free window of a kind; the reader's language is English."""
    await scene.admin.execute("UPDATE owners SET language = 'en'")
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()

    async def booked(kind: BookingKind) -> Any:
        window = (await acts.free_windows(scene.house, scene.dealer.id, kind))[0]
        return await acts.book(
            scene.house.acting(scene.dealer.id, "staff:1"), (await scene.case())["id"], kind, window.window.starts_at
        )

    return booked


async def _swept(scene: Any, at: Any) -> None:
    """Some looks at that minute, the second of which must find nothing new to say."""
    scene.clock.at = at
    for _ in range(3):
        await lateness.promises_once(scene.context)
    await scene.send_all()


async def test_a_drive_that_is_late_is_told_to_our_people_then_to_its_owner_before_the_time_passes(
    scene: Scene, book: Any
) -> None:
    visit = await book(BookingKind.PICKUP)
    await _swept(scene, visit.ends_at - 16 * MINUTE)
    before, advisors = await scene.phone(), await scene.staff_phone("advisor")
    await _swept(scene, visit.ends_at - 15 * MINUTE)
    told = (await scene.staff_phone("advisor"))[len(advisors) :]
    assert (
        len(told) == 1
        and "Not set out to collect it yet: VW Golf" in told[0]
        and f"/bookings/{visit.id}/time" in told[0]
    )
    assert any("Not set out to collect it yet" in text for text in await scene.staff_phone("driver"))
    assert await scene.phone() == before
    await _swept(scene, visit.ends_at - 5 * MINUTE)
    assert len(await scene.phone()) == len(before) + 1 and "we will not make it to you by" in (await scene.phone())[-1]
    await _swept(scene, visit.ends_at + MINUTE)
    assert len(await scene.phone()) == len(before) + 1 and len(await scene.staff_phone("advisor")) == len(advisors) + 1
    row = await scene.admin.fetchrow("SELECT * FROM promises WHERE what = 'collect'")
    assert row["state"] == "broken" and row["owner_told_at"] < row["due_at"], "broken with a word"
    collect = await scene.admin.fetchval("SELECT id FROM legs WHERE kind = 'collect'")
    for event in (LegEvent.ON_THE_WAY, LegEvent.COLLECTED):
        await leg_acts.move(scene.house.acting(scene.dealer.id, "staff:1"), collect, event)
    assert await scene.admin.fetchval("SELECT done_at - due_at FROM promises WHERE what = 'collect'") == MINUTE


async def test_our_people_hear_before_the_driver_must_set_out_and_the_owner_once_it_is_too_late(
    scene: Scene, book: Any
) -> None:
    """A window of an hour, and forty minutes to get there."""
    visit = await book(BookingKind.PICKUP)
    await scene.admin.execute("UPDATE legs SET travel_minutes = 40, travel_by = 'osrm'")
    await scene.send_all()
    before, advisors = await scene.phone(), await scene.staff_phone("advisor")
    leaves = visit.ends_at - 50 * MINUTE
    await _swept(scene, leaves - 16 * MINUTE)
    assert await scene.staff_phone("advisor") == advisors
    await _swept(scene, leaves - 15 * MINUTE)
    told = (await scene.staff_phone("advisor"))[len(advisors) :]
    assert len(told) == 1 and f", set out by {local(leaves, scene.dealer.zone):%H:%M}. " in told[0], told
    assert await scene.phone() == before
    await _swept(scene, visit.ends_at - 41 * MINUTE)
    assert await scene.phone() == before
    await _swept(scene, visit.ends_at - 40 * MINUTE)
    assert len(await scene.phone()) == len(before) + 1 and "we will not make it to you by" in (await scene.phone())[-1]


async def test_an_owner_who_cannot_be_texted_is_rung(scene: Scene, book: Any) -> None:
    visit = await book(BookingKind.PICKUP)
    async with transaction(scene.worker) as connection:
        await consents.stop(connection, scene.dealer.id, scene.owner.id, now=scene.clock(), wording="STOP")
    await _swept(scene, visit.ends_at - 5 * MINUTE)
    assert f"cannot be texted, please ring {scene.owner.phone}" in (await scene.staff_phone("advisor"))[-1]
    assert await scene.admin.fetchval("SELECT must_ring FROM promises WHERE what = 'collect'")


async def test_a_customer_who_does_not_come_is_rung_once(scene: Scene, book: Any) -> None:
    visit = await book(BookingKind.DROP_OFF)
    before = await scene.staff_phone("advisor")
    await _swept(scene, visit.ends_at + 29 * MINUTE)
    assert await scene.staff_phone("advisor") == before
    await _swept(scene, visit.ends_at + 30 * MINUTE)
    await _swept(scene, visit.ends_at + 90 * MINUTE)
    told = (await scene.staff_phone("advisor"))[len(before) :]
    assert len(told) == 1 and "has not brought the VW Golf" in told[0] and scene.owner.phone in told[0]


async def test_visits_from_before_the_ledger_get_their_rows_and_a_cancelled_one_owes_nothing(
    scene: Scene, book: Any
) -> None:
    visit = await book(BookingKind.PICKUP)
    await scene.admin.execute("DELETE FROM promises")
    await lateness.promises_once(scene.context)
    assert {row["what"] for row in await scene.admin.fetch("SELECT what FROM promises WHERE state = 'open'")} == {
        "collect",
        "ready",
        "return",
    }
    await acts.cancel(scene.house.acting(scene.dealer.id, "staff:1"), visit.id, "no time")
    assert {row["state"] for row in await scene.admin.fetch("SELECT state FROM promises")} == {"void"}
