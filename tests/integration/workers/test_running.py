"""The running service: bells wake it, a lost database is waited for, and it ends when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from rules.wording import Wording
from schemas.alert import AlertState as A
from telltale import data
from workers import running


@pytest.fixture
async def service(scene: Any) -> AsyncIterator[asyncio.Task[None]]:
    ready = asyncio.Event()
    task = asyncio.create_task(
        running.run(
            database_url=scene.worker_url, clock=scene.clock, wording=Wording(data.texts()), desk_url="http://desk.example", time_lapse=True,
            ready=lambda **facts: ready.set(),
        )
    )  # fmt: skip
    await asyncio.wait_for(ready.wait(), 30)
    yield task
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait_for(task, 15)


async def until(look: Callable[[], Any], seconds: float = 30.0) -> Any:
    async with asyncio.timeout(seconds):
        while not (found := await look()):
            await asyncio.sleep(0.02)
        return found


async def test_an_alert_becomes_a_case_and_a_notice_without_anybody_asking(scene: Any, service: asyncio.Task[None]) -> None:
    await scene.alert(A.PENDING, A.ACTIVE)
    [told] = await until(lambda: scene.staff_phone("advisor"))
    assert "VW Golf" in told
    await scene.queue(body="hello")
    assert await until(scene.phone) == ["hello"]


async def test_cut_connections_are_made_anew_and_nothing_is_lost_or_sent_twice(scene: Any, service: asyncio.Task[None]) -> None:
    for n in range(5):
        await scene.queue(body=str(n))
        await scene.admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'telltale-workers%'"
        )
    scene_texts = await until(lambda: _all(scene, 5), 120)  # each cut may leave a claim, and the grace of a claim is not short
    assert sorted(scene_texts) == ["0", "1", "2", "3", "4"]
    assert not service.done()


async def _all(scene: Any, count: int) -> list[str]:
    texts: list[str] = await scene.phone()
    return texts if len(texts) >= count else []
