"""Back to a moment: a base backup and the log since then, as docs/howto/operate.md says it, while everybody writes."""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from store.migrate import migrate
from store.pool import open_pool, transaction
from store.roles import role_url
from telltale.embedded.postgres import EmbeddedPostgres
from tests.furniture import furnish
from tests.servers import VERSIONS, lend, programs, server

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_server_goes_back_to_a_moment_and_has_what_was_committed_until_then_and_nothing_later(
    home: Path, version: str
):
    archive = home / "archive"
    archive.mkdir()
    lend(archive)
    log_kept = {
        "archive_mode": "on",
        "archive_command": f"test ! -f {archive}/%f && cp %p {archive}/%f",
        "track_commit_timestamp": "on",
    }
    async with server(home / "old", version, **log_kept) as old:
        await migrate(old.url, "secret")
        admin = await asyncpg.connect(old.url)
        await furnish(admin)
        stop, some, enough = asyncio.Event(), asyncio.Event(), asyncio.Event()
        pool = await open_pool(role_url(old.url, "secret", "telltale_worker"), name="busy", size=3)
        writers = [asyncio.create_task(busy(pool, n, stop, some, enough)) for n in range(3)]
        base_backup(old, home / "base", version)
        await some.wait()
        moment = await admin.fetchval("SELECT clock_timestamp()")
        await enough.wait()
        stop.set()
        await asyncio.gather(*writers)
        await pool.close()
        kept = [
            row["id"]
            for row in await admin.fetch(
                "SELECT id FROM history WHERE pg_xact_commit_timestamp(xmin) <= $1 ORDER BY id", moment
            )
        ]
        every = await admin.fetchval("SELECT count(*) FROM history")
        assert 0 < len(kept) < every
        last = await admin.fetchval("SELECT pg_walfile_name(pg_switch_wal())")
        while (await admin.fetchval("SELECT last_archived_wal FROM pg_stat_archiver") or "") < last:
            await asyncio.sleep(0.1)
        await admin.close()
    new = EmbeddedPostgres(home / "new", programs=programs(version))
    put_in_place(home, archive, moment)
    async with new:
        again = await asyncpg.connect(new.url)
        while await again.fetchval("SELECT pg_is_in_recovery()"):
            await asyncio.sleep(0.1)
        await migrate(new.url, "secret")
        assert [row["id"] for row in await again.fetch("SELECT id FROM history ORDER BY id")] == kept
        assert await again.fetchval("SELECT count(*) FROM owners") == 2
        await again.close()


async def busy(pool: Any, who: int, stop: asyncio.Event, some: asyncio.Event, enough: asyncio.Event) -> None:
    luck, done = random.Random(who), 0
    while not stop.is_set():
        async with transaction(pool) as connection:
            await connection.execute(
                "INSERT INTO history (dealer_id, noun, subject_id, new, reason, actor, at) "
                "VALUES (1, 'case', $1, 'x', 'load', 'worker', $2)",
                who,
                NOON,
            )
        done += 1
        if done > 100:
            (enough if some.is_set() and done > 300 else some).set()
        await asyncio.sleep(luck.random() / 500)


def base_backup(old: EmbeddedPostgres, to: Path, version: str) -> None:
    parts = urlsplit(old.url)
    subprocess.run(
        [programs(version) / "pg_basebackup", "-D", to, "-X", "stream", "-c", "fast"],
        check=True,
        capture_output=True,
        env={
            "PGHOST": "127.0.0.1",
            "PGPORT": str(parts.port),
            "PGUSER": str(parts.username),
            "PGPASSWORD": str(parts.password),
            "PATH": "/usr/bin:/bin",
        },
    )


def put_in_place(home: Path, archive: Path, moment: datetime) -> None:
    """The base backup as a new server's folder, told how far to read the log."""
    new = home / "new"
    new.mkdir(mode=0o711)
    shutil.copytree(home / "base", new / "pgdata")
    shutil.copy(home / "old" / "postgres.secret", new / "postgres.secret")
    (new / "pgdata" / "recovery.signal").touch()
    with (new / "pgdata" / "postgresql.auto.conf").open("a") as conf:
        conf.write(
            f"restore_command = 'cp {archive}/%f %p'\nrecovery_target_time = "
            f"'{moment.isoformat()}'\nrecovery_target_action = 'promote'\narchive_mode = off\n"
        )
    lend(new / "pgdata")
