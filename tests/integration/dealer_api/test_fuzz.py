"""Requests made up from our own description: nothing in them is our bug, and every answer is as described."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from dealer_api import running
from dealer_api.openapi import document
from dealer_api.routes import API
from rules.service.wording import Wording
from schemas.scope import SCOPES
from store import accounts, secrets
from store.pool import open_pool, transaction
from telltale import data
from tests.conftest import Database

_LEFT_OUT = ("post_session", "delete_session")  # one is slow on purpose, the other needs a cookie


class Served:
    """The desk on a loop of its own, because the made-up requests come from a thread that waits."""

    def __init__(self, database: Any) -> None:
        self.url = ""
        self._database, self._ready = database, threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._ready.wait(20), "the desk did not come up"

    def _serve(self) -> None:
        self._task = self._loop.create_task(
            running.run(
                desk_url=self._database.role("desk"),
                owner_url=self._database.role("owner_page"),
                clock=lambda: datetime.now(UTC),
                wording=Wording(data.texts()),
                secret=self._database.secret,
                profiles=data.profiles(),
                ready=self._is_ready,
            )
        )
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        finally:
            self._loop.close()

    def _is_ready(self, **facts: Any) -> None:
        self.url = facts["url"]
        self._ready.set()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(20)


@pytest.fixture
def served(database: Database) -> Iterator[Served]:
    made = Served(database)
    yield made
    made.stop()


async def _key(database: Any) -> str:
    pool = await open_pool(database.role("office"), name="fuzz", size=1)
    async with transaction(pool) as connection:
        now = datetime.now(UTC)
        dealer = await accounts.create_dealer(
            connection,
            name="Fuzz",
            zone="Europe/Berlin",
            country="DE",
            phone="+4930",
            address="a",
            opening_hours="24/7",
            language="en",
            now=now,
        )
        for n in range(3):
            await accounts.add_resource(connection, dealer.id, "bay", f"Bay {n}")
        key = await secrets.make(connection, dealer.id, "api_key", now=now, label="fuzz", scopes=SCOPES)
    await pool.close()
    return key


@pytest.mark.slow
async def test_no_made_up_request_finds_a_bug_or_an_answer_that_is_not_described(database: Database, served):
    key = await _key(database)
    await asyncio.to_thread(_try_everything, served.url, key)


def _try_everything(url: str, key: str) -> None:
    schema = schemathesis.openapi.from_dict(document(API))
    schema.config.update(base_url=url)
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.definition.raw["operationId"] in _LEFT_OUT:
            continue

        @hypothesis.given(case=operation.as_strategy())
        @settings(
            max_examples=3, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        def ask(case: Any) -> None:
            nonlocal tried
            tried += 1
            answer = case.call(headers={"Authorization": f"Bearer {key}"}, timeout=20)
            assert answer.status_code < 500, (case.method, case.formatted_path, case.body, answer.text)
            if answer.status_code < 300:
                case.operation.validate_response(answer)

        ask()
    assert tried > 150
