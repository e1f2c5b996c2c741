"""The conversation as people read it: both ways, in order, with what became of each text."""

from __future__ import annotations

from typing import Any

from store import consents, threads
from store.pool import transaction
from tests.integration.workers.conftest import Scene


async def lines(scene: Any) -> list[tuple[str, str, str, str | None]]:
    async with transaction(scene.worker) as connection:
        thread_id = await threads.of_owner(connection, scene.dealer.id, scene.owner.id)
        return [
            (line.direction.value, line.body, line.state, line.reason)
            for line in await threads.lines(connection, scene.dealer.id, thread_id)
        ]


async def test_a_conversation_reads_in_the_order_in_which_it_was_held(scene: Scene) -> None:
    await scene.queue(body="hello")
    await scene.send_all()
    scene.clock.on(minutes=1)
    await scene.says("who is this?")
    scene.clock.on(minutes=1)
    await scene.queue(body="it is us")
    await scene.send_all()
    found = [(way, body) for way, body, _, _ in await lines(scene) if "Mensch" not in body]
    assert found == [("out", "hello"), ("in", "who is this?"), ("out", "it is us")]


async def test_a_text_that_did_not_go_says_why(scene: Scene) -> None:
    await scene.queue(body="not for you")
    async with transaction(scene.worker) as connection:
        await consents.stop(
            connection, scene.dealer.id, scene.owner.id, now=scene.clock(), wording="by telephone", source="desk"
        )
    await scene.send_all()
    assert await lines(scene) == [("out", "not for you", "cancelled", "not allowed: the owner said STOP")]


async def test_unread_words_wait_for_a_person_and_strangers_have_a_list_of_their_own(scene: Scene) -> None:
    await scene.says("There is a smell")
    await scene.says("Do you fix bicycles?", number="+4900001")
    desk = scene.people["advisor"].id
    async with transaction(scene.worker) as connection:
        [waiting] = await threads.unread(connection, scene.dealer.id)
        assert (waiting["body"], waiting["owner_id"]) == ("There is a smell", scene.owner.id)
        await threads.mark_read(connection, scene.dealer.id, waiting["thread_id"], desk, scene.clock())
        assert await threads.unread(connection, scene.dealer.id) == []
        [stranger] = await threads.strangers(connection, scene.dealer.id)
        assert stranger["from_address"] == "+4900001"
        await threads.mark_stranger_read(connection, scene.dealer.id, stranger["id"], desk, scene.clock())
        assert await threads.strangers(connection, scene.dealer.id) == []


async def test_consent_keeps_its_whole_trail(scene: Scene) -> None:
    await scene.says("STOP")
    await scene.says("START")
    async with transaction(scene.worker) as connection:
        trail = await consents.trail(connection, scene.dealer.id, scene.owner.id)
    assert [(one_text.given, one_text.source) for one_text in trail if one_text.purpose == "service"] == [
        (True, "test"),
        (False, "STOP by text"),
        (True, "START by text"),
    ]
