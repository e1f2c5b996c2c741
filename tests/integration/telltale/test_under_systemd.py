"""A service as a process of its own: it tells systemd when it is ready and that it turns, and answers on the port that
it was given.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp

from telltale.embedded.process import free_port
from tests.conftest import Database

ROOT = Path(__file__).resolve().parents[3]


async def test_workers_say_when_they_are_ready_and_that_they_turn(database: Database, tmp_path: Path) -> None:
    port = free_port()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(60)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "telltale", "workers"],
            cwd="/",
            stderr=subprocess.PIPE,
            text=True,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "DATABASE_URL": database.url,
                "TELLTALE_SECRET": database.secret,
                "TELLTALE_HOME": str(tmp_path),
                "TELLTALE_HEALTH_PORT": str(port),
                "TELLTALE_LOG_FORMAT": "json",
                "NOTIFY_SOCKET": str(tmp_path / "notify"),
                "WATCHDOG_USEC": "60000000",
            },
        )
        try:
            result: list[bytes] = []
            while result.count(b"READY=1") < 1 or result.count(b"WATCHDOG=1") < 2:
                result.append(await asyncio.to_thread(systemd.recv, 64))
            async with aiohttp.ClientSession() as session:
                for path in ("/health/live", "/health/ready", "/metrics"):
                    async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                        assert answer.status == 200, path
        finally:
            process.send_signal(signal.SIGTERM)
            _, log = await asyncio.to_thread(process.communicate, None, 30)
    lines = [json.loads(line) for line in log.splitlines()]
    assert {
        "event": "ready",
        "service": "workers",
        "level": "info",
        "health": f"http://127.0.0.1:{port}",
    }.items() <= next(line for line in lines if line["event"] == "ready").items()
