"""Open pages hear of their own dealer's changes, of nobody else's, and again after a lost connection."""

from __future__ import annotations

import asyncio

import pytest

from dealer_api.app_keys import LIVE
from dealer_api.live import AGAIN
from store import notifications
from tests.integration.dealer_api.conftest import Desk
from tests.patience import PATIENCE_S

OWNER = {"name": "Anna", "phone": "+491701111001"}


async def _next(changes, *nouns):
    async for change in changes:
        if change is not None and change["noun"] in nouns:
            return change
    return None


async def test_a_page_hears_what_its_dealer_does_and_nothing_else(desk: Desk):
    live = desk.app[LIVE]
    await asyncio.wait_for(live.listening.wait(), PATIENCE_S)
    with live.subscribed(desk.dealer.id) as page:
        await desk.post(await desk.as_role("advisor", desk.other), "/api/v1/owners", OWNER)
        made = await desk.post(await desk.as_role("advisor"), "/api/v1/owners", OWNER)
        heard = await asyncio.wait_for(page.get(), PATIENCE_S)
        assert heard == {"noun": "owner", "id": made["id"]}


async def test_the_stream_carries_one_event_per_change_named_by_its_noun(desk: Desk):
    await asyncio.wait_for(desk.app[LIVE].listening.wait(), PATIENCE_S)
    advisor = await desk.as_role("advisor")
    async with advisor.get("/events") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        made = await desk.post(advisor, "/api/v1/owners", OWNER)
        lines = []
        while not lines or not lines[-1].startswith("data:"):
            lines.append((await asyncio.wait_for(stream.content.readline(), PATIENCE_S)).decode().strip())
        assert lines[-2:] == ["event: owner", f'data: {{"noun": "owner", "id": {made["id"]}}}']


async def test_after_the_bells_connection_was_cut_every_page_is_told_to_look_again(desk: Desk):
    live = desk.app[LIVE]
    await asyncio.wait_for(live.listening.wait(), PATIENCE_S)
    with live.subscribed(desk.dealer.id) as page:
        await desk.admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'telltale-desk-bell' "
            "AND datname = current_database()"
        )
        assert await asyncio.wait_for(page.get(), PATIENCE_S) == AGAIN
        await asyncio.wait_for(live.listening.wait(), PATIENCE_S)
        await desk.post(await desk.as_role("advisor"), "/api/v1/owners", OWNER)
        assert (await asyncio.wait_for(page.get(), PATIENCE_S))["noun"] == "owner"


async def test_a_bell_that_is_cut_before_anybody_listens_is_opened_again(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    live, listen = desk.app[LIVE], notifications.listen
    await asyncio.wait_for(live.listening.wait(), PATIENCE_S)

    async def cut(connection, *given):
        monkeypatch.undo()
        await desk.admin.execute("SELECT pg_terminate_backend($1, 5000)", connection.get_server_pid())
        await listen(connection, *given)

    monkeypatch.setattr(notifications, "listen", cut)
    live.listening.clear()
    await desk.admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'telltale-desk-bell' "
        "AND datname = current_database()"
    )
    await asyncio.wait_for(live.listening.wait(), PATIENCE_S)
    assert notifications.listen is listen, "it was cut"


async def test_a_page_that_reads_too_slowly_is_told_to_look_at_everything(desk: Desk):
    live = desk.app[LIVE]
    with live.subscribed(desk.dealer.id) as page:
        for n in range(500):
            live._heard({"dealer": desk.dealer.id, "noun": "case", "id": n})
        found = [page.get_nowait() for _ in range(page.qsize())]
        assert len(found) <= 200 and AGAIN in found


async def test_when_the_desk_closes_open_streams_end_at_once(desk: Desk):
    live = desk.app[LIVE]
    await asyncio.wait_for(live.listening.wait(), PATIENCE_S)
    advisor = await desk.as_role("advisor")
    async with advisor.get("/events") as stream:
        await stream.content.readline()
        live.end()
        await asyncio.wait_for(stream.content.read(), PATIENCE_S)
