"""The workshop finds more: its owner hears it in one text, answers line by line or is rung, and nothing is finished
over their head.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from actions import bookings as acts
from actions import estimates
from schemas.alert import AlertState as A
from schemas.booking import BookingKind
from schemas.errors import BadInput, Overtaken
from schemas.verdict import Severity
from store import consents
from store.pool import transaction
from tests.integration.workers.conftest import Scene

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def at_work(scene: Scene) -> int:
    """A visit that is worked on; its owner reads English."""
    await scene.admin.execute("UPDATE owners SET language = 'en'")
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    window = (await acts.free_windows(scene.house, scene.dealer.id, BookingKind.DROP_OFF))[0]
    case = (await scene.case())["id"]
    visit = await acts.book(
        scene.house.acting(scene.dealer.id, "staff:1"), case, BookingKind.DROP_OFF, window.window.starts_at
    )
    scene.clock.at = visit.starts_at
    await acts.arrive(_desk(scene), visit.id)
    await acts.start(_desk(scene), visit.id)
    await scene.send_all()
    return visit.id


def _desk(scene: Scene) -> Any:
    return scene.house.acting(scene.dealer.id, "staff:1")


async def _later(scene: Scene, minutes: int) -> None:
    scene.clock.at += minutes * MINUTE
    await scene.work()
    await scene.send_all()


async def test_what_is_found_within_two_minutes_is_one_text_and_an_answer_frees_the_work(
    scene: Scene, at_work: int
) -> None:
    before = await scene.phone()
    pads = await estimates.add(_desk(scene), at_work, " Front  pads ", 18990, labour_minor=6000, urgency=Severity.SOON)
    fluid = await estimates.add(_desk(scene), at_work, "Brake fluid", 8950)
    assert pads.title == "Front pads" and pads.open
    await _later(scene, 1)
    assert await scene.phone() == before, "what else is found is part of the same text"
    await _later(scene, 1)
    [text] = (await scene.phone())[len(before) :]
    assert "we found more that should be done" in text and "/o/" in text and "STOP" not in text
    with pytest.raises(Overtaken, match="Front pads, Brake fluid"):
        await acts.finish(_desk(scene), at_work, "valve replaced")
    answers = [estimates.answer(_desk(scene), pads.id, n % 2 == 0, "on the telephone") for n in range(6)]
    told = await asyncio.gather(*answers, return_exceptions=True)
    assert sum(not isinstance(one, Overtaken) for one in told) == 1, "the first answer stands"
    await estimates.withdraw(_desk(scene), fluid.id, "it was fresh")
    with pytest.raises(Overtaken, match="withdrawn"):
        await estimates.answer(_desk(scene), fluid.id, True, "too late")
    await acts.finish(_desk(scene), at_work, "valve replaced")
    with pytest.raises(Overtaken):
        await estimates.answer(_desk(scene), fluid.id, True, "too late")
    await _later(scene, 40)
    assert not [one for one in await scene.staff_phone("advisor") if "not answered" in one]


async def test_a_text_that_was_answered_before_it_left_does_not_leave(scene: Scene, at_work: int) -> None:
    before = await scene.phone()
    line = await estimates.add(_desk(scene), at_work, "Front pads", 18990)
    await estimates.answer(_desk(scene), line.id, True, "they stood beside the car")
    await _later(scene, 3)
    assert await scene.phone() == before
    assert "answered" in await scene.admin.fetchval("SELECT reason FROM messages WHERE kind = 'extra_work'")


async def test_whoever_does_not_answer_is_rung_and_whoever_asks_for_it_at_once(scene: Scene, at_work: int) -> None:
    await estimates.add(_desk(scene), at_work, "Front pads", 18990)
    await _later(scene, 29)
    assert not [one for one in await scene.staff_phone("advisor") if "Front pads" in one]
    await _later(scene, 2)
    assert len([one for one in await scene.staff_phone("advisor") if "not answered about: Front pads" in one]) == 1
    await estimates.ring_me(scene.house.acting(scene.dealer.id, "owner"), at_work)
    await _later(scene, 0)
    assert len([one for one in await scene.staff_phone("advisor") if "want to talk about: Front pads" in one]) == 1


async def test_an_owner_who_gets_no_texts_is_rung(scene: Scene, at_work: int) -> None:
    async with transaction(scene.context.pool) as connection:
        owner = (await scene.case())["owner_id"]
        await consents.stop(connection, scene.dealer.id, owner, now=scene.clock(), wording="STOP")
    before = await scene.phone()
    await estimates.add(_desk(scene), at_work, "Front pads", 18990)
    await _later(scene, 31)
    assert await scene.phone() == before
    assert [one for one in await scene.staff_phone("advisor") if "Front pads" in one]


async def test_what_cannot_be_asked_is_refused_by_its_field(scene: Scene, at_work: int) -> None:
    for title, labour, field in ((" ", 0, "title"), ("Pads", 101, "labour_minor")):
        with pytest.raises(BadInput) as refused:
            await estimates.add(_desk(scene), at_work, title, 100, labour_minor=labour)
        assert refused.value.field == field
    assert await scene.admin.fetchval("SELECT count(*) FROM estimate_lines") == 0
