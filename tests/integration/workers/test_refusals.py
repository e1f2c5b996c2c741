"""Whoever is refused a time hears three others of the same kind, and each of them is really free."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from actions import bookings as acts
from actions import labour, moving, offers
from actions.accounts import update_dealer
from schemas.alert import AlertState as A
from schemas.booking import BookingKind
from schemas.errors import BadInput, Overtaken
from schemas.operation import Skill

KINDS = [kind for kind in BookingKind if kind is not BookingKind.TOW]


def _desk(scene: Any) -> Any:
    return scene.house.acting(scene.dealer.id, "staff:1")


@pytest.fixture
async def ill(scene: Any, kind: BookingKind) -> Any:
    if kind is BookingKind.MOBILE_REPAIR:  # it takes a van, and somebody who knows the work
        await scene.admin.execute(
            "INSERT INTO resources (dealer_id, kind, name) VALUES ($1, 'van', 'Van 1')", scene.dealer.id
        )
        technician = scene.people["technician"].id
        await labour.set_skills(_desk(scene), technician, frozenset(Skill))
    if kind is BookingKind.SHUTTLE:  # a house has one when it says how many it takes
        await update_dealer(_desk(scene), {"day_limits": "shuttle 9"})
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    return (await scene.case())["id"]


def _starts(windows: tuple[str, ...]) -> list[datetime]:
    return [datetime.fromisoformat(window.split("/")[0]) for window in windows]


async def _all_free(scene: Any, kind: BookingKind, windows: tuple[str, ...]) -> None:
    free = {option.window.starts_at for option in await acts.free_windows(scene.house, scene.dealer.id, kind, count=40)}
    assert len(windows) == 3 and set(_starts(windows)) <= free


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("hours", "error"), [(-5, BadInput), (24 * 200, BadInput), (13, Overtaken)])
async def test_a_time_that_cannot_be_booked_is_answered_with_three_that_can(
    scene: Any, ill: int, kind: BookingKind, hours: int, error: Any
) -> None:
    with pytest.raises(error) as refused:
        await acts.book(_desk(scene), ill, kind, scene.clock() + timedelta(hours=hours))
    await _all_free(scene, kind, refused.value.windows)
    assert (await scene.case())["state"] == "open"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("hours", "error"), [(-5, BadInput), (13, Overtaken)])
async def test_a_visit_that_cannot_be_moved_there_is_answered_with_three_others(
    scene: Any, ill: int, kind: BookingKind, hours: int, error: Any
) -> None:
    first = (await acts.free_windows(scene.house, scene.dealer.id, kind))[5].window.starts_at
    visit = await acts.book(_desk(scene), ill, kind, first)
    with pytest.raises(error) as refused:
        await moving.move_to(_desk(scene), visit.id, scene.clock() + timedelta(hours=hours))
    await _all_free(scene, kind, refused.value.windows)


@pytest.mark.parametrize("kind", KINDS)
async def test_windows_that_are_gone_before_the_offer_is_sent_are_answered_with_three_others(
    scene: Any, ill: int, kind: BookingKind
) -> None:
    with pytest.raises(Overtaken) as refused:
        await offers.make(_desk(scene), ill, kind, [scene.clock() + timedelta(hours=13)])
    await _all_free(scene, kind, refused.value.windows)
