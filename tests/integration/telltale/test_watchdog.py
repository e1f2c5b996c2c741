"""What systemd is promised in deploy/systemd: every service says that it is ready and then, again and again, that it
lives.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from telltale import certificates
from telltale.embedded.process import die_with_parent, free_port
from tests.conftest import Database
from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("verb", ["broker", "broker-config", "workers", "dealer-api"])
async def test_a_service_that_is_watched_says_that_it_lives(
    verb: str, database: Database, home: Path, tmp_path: Path
) -> None:
    certificates.authority(tmp_path, datetime.now(UTC))
    certificates.server(tmp_path, ["localhost"], datetime.now(UTC))
    arguments = {
        "broker": ["--port", str(free_port()), "--auth-port", str(free_port())],
        "broker-config": ["mosquitto", "--out", str(home / "mosquitto"), "--certificates", str(tmp_path), "--follow"],
    }
    where = str(home / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(where)
        systemd.setblocking(False)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "telltale",
            verb,
            *arguments.get(verb, []),
            preexec_fn=die_with_parent(),
            stderr=asyncio.subprocess.DEVNULL,
            env={
                **os.environ,
                "DATABASE_URL": database.url,
                "TELLTALE_SECRET": database.secret,
                "TELLTALE_HOME": str(home),
                "PYTHONPATH": str(ROOT),
                "TELLTALE_HEALTH_PORT": "0",
                "NOTIFY_SOCKET": where,
                "WATCHDOG_USEC": "60000000",
            },
        )
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(PATIENCE_S):
                result = [await loop.sock_recv(systemd, 64)]
                while set(result) != {b"READY=1", b"WATCHDOG=1"} or result.count(b"WATCHDOG=1") < 2:
                    result.append(await loop.sock_recv(systemd, 64))
        finally:
            process.terminate()
            await process.wait()
