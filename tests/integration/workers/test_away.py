"""Somebody is away: what they would have driven goes to whoever is there, nothing is promised that needs them, and if
nobody is there, somebody rings.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from actions import absences, offers, people
from actions import bookings as acts
from actions import legs as leg_acts
from schemas.account import Role
from schemas.alert import AlertState as A
from schemas.booking import BookingKind
from schemas.errors import BadInput, Overtaken
from schemas.pickup import LegEvent
from store import accounts
from store.pool import transaction

HOUR = timedelta(hours=1)


def _manager(scene: Any) -> Any:
    return scene.house.acting(scene.dealer.id, "staff:99")


async def _second_driver(scene: Any, office: Any) -> int:
    async with transaction(office) as connection:
        person = await accounts.add_staff(
            connection,
            scene.dealer.id,
            name="Bo Zwei",
            email="bo@nord.example",
            phone="+49170999",
            role=Role.DRIVER,
            language="en",
            password_hash="x",
            now=scene.clock(),
        )
    return person.id


@pytest.fixture
async def booked(scene: Any) -> Any:
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    window = (await acts.free_windows(scene.house, scene.dealer.id, BookingKind.PICKUP))[4].window
    return await acts.book(_manager(scene), (await scene.case())["id"], BookingKind.PICKUP, window.starts_at)


async def _drivers(scene: Any) -> list[int | None]:
    rows = await scene.admin.fetch("SELECT driver_id FROM legs ORDER BY starts_at")
    return [row["driver_id"] for row in rows]


async def test_drives_of_somebody_who_is_away_go_to_somebody_who_is_there(
    scene: Any, booked: Any, pool_as: Any
) -> None:
    first, second = scene.people["driver"].id, await _second_driver(scene, await pool_as("office", size=1))
    assert await _drivers(scene) == [first, first]
    await absences.add(_manager(scene), first, booked.starts_at - HOUR, booked.ends_at + HOUR, "dentist")
    assert (await _drivers(scene))[0] == second
    held = await scene.admin.fetch(
        """SELECT r.staff_id FROM slots s JOIN resources r ON r.id = s.resource_id JOIN legs l ON l.slot_id = s.id
           WHERE s.state = 'booked' AND s.use = 'collect' AND l.kind = 'collect'"""
    )
    assert [row["staff_id"] for row in held] == [second], "and their time with it"


async def test_with_nobody_else_the_drive_is_nobodys_and_somebody_rings(scene: Any, booked: Any) -> None:
    first = scene.people["driver"].id
    await absences.add(_manager(scene), first, booked.starts_at - HOUR, booked.ends_at + HOUR, "ill")
    await scene.work()
    assert (await _drivers(scene))[0] is None
    assert any("is away, and no other driver is free" in text for text in await scene.staff_phone("advisor"))


async def test_nothing_is_promised_that_needs_them_until_it_is_taken_back(scene: Any, booked: Any) -> None:
    first = scene.people["driver"].id
    away = await absences.add(_manager(scene), first, scene.clock(), scene.clock() + timedelta(days=3), "holiday")
    soon = await acts.free_windows(scene.house, scene.dealer.id, BookingKind.PICKUP, count=1)
    assert soon[0].window.starts_at >= away.ends_at
    await absences.take_back(_manager(scene), away.id)
    again = await acts.free_windows(scene.house, scene.dealer.id, BookingKind.PICKUP, count=1)
    assert again[0].window.starts_at < away.ends_at
    with pytest.raises(Overtaken):
        await absences.take_back(_manager(scene), away.id)


async def test_an_offer_that_holds_their_time_is_over(scene: Any) -> None:
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    offer = await offers.make(_manager(scene), (await scene.case())["id"], BookingKind.PICKUP)
    first = scene.people["driver"].id
    await absences.add(_manager(scene), first, scene.clock(), scene.clock() + timedelta(days=3), "holiday")
    assert await scene.admin.fetchval("SELECT state FROM offers WHERE id = $1", offer.id) == "expired"
    assert (await scene.case())["state"] == "open"


async def test_a_drive_that_has_begun_is_driven_to_its_end(scene: Any, booked: Any, pool_as: Any) -> None:
    await _second_driver(scene, await pool_as("office", size=1))
    first = scene.people["driver"].id
    leg = await scene.admin.fetchval("SELECT id FROM legs WHERE kind = 'collect'")
    await leg_acts.move(scene.house.acting(scene.dealer.id, f"staff:{first}"), leg, LegEvent.ON_THE_WAY)
    await absences.add(_manager(scene), first, scene.clock(), booked.ends_at, "ill")
    assert (await _drivers(scene))[0] == first


async def test_whoever_is_let_go_leaves_their_drives_to_the_others(scene: Any, booked: Any, pool_as: Any) -> None:
    second = await _second_driver(scene, await pool_as("office", size=1))
    await people.disable(_manager(scene), scene.people["driver"].id)
    assert await _drivers(scene) == [second, second]


async def test_a_drive_is_given_only_to_somebody_who_is_there_and_the_refusal_names_others(
    scene: Any, booked: Any, pool_as: Any
) -> None:
    second = await _second_driver(scene, await pool_as("office", size=1))
    await absences.add(_manager(scene), second, booked.starts_at, booked.ends_at, "training")
    leg = await scene.admin.fetchval("SELECT id FROM legs WHERE kind = 'collect'")
    with pytest.raises(Overtaken, match=r"Bo Zwei is not free then; free is"):
        await leg_acts.assign(_manager(scene), leg, second)


async def test_a_drive_of_days_ago_is_not_given_to_somebody_who_was_away_then(
    scene: Any, booked: Any, pool_as: Any
) -> None:
    second = await _second_driver(scene, await pool_as("office", size=1))
    away = (booked.starts_at - HOUR, booked.ends_at + HOUR)
    await absences.add(_manager(scene), second, *away, "training")
    scene.clock.at = booked.ends_at + 72 * HOUR
    leg = await scene.admin.fetchval("SELECT id FROM legs WHERE kind = 'collect'")
    with pytest.raises(Overtaken, match="Bo Zwei is not free then"):
        await leg_acts.assign(_manager(scene), leg, second)


@pytest.mark.parametrize(
    ("starts", "ends", "reason", "field"),
    [
        (2, 1, "x", "ends_at"),
        (1, 1, "x", "ends_at"),
        (-3, -2, "x", "ends_at"),
        (1, 24 * 500, "x", "ends_at"),
        (1, 2, " ", "reason"),
        (30, 40, "x", "starts_at"),
    ],
)
async def test_an_absence_that_cannot_be_is_refused_by_its_field(
    scene: Any, starts: int, ends: int, reason: str, field: str
) -> None:
    who, now = (
        scene.people["technician"].id if "technician" in scene.people else scene.people["driver"].id,
        scene.clock(),
    )
    await absences.add(_manager(scene), who, now + 35 * HOUR, now + 45 * HOUR, "training")
    with pytest.raises(BadInput) as refused:
        await absences.add(_manager(scene), who, now + starts * HOUR, now + ends * HOUR, reason)
    assert refused.value.field == field
