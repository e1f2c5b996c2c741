"""TELLTALE_SECRET is changed while services run: what ends says why, in one line, and a supervisor starts it with the
secret of today.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from store.migrate import migrate
from telltale.embedded.postgres import EmbeddedPostgres
from telltale.running import TRY_AGAIN
from telltale.settings import child_environment
from tests.patience import PATIENCE_S
from tests.servers import server

ROOT = Path(__file__).resolve().parents[3]


def service(name: str, started: EmbeddedPostgres, home: Path, secret: str, previous: str = "") -> subprocess.Popen[str]:
    """Told where the database is, and nothing of the account that owns it."""
    settings = {
        "database_url": f"postgresql://127.0.0.1:{started.port}/telltale",
        "secret": secret,
        "secret_previous": previous,
        "home": str(home),
        "health_port": "0",
        "desk_port": "0",
        "log_format": "json",
    }
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "telltale", name],
        env={**child_environment(settings), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


async def until_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    while '"event": "ready"' not in (line := await asyncio.to_thread(process.stdout.readline)):
        assert line, "it ended before it was ready"


async def sign_out_everybody(started: EmbeddedPostgres) -> None:
    admin = await asyncpg.connect(started.url)
    await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'telltale\\_%'")
    await admin.close()


@pytest.mark.slow
async def test_services_whose_secret_is_no_longer_the_one_end_with_one_clear_line_to_be_started_again(
    home: Path,
) -> None:
    async with server(home / "postgres") as started:
        await migrate(started.url, "old")
        processes = [service(name, started, home, "old") for name in ("workers", "dealer-api")]
        try:
            await asyncio.gather(*map(until_ready, processes))
            await migrate(started.url, "new")
            await sign_out_everybody(started)
            for process in processes:  # both wait for the same half minute
                words, _ = await asyncio.to_thread(process.communicate, timeout=120)
                assert process.returncode == TRY_AGAIN
                assert (
                    words.strip()
                    .splitlines()[-1]
                    .startswith("telltale: The database refuses the password of telltale_")
                    and "TELLTALE_SECRET" in words
                )
                assert "Traceback" not in words
        finally:
            for process in processes:
                process.kill()
                process.wait()


async def test_a_service_that_knows_both_secrets_goes_on_while_the_database_is_told_the_new_one(home: Path) -> None:
    async with server(home / "postgres") as started:
        await migrate(started.url, "old")
        process = service("workers", started, home, "new", "old")
        try:
            await until_ready(process)
            await migrate(started.url, "new")
            await sign_out_everybody(started)
            admin = await asyncpg.connect(started.url)
            async with asyncio.timeout(PATIENCE_S):
                while not await admin.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'telltale-workers-bell'"
                ):
                    await asyncio.sleep(0.1)
            await admin.close()
            assert process.poll() is None
        finally:
            process.terminate()
            process.communicate(timeout=30)
