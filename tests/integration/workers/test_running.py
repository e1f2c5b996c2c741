"""The running service: bells wake it, a lost database is waited for, and it ends when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import aiohttp
import pytest

from rules.service.wording import Wording
from schemas.alert import AlertState as A
from telltale import data
from tests.integration.workers.conftest import Scene
from tests.patience import PATIENCE_S
from workers import running, sweeping
from workers.health import Health


@pytest.fixture
async def service(scene: Scene) -> AsyncIterator[asyncio.Task[None]]:
    ready, facts = asyncio.Event(), dict[str, Any]()
    task = asyncio.create_task(
        running.run(
            database_url=scene.worker_url,
            clock=scene.clock,
            wording=Wording(data.texts()),
            desk_url="http://desk.example",
            time_lapse=True,
            ready=lambda **phrase: (facts.update(phrase), ready.set()),
        )
    )
    await asyncio.wait_for(ready.wait(), PATIENCE_S)
    task.facts = facts  # type: ignore[attr-defined]
    yield task
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait_for(task, PATIENCE_S)


async def until(look: Callable[[], Any], seconds: float = PATIENCE_S) -> Any:
    async with asyncio.timeout(seconds):
        while not (found := await look()):
            await asyncio.sleep(0.02)
        return found


async def test_an_alert_becomes_a_case_and_a_notice_without_anybody_asking(
    scene: Scene, service: asyncio.Task[None]
) -> None:
    await scene.alert(A.PENDING, A.ACTIVE)
    [told] = await until(lambda: scene.staff_phone("advisor"))
    assert "VW Golf" in told
    await scene.queue(body="hello")
    assert await until(scene.phone) == ["hello"]


async def test_cut_connections_are_made_anew_and_nothing_is_lost_or_sent_twice(
    scene: Scene, service: asyncio.Task[None]
) -> None:
    for n in range(5):
        await scene.queue(body=str(n))
        await scene.admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name LIKE 'telltale-workers%'"
        )
    scene_texts = await until(
        lambda: _all(scene, 5), 120
    )  # each cut may leave a claim, and the grace of a claim is not short
    assert sorted(scene_texts) == ["0", "1", "2", "3", "4"]
    assert not service.done()


async def test_workers_whose_clock_is_wrong_text_nobody_and_forget_nothing_until_it_is_right(scene: Scene) -> None:
    """What time alone makes due cannot be taken back: a text, an offer that has expired, a key that is forgotten."""
    real = datetime.now(UTC)
    scene.clock.at = real
    noon_now = f"Etc/GMT{real.hour - 12:+d}"  # the owner sits where no hour of this test's day is quiet
    await scene.admin.execute("UPDATE owners SET zone = $1", noon_now)
    await scene.queue(body="not before its time")
    await scene.admin.execute(
        "INSERT INTO idempotency (dealer_id, caller, key, request_hash, status, body, at) "
        "VALUES ($1, 'x', 'k', '', 201, '', $2)",
        scene.dealer.id,
        real,
    )
    off, ready, facts = timedelta(days=500), asyncio.Event(), dict[str, Any]()
    task = asyncio.create_task(
        running.run(
            database_url=scene.worker_url,
            clock=lambda: datetime.now(UTC) + off,
            wording=Wording(data.texts()),
            desk_url="http://desk.example",
            ready=lambda **phrase: (facts.update(phrase), ready.set()),
        )
    )
    try:
        await asyncio.wait_for(ready.wait(), PATIENCE_S)
        status, phrase = await until(lambda: _says(facts["health"], "500 days ahead"))
        assert status == 503
        assert await scene.phone() == [] and await scene.admin.fetchval("SELECT count(*) FROM idempotency") == 1
        off = timedelta(0)
        assert await until(scene.phone) == ["not before its time"]
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, PATIENCE_S)


async def _says(url: str, words: str) -> tuple[int, str] | None:
    status, result = await ask(f"{url}/health/ready")
    return (status, result) if words in result else None


async def test_a_key_is_forgotten_a_month_after_by_every_clock(scene: Scene) -> None:
    now = scene.clock()
    for key, ago in (("old", 40), ("young", 5), ("new", 0)):
        await scene.admin.execute(
            "INSERT INTO idempotency (dealer_id, caller, key, request_hash, status, body, at) "
            "VALUES ($1, 'x', $2, '', 201, '', $3)",
            scene.dealer.id,
            key,
            now - timedelta(days=ago),
        )
    scene.clock.at = now + timedelta(days=500)
    await sweeping.forget_once(scene.context)
    assert {row["key"] for row in await scene.admin.fetch("SELECT key FROM idempotency")} == {"young", "new"}
    scene.clock.at = now
    await sweeping.forget_once(scene.context)
    assert {row["key"] for row in await scene.admin.fetch("SELECT key FROM idempotency")} == {"young", "new"}


async def _all(scene: Any, count: int) -> list[str]:
    texts: list[str] = await scene.phone()
    return texts if len(texts) >= count else []


async def ask(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


async def scrape(url: str) -> dict[str, float]:
    text = (await ask(f"{url}/metrics"))[1]
    return {
        key: float(value)
        for key, _, value in (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    }


async def test_workers_say_how_they_are_and_what_waits(scene: Scene, service: Any) -> None:
    url = service.facts["health"]
    assert (await ask(f"{url}/health/live"))[0] == (await ask(f"{url}/health/ready"))[0] == 200
    before = await scrape(url)
    await scene.alert(A.PENDING, A.ACTIVE)
    await until(lambda: scene.staff_phone("advisor"))
    late = scene.clock() - timedelta(hours=2)
    await scene.admin.execute(  # a topic that no worker knows stays where it is
        "INSERT INTO wakeups (dealer_id, topic, subject_id, payload, due_at) VALUES ($1, 'unheard-of', 1, '{}', $2)",
        scene.dealer.id,
        late,
    )

    async def counted() -> bool:
        now = await scrape(url)
        return (
            now.get('telltale_workers_wakeups_oldest_due_seconds{topic="unheard-of"}') == 7200
            and now['telltale_workers_wakeups_due{topic="unheard-of"}'] == 1
            and _more(now, before, 'telltale_workers_work_total{outcome="done",topic="alert"}') == 1
            and _more(now, before, 'telltale_workers_messages_sent_total{channel="phone"}') >= 1
            and _more(now, before, 'telltale_workers_provider_seconds_count{channel="phone"}') >= 1
        )

    await until(counted)
    found = await scrape(url)
    assert found['telltale_cases_open{severity="soon",state="open"}'] == 1
    assert found["telltale_database_up"] == 1
    assert found['telltale_database_connections{application="workers"}'] >= 1
    assert found["telltale_database_connections_limit"] > 10
    assert found["telltale_database_size_bytes"] > 1_000_000
    assert found["telltale_database_readings_partitions"] >= 0
    assert any(name.startswith('telltale_workers_loop_last_turn_timestamp_seconds{loop="sender 0"}') for name in found)


async def test_workers_without_their_bell_are_not_ready_but_alive(scene: Scene, service: Any) -> None:
    url = service.facts["health"]
    stop = asyncio.Event()

    async def cut() -> None:
        while not stop.is_set():
            await scene.admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND application_name = 'telltale-workers-bell'"
            )
            await asyncio.sleep(0.01)

    cutting = asyncio.create_task(cut())

    async def deaf() -> bool:
        status, text = await ask(f"{url}/health/ready")
        return status == 503 and "the bell is not heard" in text

    await until(deaf)
    assert (await ask(f"{url}/health/live"))[0] == 200
    stop.set()
    await cutting

    async def well() -> bool:
        return (await ask(f"{url}/health/ready"))[0] == 200

    await until(well)


async def test_a_loop_that_hangs_is_not_alive_and_one_that_only_fails_is() -> None:
    health = Health(cast(Any, None), cast(Any, None), lambda: datetime.now(UTC))
    health.turned("sender 0", "failed", 0)
    assert health.stuck() == []
    health.turned("sender 0", "worked", -700)
    assert "sender 0" in health.stuck()[0]


def _more(now: dict[str, float], before: dict[str, float], name: str) -> float:
    return now.get(name, 0) - before.get(name, 0)
