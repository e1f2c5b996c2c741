"""One question, answered once."""

from __future__ import annotations

import asyncio
from typing import Any

from store import feedback
from store.pool import transaction
from tests.integration.dealer_api.owner.conftest import World


async def asked(world: Any) -> str:
    async with transaction(world.desk.house.pool, world.dealer_id) as connection:
        await feedback.ask(connection, world.dealer_id, world.case.id, world.owner_id, world.desk.clock())
    return str(await world.secret("feedback", world.case.id, owner_id=world.owner_id))


async def test_the_first_answer_stands_whoever_presses_again(world: World) -> None:
    path = await asked(world)
    assert "How was it?" in await world.get(path)
    await asyncio.gather(*(world.post(path, score=1 + n % 5, words="quick and kind") for n in range(20)))
    row = await world.desk.admin.fetchrow("SELECT score, words FROM feedback")
    page = await world.get(path)
    assert f"You gave {row['score']} of 5" in page and row["words"] == "quick and kind"


async def test_what_is_no_score_is_refused_and_may_be_tried_again(world: World) -> None:
    path = await asked(world)
    for score in ("", "0", "6", "five", "٥"):
        assert await world.post(path, score=score) == f"{path}?note=changed"
    assert await world.desk.admin.fetchval("SELECT score FROM feedback") is None


async def test_a_link_without_a_question_opens_nothing(world: World) -> None:
    await world.get(await world.secret("feedback", world.case.id, owner_id=world.owner_id), 404)


async def test_looking_at_the_question_changes_nothing(world: World) -> None:
    path = await asked(world)
    before = await world.rows()
    await asyncio.gather(*(world.web.get(path) for _ in range(50)))
    assert await world.rows() == before
