"""The demo as a newcomer meets it: one command, one home, everything gone afterwards, everything there again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from telltale.embedded.postgres import EmbeddedPostgres
from telltale.embedded.process import alive, command_line, free_port
from telltale.settings import PLAIN, PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0


class Running:
    """`telltale demo` on a home of the test's own."""

    def __init__(self, home: Path, *arguments: str, **settings: str) -> None:
        self.home = home
        self.process = start(home, "demo", *arguments, **settings)

    def addresses(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            if (self.home / "demo.json").exists():
                try:
                    body: dict[str, Any] = json.loads((self.home / "demo.json").read_text())
                except ValueError:  # half written
                    body = {}
                if body.get("pid") == self.process.pid:
                    return body
            time.sleep(0.05)
        self.process.kill()
        raise AssertionError(f"the demo did not come up: {self.process.communicate()[1]}")

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=20)
        return self.process.returncode


def start(home: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    known = {PLAIN.get(name, PREFIX + name.upper()) for name in Settings.model_fields}
    environment = {**{name: value for name, value in os.environ.items() if name not in known}, **settings}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "telltale", *arguments],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        env={"TELLTALE_HOME": str(home), **environment, "PYTHONPATH": str(ROOT)},
    )


def somebody_listens(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"nobody came to listen at {port}")


def descendants_of(home: Path) -> list[str]:
    """Everything that still runs on behalf of this home."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and alive(int(entry.name)):
            try:
                environment = (entry / "environ").read_bytes().decode(errors="replace")
            except OSError:
                environment = ""
            words = command_line(int(entry.name))
            if f"TELLTALE_HOME={home}\0" in environment or str(home) in words:
                found.append(words)
    return found


@pytest.fixture
def demo(home: Path) -> Iterator[Running]:
    running = Running(home)
    yield running
    if running.process.poll() is None:
        running.end(signal.SIGTERM)


def get(url: str) -> tuple[int, str]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.status, answer.read().decode()


def secrets_in(home: Path) -> dict[str, list[Path]]:
    """Every secret of this home -> the files in which it stands."""
    broker = json.loads((home / "broker" / "broker.json").read_text())
    known = {
        (home / name).read_text().strip() for name in ("secret", "postgres.secret") if (home / name).exists()
    } | set(broker.values())
    found: dict[str, list[Path]] = {secret: [] for secret in known}
    for folder, _, names in os.walk(
        home
    ):  # the house is alive: its broker drops blocks, and folders, that everybody has read
        for path in (Path(folder, name) for name in names if "pgdata" not in Path(folder).parts):
            with contextlib.suppress(FileNotFoundError):
                result = path.read_bytes() if path.is_file() else b""
                for secret in known:
                    if secret.encode() in result:
                        found[secret].append(path)
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_secret_stands_on_a_command_line_in_a_log_or_in_a_file_of_everybodys(demo: Running, home: Path) -> None:
    demo.addresses()
    found = secrets_in(home)
    lines = descendants_of(home)
    assert len(lines) >= 5 and len(found) >= 5
    for secret, files in found.items():
        assert not [line for line in lines if secret in line]
        assert files and not [path for path in files if path.stat().st_mode & 0o077 or "logs" in path.parts]
    assert {(home / name).stat().st_mode & 0o777 for name in ("logs", "spools", "broker")} == {0o700}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_serves_refuses_a_second_one_ends_without_a_trace_and_goes_on(demo: Running, home: Path) -> None:
    addresses = demo.addresses()
    assert get(addresses["url"] + "/sign-in")[0] == 200
    assert "paths" in json.loads(get(addresses["url"] + "/api/v1/openapi.json")[1])

    second = start(home, "demo")
    _, result = second.communicate(timeout=PATIENCE)
    assert second.returncode == 2
    assert f"in use by another telltale (process {demo.process.pid})" in result
    assert len(result.strip().splitlines()) == 1

    assert demo.end() == 130
    assert descendants_of(home) == []
    assert not (home / "demo.json").exists()

    again = Running(home)
    try:
        assert get(again.addresses()["url"] + "/sign-in")[0] == 200
    finally:
        again.end(signal.SIGTERM)
    assert descendants_of(home) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_survives_a_kill_9_and_the_next_start_works(demo: Running, home: Path) -> None:
    demo.addresses()
    demo.end(signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while descendants_of(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert descendants_of(home) == []
    again = Running(home)
    try:
        again.addresses()
    finally:
        again.end()


@pytest.mark.parametrize(
    "arguments, settings, text",
    [
        (
            ("--fresh",),
            {"DATABASE_URL": "postgresql://u:p@127.0.0.1:1/x"},
            "--fresh only forgets what lies in the home",
        ),
        ((), {"TELLTALE_DESK_HOST": "0.0.0.0"}, "TELLTALE_DESK_HOST: demo sign-ins are open to everyone"),
        ((), {"DATABASE_URL": "postgresql://u:p@127.0.0.1:1/x"}, "DATABASE_URL"),
        ((), {"MQTT_URL": "mqtt://127.0.0.1:1"}, "MQTT_URL: no broker answers at 127.0.0.1:1"),
        ((), {"TELLTALE_HOME": "/proc/nowhere"}, "TELLTALE_HOME: /proc/nowhere cannot be used"),
        ((), {"TELLTALE_HOUSE": "here"}, "TELLTALE_HOUSE: there is no such setting"),
    ],
)
def test_what_cannot_work_is_one_clear_line(
    home: Path, arguments: tuple[str, ...], settings: dict[str, str], text: str
) -> None:
    process = start(home, "demo", *arguments, **settings)
    _, words = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert text in words
    assert len(words.strip().splitlines()) == 1


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_database_and_a_broker_of_your_own_replace_the_embedded_ones(home: Path) -> None:
    secret, ports = "a-secret-of-their-own", (free_port(), free_port())
    async with EmbeddedPostgres(
        home / "database"
    ) as database:  # not the session's: migrating sets the passwords of a whole server
        broker = start(
            home / "elsewhere", "broker", "--port", str(ports[0]), "--auth-port", str(ports[1]), TELLTALE_SECRET=secret
        )
        await asyncio.to_thread(somebody_listens, ports[0])
        running = Running(
            home / "demo",
            DATABASE_URL=database.url,
            MQTT_URL=f"mqtt://127.0.0.1:{ports[0]}",
            TELLTALE_AUTH_URL=f"nats://127.0.0.1:{ports[1]}",
            TELLTALE_SECRET=secret,
        )
        try:
            await asyncio.to_thread(running.addresses)
            assert not (home / "demo" / "pgdata").exists()
            assert not (home / "demo" / "broker").exists()
            connection = await asyncpg.connect(database.url)
            async with asyncio.timeout(PATIENCE):
                while not await connection.fetchval("SELECT count(*) FROM readings"):
                    await asyncio.sleep(0.1)
            await connection.close()
        finally:
            await asyncio.to_thread(running.end)
            broker.terminate()
            await asyncio.to_thread(broker.communicate)
