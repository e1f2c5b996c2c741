"""The health page: what machines ask a service, whatever the service is."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import aiohttp
import pytest

from monitoring import page
from monitoring.page import Address, HealthPage, State
from schemas.errors import Misconfigured


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


def a_page(live: list[str] | None = None, ready: State | None = None, **more: Any) -> HealthPage:
    async def state() -> State:
        return ready or State()

    return HealthPage("test", live=lambda: live or [], ready=state, **more)


@pytest.mark.parametrize("path", ["/health/live", "/healthz", "/health/ready", "/readyz"])
async def test_a_service_that_is_well_says_ok(path: str) -> None:
    async with a_page().open(Address()) as url:
        status, text = await get(url + path)
    assert (status, json.loads(text)) == (200, {"ok": True, "faults": []})


async def test_what_is_away_makes_it_not_ready_but_leaves_it_alive() -> None:
    async with a_page(ready=State(["the database is away"])).open(Address()) as url:
        assert (await get(url + "/health/live"))[0] == 200
        status, text = await get(url + "/health/ready")
    assert (status, json.loads(text)["faults"]) == (503, ["the database is away"])


async def test_what_hangs_is_not_alive() -> None:
    async with a_page(live=["the loop 'x' hangs"]).open(Address()) as url:
        status, text = await get(url + "/health/live")
    assert (status, json.loads(text)["faults"]) == (503, ["the loop 'x' hangs"])


async def test_words_beside_the_answer_change_nothing_about_it() -> None:
    async with a_page(ready=State(words=["catching up"])).open(Address()) as url:
        status, text = await get(url + "/health/ready")
    assert (status, json.loads(text)) == (200, {"ok": True, "faults": [], "words": ["catching up"]})


async def test_metrics_come_also_when_what_must_be_asked_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "LOOK_S", 0.05)
    never = asyncio.Event()

    async def look() -> None:
        await never.wait()

    async with a_page(look=look).open(Address()) as url:
        _, first = await get(url + "/metrics")
        status, text = await get(url + "/metrics")
    assert status == 200
    assert 'telltale_service_info{service="test"} 1.0' in text
    assert _value(text, "telltale_metrics_incomplete_total") == _value(first, "telltale_metrics_incomplete_total") + 1


async def test_nothing_else_is_there() -> None:
    async with a_page().open(Address()) as url:
        assert (await get(url + "/"))[0] == 404


async def test_a_usual_port_that_is_taken_gives_way_and_one_that_was_asked_for_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        async with a_page().open(Address(port=port, usual=True)) as url:
            assert not url.endswith(f":{port}")
            assert (await get(url + "/health/live"))[0] == 200
        with pytest.raises(Misconfigured, match=f"TELLTALE_HEALTH_PORT.*{port}"):
            async with a_page().open(Address(port=port)):
                pass


def _value(text: str, name: str) -> float:
    return float(next(line for line in text.splitlines() if line.startswith(name + " ")).split()[1])
