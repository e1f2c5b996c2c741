"""How long a driver needs to get there: estimated when a drive is agreed, then as the road service says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from actions import accounts as house
from actions import bookings as acts
from actions import owners
from providers.roads.asking import Roads, RoadsFailed, Seconds
from schemas.alert import AlertState as A
from schemas.booking import BookingKind
from schemas.place import Place
from workers.travelling import travelling_once


class Service:
    """Twenty minutes and a second from anywhere to anywhere, while it answers; HTTP is tested with the providers."""

    name = "osrm"

    def __init__(self) -> None:
        self.asked, self.broken, self.island = 0, False, False

    async def block(
        self, session: aiohttp.ClientSession, sources: Sequence[Place], targets: Sequence[Place]
    ) -> Seconds:
        self.asked += 1
        if self.broken:
            raise RoadsFailed("no answer")
        return [[None if self.island else 1_201 for _ in targets] for _ in sources]


@pytest.fixture
async def road(scene: Any) -> Any:
    desk = scene.house.acting(scene.dealer.id, "staff:1")
    await house.update_dealer(desk, {"place": "52.52, 13.405"})
    await owners.update(desk, scene.owner.id, {"place": "52.53, 13.43"})
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    window = (await acts.free_windows(scene.house, scene.dealer.id, BookingKind.PICKUP))[4].window
    await acts.book(desk, (await scene.case())["id"], BookingKind.PICKUP, window.starts_at)
    service = Service()
    roads = Roads(service)
    yield service, replace(scene.context, roads=roads)
    await roads.close()


async def _said(scene: Any) -> set[tuple[int | None, str | None]]:
    return {(row["travel_minutes"], row["travel_by"]) for row in await scene.admin.fetch("SELECT * FROM legs")}


async def test_the_road_services_word_replaces_the_estimate_once(scene: Any, road: Any) -> None:
    service, context = road
    assert {by for _, by in await _said(scene)} == {"estimate"}
    assert await travelling_once(context) == 2 and await _said(scene) == {(21, "osrm")}
    assert await travelling_once(context) == 0 and service.asked == 1


async def test_while_it_does_not_answer_the_estimate_stands_and_it_is_asked_again(scene: Any, road: Any) -> None:
    service, context = road
    before, service.broken = await _said(scene), True
    assert await travelling_once(context) == 0 and await _said(scene) == before
    service.broken = False
    assert await travelling_once(context) == 2 and await _said(scene) == {(21, "osrm")}


async def test_where_no_road_leads_nobody_guesses(scene: Any, road: Any) -> None:
    service, context = road
    service.island = True
    await travelling_once(context)
    assert await _said(scene) == {(None, "osrm")}


async def test_a_house_that_has_moved_is_reckoned_from_anew_without_any_service(scene: Any, road: Any) -> None:
    desk = scene.house.acting(scene.dealer.id, "staff:1")
    await house.update_dealer(desk, {"place": "52.40, 13.00"})
    assert await _said(scene) == {(None, None)}
    await travelling_once(scene.context)
    (minutes, by), *others = await _said(scene)
    assert by == "estimate" and (minutes or 0) > 20 and not others
