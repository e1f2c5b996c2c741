"""A visit gets another time in one transaction, and what is late moves what comes after it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from actions import bookings as acts
from actions import legs as leg_acts
from actions import messages, moving
from schemas.alert import AlertState as A
from schemas.booking import BookingKind
from schemas.errors import IllegalMove, Overtaken
from schemas.pickup import LegEvent
from tests.integration.workers.conftest import Scene
from workers import driver_notices, lateness

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def visit(scene: Scene) -> Any:
    """A pickup in the next free window; the owner reads English, the drivers know of their drives."""
    await scene.admin.execute("UPDATE owners SET language = 'en'")
    async with scene.admin.acquire() as connection:
        await connection.execute(
            "INSERT INTO resources (dealer_id, kind, name) VALUES ($1, 'loaner', 'Loaner 1')", scene.dealer.id
        )
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    window = (await acts.free_windows(scene.house, scene.dealer.id, BookingKind.PICKUP, loaner=True))[6]
    visit = await acts.book(
        _advisor(scene), (await scene.case())["id"], BookingKind.PICKUP, window.window.starts_at, loaner=True
    )
    await driver_notices.drives_once(scene.context)
    await scene.work()
    return visit


def _advisor(scene: Any) -> Any:
    return scene.house.acting(scene.dealer.id, "staff:1")


async def _legs(scene: Any) -> Any:
    return await scene.admin.fetch("SELECT * FROM legs ORDER BY kind")


async def test_a_move_frees_the_old_time_takes_the_new_one_and_tells_everybody(scene: Scene, visit: Any) -> None:
    later = (await acts.free_windows(scene.house, scene.dealer.id, BookingKind.PICKUP, loaner=True, count=30))[
        -1
    ].window
    moved = await moving.move_to(_advisor(scene), visit.id, later.starts_at, was=visit.starts_at)
    assert (moved.starts_at, moved.ends_at, moved.id) == (
        later.starts_at,
        later.ends_at,
        visit.id,
    ) and moved.loaner_id is not None
    assert moved.ready_by > visit.ready_by and (await scene.case())["state"] == "booked"
    taken = await scene.admin.fetch("SELECT use, lower(during) AS since FROM slots WHERE state = 'booked'")
    assert sorted(row["use"] for row in taken) == ["collect", "loaner", "return", "work"] and all(
        row["since"] >= later.starts_at for row in taken
    )
    assert [leg["state"] for leg in await _legs(scene)] == ["planned", "planned"] and (await _legs(scene))[0][
        "starts_at"
    ] == later.starts_at
    assert {
        row["state"] for row in await scene.admin.fetch("SELECT state FROM promises WHERE due_at <= $1", visit.ready_by)
    } == {"moved"}
    await driver_notices.drives_once(scene.context)
    await scene.work()
    assert "your visit has another time" in (await scene.phone())[-1]
    queued = await scene.admin.fetch("SELECT kind, facts FROM messages WHERE state = 'queued'")
    assert {row["kind"] for row in queued} == {"reminder"}
    scene.clock.at = later.starts_at - timedelta(days=1)
    told = [text for text in await scene.staff_phone("driver") if "collect" in text]
    assert len(told) == 2, "the driver hears of each time once"
    scene.clock.at = visit.starts_at - 30 * MINUTE
    await scene.work()
    assert not [text for text in await scene.phone() if "a reminder" in text], (
        "the reminder of the old time is withdrawn"
    )


async def test_a_text_about_the_old_time_that_is_in_hand_already_is_not_true(scene: Scene, visit: Any) -> None:
    """What was queued is withdrawn; what a sender holds at this moment meets the same fact in the truth check."""
    reminder = await scene.admin.fetchval(
        "SELECT id FROM messages WHERE kind = 'reminder' AND state = 'queued' ORDER BY due_at LIMIT 1"
    )
    await scene.admin.execute(
        "UPDATE bookings SET starts_at = starts_at + interval '1 hour', ends_at = ends_at + interval '1 hour'"
    )
    scene.clock.at = visit.starts_at - 59 * MINUTE
    await scene.send_all()
    result = await scene.message(reminder)
    assert result["state"] == "cancelled" and "another time" in result["reason"]


async def test_a_time_that_is_taken_an_older_page_and_a_drive_under_way_are_refused_and_change_nothing(
    scene: Scene, visit: Any
) -> None:
    free = [
        option.window.starts_at
        for option in await acts.free_windows(scene.house, scene.dealer.id, BookingKind.PICKUP, count=9)
    ]
    with pytest.raises(Overtaken) as taken:
        await moving.move_to(_advisor(scene), visit.id, visit.starts_at.replace(hour=22))
    assert len(taken.value.windows) == 3, "three others of the same kind"
    with pytest.raises(Overtaken, match="another time"):
        await moving.move_to(_advisor(scene), visit.id, free[-1], was=free[0])
    await leg_acts.move(_advisor(scene), (await _legs(scene))[0]["id"], LegEvent.ON_THE_WAY)
    with pytest.raises(IllegalMove):
        await moving.move_to(_advisor(scene), visit.id, free[-1])
    assert await scene.admin.fetchval("SELECT starts_at FROM bookings") == visit.starts_at


async def test_a_later_promise_moves_the_return_and_its_owner_hears_both_times(scene: Scene, visit: Any) -> None:
    collect, back = await _legs(scene)
    for event in (LegEvent.ON_THE_WAY, LegEvent.COLLECTED, LegEvent.AT_WORKSHOP):
        scene.clock.at = visit.ends_at
        await leg_acts.move(_advisor(scene), collect["id"], event)
    assert (await _legs(scene))[1]["starts_at"] == back["starts_at"], "in time nothing moves"
    await messages.send_waiting(_advisor(scene), visit.id, "longer")
    await scene.send_all()
    assert "takes longer" in (await scene.phone())[-1] and "Ready by" not in (await scene.phone())[-1], (
        "the old time is not said again"
    )
    later = back["starts_at"] + 30 * MINUTE
    await acts.promise(_advisor(scene), visit.id, later)
    now = (await _legs(scene))[1]
    assert now["starts_at"] >= later and now["driver_id"] == back["driver_id"]
    await scene.send_all()
    assert "a new time" in (await scene.phone())[-1] and "Back with you" in (await scene.phone())[-1]
    await messages.send_waiting(_advisor(scene), visit.id, "longer")
    await scene.send_all()
    assert "Ready by" in (await scene.phone())[-1]


async def test_a_late_collection_moves_the_work_and_the_return_and_no_promise_of_them_breaks(
    scene: Scene, visit: Any
) -> None:
    collect, back = await _legs(scene)
    scene.clock.at = visit.ends_at + 90 * MINUTE
    for event in (LegEvent.ON_THE_WAY, LegEvent.COLLECTED, LegEvent.AT_WORKSHOP):
        await leg_acts.move(_advisor(scene), collect["id"], event)
    assert await scene.admin.fetchval("SELECT ready_by FROM bookings") > visit.ready_by
    assert (await _legs(scene))[1]["starts_at"] >= back["starts_at"] + 60 * MINUTE
    await lateness.promises_once(scene.context)
    await scene.send_all()
    assert any("a new time" in text for text in await scene.phone())
    assert {row["what"] for row in await scene.admin.fetch("SELECT what FROM promises WHERE state = 'broken'")} == {
        "collect"
    }


async def test_work_that_ends_after_the_return_should_have_begun_moves_it(scene: Scene, visit: Any) -> None:
    collect, back = await _legs(scene)
    scene.clock.at = visit.ends_at
    for event in (LegEvent.ON_THE_WAY, LegEvent.COLLECTED, LegEvent.AT_WORKSHOP):
        await leg_acts.move(_advisor(scene), collect["id"], event)
    scene.clock.at = back["starts_at"] + 40 * MINUTE
    await acts.finish(_advisor(scene), visit.id, "new tyre")
    assert (await _legs(scene))[1]["starts_at"] > back["starts_at"]
    await scene.send_all()
    assert "Back with you" in (await scene.phone())[-1]


async def _ready(scene: Any, visit: Any) -> Any:
    collect, _ = await _legs(scene)
    scene.clock.at = visit.ends_at
    for event in (LegEvent.ON_THE_WAY, LegEvent.COLLECTED, LegEvent.AT_WORKSHOP):
        await leg_acts.move(_advisor(scene), collect["id"], event)
    await acts.finish(_advisor(scene), visit.id, "new tyre")
    await driver_notices.drives_once(scene.context)
    await scene.work()
    return (await _legs(scene))[1]


async def test_the_desk_moves_the_return_of_a_car_that_is_ready(scene: Scene, visit: Any) -> None:
    back = await _ready(scene, visit)
    later = back["starts_at"] + 60 * MINUTE
    moved = await moving.move_to(_advisor(scene), visit.id, later, was=back["starts_at"])
    now = (await _legs(scene))[1]
    assert (moved.state.value, now["starts_at"], now["driver_id"]) == ("ready", later, back["driver_id"])
    rows = await scene.admin.fetch("SELECT due_at, state FROM promises WHERE what = 'return' ORDER BY id")
    assert [(row["due_at"], row["state"]) for row in rows][-2:] == [
        (back["ends_at"], "moved"),
        (now["ends_at"], "open"),
    ]
    assert (
        await scene.admin.fetchval("SELECT max(upper(during)) FROM slots WHERE use = 'loaner' AND state = 'booked'")
        >= now["ends_at"]
    )
    await driver_notices.drives_once(scene.context)
    await scene.work()
    assert "Back with you" in (await scene.phone())[-1] and "if that does not suit you" in (await scene.phone())[-1]
    assert len([text for text in await scene.staff_phone("driver") if "bring back" in text]) == 2, (
        "the driver hears of each time once"
    )


async def test_a_return_that_has_begun_another_page_and_a_time_without_a_driver_are_refused(
    scene: Scene, visit: Any
) -> None:
    back = await _ready(scene, visit)
    later = back["starts_at"] + 60 * MINUTE
    with pytest.raises(Overtaken, match="another time"):
        await moving.move_to(_advisor(scene), visit.id, later, was=later)
    with pytest.raises(Overtaken, match="no driver is free") as refused:
        await moving.move_to(_advisor(scene), visit.id, back["starts_at"].replace(hour=22))
    assert len(refused.value.windows) == 3
    await leg_acts.move(_advisor(scene), back["id"], LegEvent.ON_THE_WAY_BACK)
    with pytest.raises(IllegalMove):
        await moving.move_to(_advisor(scene), visit.id, later)


async def test_a_dealer_s_own_lead_times_are_heard(scene: Scene, visit: Any) -> None:
    await scene.admin.execute("UPDATE dealers SET late_warn_minutes = 50, late_tell_minutes = 40")
    scene.clock.at = visit.ends_at - 39 * MINUTE
    await lateness.promises_once(scene.context)
    await lateness.promises_once(scene.context)
    await scene.send_all()
    assert any("we will not make it to you by" in text for text in await scene.phone())
