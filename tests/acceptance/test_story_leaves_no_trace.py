"""The whole story, and then what it left behind in logs and metrics: nothing about a person, nothing that opens a door,
no VIN.
"""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from proofs.playing import set_scene
from proofs.story import STEPS, play
from telltale import demo_data
from telltale.demo import Demo
from telltale.settings import Settings

_LINK = re.compile(r"/(?:o|d|f|p)/([\w-]{16,})")


async def canaries(demo: Demo) -> dict[str, str]:
    """Whatever must stand nowhere -> what it is."""
    found = {demo_data.PASSWORD: "a password", demo.settings.key: "the secret"}
    for person in demo.cast.people:
        found |= {person.name: "staff", person.email: "staff", person.phone: "staff"}
    for owner in demo.cast.owners:
        found |= {
            owner.name: "owner",
            owner.phone: "owner",
            owner.address: "owner",
            owner.vin: "vin",
            owner.plate: "plate",
        }
        found[demo_data.secret_of(demo.settings.key, owner.vin)] = "a car's secret"
    connection = await asyncpg.connect(demo.database_url)
    try:
        for row in await connection.fetch(
            "SELECT body FROM messages UNION SELECT body FROM replies WHERE length(body) > 10"
        ):
            found[row["body"].splitlines()[0]] = "a text"
            found |= dict.fromkeys(_LINK.findall(row["body"]), "a link")
    finally:
        await connection.close()
    return found


def seen_in(logs: dict[str, str], secret: dict[str, str]) -> set[tuple[str, str, str]]:
    return {(name, what, canary) for name, text in logs.items() for canary, what in secret.items() if canary in text}


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_neither_logs_nor_metrics_of_the_story_know_anybody(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLTALE_LOG_LEVEL", "debug")
    settings = Settings.read(home=home / "story", demo_sign_ins=True)
    logs: dict[str, str] = {}
    async with Demo(settings, tell=lambda line: None) as demo, contextlib.AsyncExitStack() as parts:
        scene = await set_scene(demo, 1, parts)
        facts = await play(scene, STEPS, lambda line: None)
        assert facts["ok"], facts["steps"][-1]
        secret = await canaries(demo)
        async with aiohttp.ClientSession() as session:
            for name, service in demo._supervisor.services.items():
                if "health" in service.facts:
                    async with session.get(service.facts["health"] + "/metrics") as response:
                        logs[f"metrics of {name}"] = await response.text()
        for path in [
            *(settings.home / "logs").glob("*.log"),
            *settings.home.glob("broker/*.log"),
            *settings.home.glob("**/*postgres*.log*"),
        ]:
            logs[path.name] = path.read_text(errors="replace")
    assert {
        "gateway.log",
        "workers.log",
        "dealer-api.log",
        "metrics of gateway",
        "metrics of workers",
        "metrics of dealer-api",
    } <= set(logs)
    assert sum(what == "a link" for what in secret.values()) >= 2
    assert seen_in(logs, secret) == set()
    for canary in secret:  # the search itself sees each of them
        assert seen_in({"a log": f'{{"event": "x {canary} y"}}'}, secret)
    _each_request_has_its_line(logs["dealer-api.log"])
    _and_the_numbers_are_true(logs, facts)


def _each_request_has_its_line(log: str) -> None:
    requests = [line for line in map(json.loads, log.splitlines()) if line["event"] == "request"]
    assert {"POST /api/v1/cases/{id}/acknowledge", "GET /api/v1/cases/{id}"} <= {
        f"{line['method']} {line['route']}" for line in requests
    }
    assert all(line["request"] and line["ms"] >= 0 and line["service"] == "dealer-api" for line in requests)


def _and_the_numbers_are_true(logs: dict[str, str], facts: dict[str, Any]) -> None:
    def value(service: str, sample: str) -> float:
        return sum(
            float(line.rpartition(" ")[2])
            for line in logs[f"metrics of {service}"].splitlines()
            if line.startswith(sample)
        )

    assert value("gateway", "telltale_gateway_messages_total") > 100
    assert value("gateway", 'telltale_gateway_alert_steps_total{rule="tyre_leak",stage="live",state="active"}') >= 1
    assert value("workers", "telltale_workers_messages_sent_total") >= 11
    assert value("workers", 'telltale_workers_work_total{outcome="done",topic="alert"}') >= 1
    assert value("dealer-api", "telltale_api_requests_total") > 20
