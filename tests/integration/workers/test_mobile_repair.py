"""A car is repaired where it stands: offered, on the way, at the car, done; and all that may come between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from actions import absences, labour, moving, offers, pausing
from actions import bookings as acts
from actions import legs as leg_acts
from schemas.alert import AlertState as A
from schemas.booking import BookingKind
from schemas.errors import BadInput, IllegalMove, NotAllowed, Overtaken
from schemas.operation import Skill
from schemas.pause import Awaited
from schemas.pickup import LegEvent
from schemas.verdict import Severity
from store import accounts
from store.pool import transaction
from tests.integration.workers.conftest import Scene
from workers import driver_notices, lateness

MOBILE = BookingKind.MOBILE_REPAIR
TYRES = frozenset({Skill.TYRES})


def _by(scene: Any, role: str) -> Any:
    return scene.house.acting(scene.dealer.id, f"staff:{scene.people[role].id}")


async def _another_technician(scene: Any, office: Any, skills: frozenset[Skill] = TYRES) -> int:
    async with transaction(office) as connection:
        person = await accounts.add_staff(
            connection,
            scene.dealer.id,
            name="Bo Zwei",
            email="bo@nord.example",
            phone="+49170999",
            role=scene.people["technician"].role,
            language="en",
            password_hash="x",
            now=scene.clock(),
        )
    await labour.set_skills(_by(scene, "manager"), person.id, skills)
    return int(person.id)


@pytest.fixture
async def road(scene: Scene) -> Any:
    """A dealer with a van and a technician for tyres; a tyre leaks, and its owner reads English."""
    await scene.admin.execute("UPDATE owners SET language = 'en'")
    await scene.admin.execute(
        "INSERT INTO resources (dealer_id, kind, name) VALUES ($1, 'van', 'Van 1')", scene.dealer.id
    )
    await labour.set_skills(_by(scene, "manager"), scene.people["technician"].id, TYRES)
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    return await scene.case()


@pytest.fixture
async def booked(scene: Scene, road: Any) -> Any:
    window = (await acts.free_windows(scene.house, scene.dealer.id, MOBILE, case_id=road["id"]))[3].window
    booking = await acts.book(_by(scene, "advisor"), road["id"], MOBILE, window.starts_at)
    await driver_notices.drives_once(scene.context)
    await scene.work()
    return booking


async def _leg(scene: Any) -> Any:
    return await scene.admin.fetchrow("SELECT * FROM legs WHERE kind = 'visit' ORDER BY id DESC LIMIT 1")


async def _taken(scene: Any) -> list[tuple[str, str]]:
    rows = await scene.admin.fetch(
        "SELECT s.use, coalesce(p.name, r.name) FROM slots s JOIN resources r ON r.id = s.resource_id "
        "LEFT JOIN staff p ON p.id = r.staff_id WHERE s.state = 'booked' ORDER BY 1"
    )
    return [tuple(row) for row in rows]


async def test_from_the_offer_to_the_repaired_car_its_owner_knows_where_it_stands(scene: Scene, road: Any) -> None:
    offer = await offers.make(_by(scene, "advisor"), road["id"], MOBILE)
    await scene.work()
    assert "A technician comes to it: 1 = " in (await scene.phone())[-1]
    await scene.says("1")
    await scene.work()
    visit = await scene.admin.fetchrow("SELECT * FROM bookings")
    assert (visit["kind"], visit["address"], offer.kind) == ("mobile_repair", "Weg 1, Berlin", MOBILE)
    assert "Our technician comes to your car" in (await scene.phone())[-1]
    assert await _taken(scene) == [("labour", "Technician"), ("van", "Van 1"), ("way", "Van 1")]
    leg = await _leg(scene)
    assert (leg["driver_id"], leg["ends_at"]) == (scene.people["technician"].id, visit["ends_at"])
    await driver_notices.drives_once(scene.context)
    await scene.send_all()
    assert any("Please drive to the" in text for text in await scene.staff_phone("technician"))
    scene.clock.at = visit["starts_at"]
    technician = _by(scene, "technician")
    await leg_acts.move(technician, leg["id"], LegEvent.ON_THE_WAY)
    scene.clock.on(minutes=1)
    await scene.work()
    assert "Technician is on the way to you to repair your car" in (await scene.phone())[-1]
    await leg_acts.move(technician, leg["id"], LegEvent.AT_CAR)
    await scene.work()
    assert "our technician is at your" in (await scene.phone())[-1]
    assert await scene.admin.fetchval("SELECT state FROM bookings") == "working"
    assert (await scene.case())["state"] == "in_workshop"
    with pytest.raises(IllegalMove, match="what was found"):
        await leg_acts.move(technician, leg["id"], LegEvent.HANDED_OVER)
    scene.clock.on(minutes=40)
    done = await acts.finish(technician, visit["id"], "valve replaced")
    await scene.work()
    last = (await scene.phone())[-1]
    assert "is ready. Done: valve replaced. Our technician leaves it with you." in last
    assert (done.state, (await _leg(scene))["state"], await _taken(scene)) == ("completed", "handed_over", [])
    assert (await scene.case())["state"] == "verifying"
    kept = await scene.admin.fetch("SELECT what, state FROM promises ORDER BY what")
    assert [tuple(row) for row in kept] == [("ready", "kept"), ("visit", "kept")]


async def test_the_desk_says_for_the_technician_that_they_are_there(scene: Scene, booked: Any) -> None:
    there = await acts.arrive(_by(scene, "advisor"), booked.id)
    assert (there.state, (await _leg(scene))["state"]) == ("working", "at_car")


async def test_nobody_there_ends_the_visit_and_somebody_rings(scene: Scene, booked: Any) -> None:
    scene.clock.at = booked.starts_at
    leg = await _leg(scene)
    await leg_acts.move(_by(scene, "technician"), leg["id"], LegEvent.ON_THE_WAY)
    await leg_acts.move(_by(scene, "technician"), leg["id"], LegEvent.CANCELLED)
    await scene.work()
    assert await scene.admin.fetchval("SELECT state FROM bookings") == "cancelled" and await _taken(scene) == []
    assert any("nobody was there when our technician came" in text for text in await scene.staff_phone("advisor"))


async def test_only_technicians_go_and_only_on_their_own(scene: Scene, booked: Any, pool_as: Any) -> None:
    leg, other = await _leg(scene), await _another_technician(scene, await pool_as("office", size=1))
    with pytest.raises(Overtaken, match="it is for a technician"):
        await leg_acts.move(_by(scene, "driver"), leg["id"], LegEvent.ON_THE_WAY)
    with pytest.raises(NotAllowed):
        await leg_acts.move(scene.house.acting(scene.dealer.id, f"staff:{other}"), leg["id"], LegEvent.ON_THE_WAY)
    with pytest.raises(BadInput, match="is no technician whose hours are planned"):
        await leg_acts.assign(_by(scene, "advisor"), leg["id"], scene.people["driver"].id)
    await leg_acts.assign(_by(scene, "advisor"), leg["id"], other)
    assert ((await _leg(scene))["driver_id"], await _taken(scene)) == (
        other,
        [("labour", "Bo Zwei"), ("van", "Van 1"), ("way", "Van 1")],
    )


async def test_whoever_does_not_know_the_work_is_not_sent(scene: Scene, booked: Any, pool_as: Any) -> None:
    other = await _another_technician(scene, await pool_as("office", size=1), frozenset({Skill.ELECTRICAL}))
    with pytest.raises(Overtaken, match="does not know this work"):
        await leg_acts.assign(_by(scene, "advisor"), (await _leg(scene))["id"], other)


async def test_who_is_away_hands_the_visit_on_and_where_nobody_can_somebody_rings(
    scene: Scene, booked: Any, pool_as: Any
) -> None:
    other = await _another_technician(scene, await pool_as("office", size=1))
    away = (booked.starts_at - timedelta(hours=1), booked.ends_at + timedelta(hours=1))
    await absences.add(_by(scene, "manager"), scene.people["technician"].id, *away, "ill")
    assert (await _leg(scene))["driver_id"] == other
    await absences.add(_by(scene, "manager"), other, *away, "ill, too")
    await scene.work()
    assert (await _leg(scene))["driver_id"] is None
    assert any("no other technician is free" in text for text in await scene.staff_phone("advisor"))


async def test_another_time_moves_van_and_technician_with_it(scene: Scene, booked: Any, road: Any) -> None:
    windows = await acts.free_windows(scene.house, scene.dealer.id, MOBILE, case_id=road["id"])
    to = next(option.window for option in windows if option.window.starts_at > booked.ends_at)
    moved = await moving.move_to(_by(scene, "advisor"), booked.id, to.starts_at)
    await scene.work()
    leg = await _leg(scene)
    assert (moved.starts_at, leg["starts_at"], leg["ends_at"]) == (to.starts_at, to.starts_at, to.ends_at)
    assert "your visit has another time. Our technician comes to your car" in (await scene.phone())[-1]


async def test_a_tow_truck_fetches_it_instead_and_can_be_moved_again(scene: Scene, booked: Any) -> None:
    windows = await acts.free_windows(scene.house, scene.dealer.id, BookingKind.TOW)
    towed = await moving.move_to(_by(scene, "advisor"), booked.id, windows[4].window.starts_at, kind=BookingKind.TOW)
    legs = await scene.admin.fetch("SELECT kind, state FROM legs ORDER BY id")
    assert [tuple(row) for row in legs] == [("visit", "cancelled"), ("collect", "planned"), ("return", "planned")]
    assert towed.kind is BookingKind.TOW and not {use for use, _ in await _taken(scene)} & {"way", "van"}
    again = (await acts.free_windows(scene.house, scene.dealer.id, BookingKind.TOW))[-1].window
    assert (await moving.move_to(_by(scene, "advisor"), booked.id, again.starts_at)).starts_at == again.starts_at


async def test_a_car_that_must_not_be_driven_may_be_repaired_where_it_stands(scene: Scene, booked: Any) -> None:
    await scene.alert(A.ACTIVE, first_step=2, severity=Severity.NOW)
    await scene.work()
    assert not any("send a tow truck" in text for text in await scene.staff_phone("advisor"))
    assert await scene.admin.fetchval("SELECT state FROM bookings") == "agreed"


async def test_work_that_needs_the_workshop_is_refused_by_its_name(scene: Scene, road: Any) -> None:
    await scene.alert(A.PENDING, A.ACTIVE, rule="coolant_low", component="")
    await scene.work()
    with pytest.raises(Overtaken, match="this work needs the workshop: Find the coolant leak"):
        await offers.make(_by(scene, "advisor"), road["id"], MOBILE)
    with pytest.raises(Overtaken, match="this work needs the workshop"):
        await acts.book(_by(scene, "advisor"), road["id"], MOBILE, scene.clock() + timedelta(hours=3))


async def test_whose_car_stays_with_them_needs_no_loaner(scene: Scene, road: Any) -> None:
    window = (await acts.free_windows(scene.house, scene.dealer.id, MOBILE, case_id=road["id"]))[3].window
    with pytest.raises(BadInput) as refused:
        await acts.book(_by(scene, "advisor"), road["id"], MOBILE, window.starts_at, loaner=True)
    assert refused.value.field == "loaner" and (await scene.case())["state"] == "open"


async def test_nothing_of_ours_waits_with_a_car_at_its_owners(scene: Scene, booked: Any) -> None:
    await acts.arrive(_by(scene, "advisor"), booked.id)
    with pytest.raises(IllegalMove):
        await pausing.pause(
            _by(scene, "technician"),
            booked.id,
            awaits=Awaited.PART,
            what="a valve",
            due_at=scene.clock() + timedelta(days=1),
        )


async def test_a_technician_who_does_not_set_out_is_an_event_before_the_time_passes(scene: Scene, booked: Any) -> None:
    scene.clock.at = booked.ends_at - timedelta(minutes=15)
    await lateness.promises_once(scene.context)
    scene.clock.on(minutes=10)
    await lateness.promises_once(scene.context)
    await scene.send_all()
    assert any("Not set out to the mobile repair yet" in text for text in await scene.staff_phone("advisor"))
    assert any("our technician will not be with you by" in text for text in await scene.phone())
