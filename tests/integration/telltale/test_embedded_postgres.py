"""The embedded database: starts, survives kill -9, clears up after a killed supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import asyncpg
import pytest

from telltale.embedded.postgres import EmbeddedPostgres
from telltale.embedded.process import alive
from tests.conftest import Database
from tests.standing import PoolAs


async def test_what_was_committed_is_there_after_kill_9(home: Path) -> None:
    async with EmbeddedPostgres(home) as server:
        connection = await asyncpg.connect(server.url)
        await connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
        server.kill()
        await server.start()
        again = await asyncpg.connect(server.url)
        assert await again.fetchval("SELECT n FROM kept") == 7
        await again.close()
        connection.terminate()


async def test_a_stale_pid_file_is_no_obstacle(home: Path) -> None:
    async with EmbeddedPostgres(home) as server:
        data = server.data
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n0\n0\n\n\n\n")  # alive, but not a server
    async with EmbeddedPostgres(home) as server:
        assert server.pid is not None


async def test_the_server_does_not_outlive_a_killed_supervisor_and_the_next_start_works(home: Path) -> None:
    script = (
        "import asyncio,pathlib,sys,time\n"
        "from telltale.embedded.postgres import EmbeddedPostgres\n"
        "pg=EmbeddedPostgres(pathlib.Path(sys.argv[1])); asyncio.run(pg.start()); print(pg.pid, flush=True); "
        "time.sleep(60)"
    )
    root = Path(__file__).resolve().parents[3]
    holder = subprocess.Popen([sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE, text=True, cwd=root)
    assert holder.stdout is not None
    server = int(holder.stdout.readline())
    assert alive(server)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    async with EmbeddedPostgres(home) as again:
        assert again.pid is not None
        assert not alive(server)


async def test_each_test_gets_its_own_empty_database(database: Database, pool_as: PoolAs) -> None:
    pool = await pool_as("admin")
    assert await pool.fetchval("SELECT count(*) FROM schema_migrations") >= 1
    for role in ("gateway", "worker", "desk", "owner_page"):
        assert await (await pool_as(role)).fetchval("SELECT current_user") == f"telltale_{role}"


async def test_a_home_that_nobody_can_enter_is_sheltered_and_the_shelters_of_gone_homes_are_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root lends its database to the account nobody; everybody else runs it in the home itself")
    shelter = Path(tempfile.mkdtemp(prefix="telltale-shelter-"))
    shelter.chmod(0o711)
    monkeypatch.setattr("telltale.embedded.postgres._SHELTER", shelter)
    (shelter / "gone").mkdir()
    (shelter / "gone" / "sheltered-for").write_text(str(tmp_path / "no-such-home"))
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    async with EmbeddedPostgres(closed / "home") as server:
        assert server.folder.parent == shelter
        assert closed.stat().st_mode & 0o777 == 0o700
        assert not (shelter / "gone").exists()
    server.erase()
    assert list(shelter.iterdir()) == []
    shelter.rmdir()
