"""The primary dies and its standby takes over: services and `migrate` go on there, also when the old one is back and
only reads.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from schemas.errors import Unavailable
from store.migrate import migrate, writable
from store.pool import Pool, answers, open_pool, transaction
from store.roles import role_url
from telltale.embedded.postgres import EmbeddedPostgres
from tests.patience import PATIENCE_S
from tests.servers import VERSIONS, lend, programs, server


@pytest.fixture(params=VERSIONS)
async def pair(request: pytest.FixtureRequest, home: Path) -> AsyncIterator[tuple[EmbeddedPostgres, EmbeddedPostgres]]:
    """A primary and its standby, which has everything that was committed."""
    version = request.param
    async with server(home / "one", version) as primary:
        await migrate(primary.url, "secret")
        (home / "two").mkdir(mode=0o711)
        secret = (home / "one" / "postgres.secret").read_text()
        (home / "two" / "postgres.secret").write_text(secret)
        subprocess.run(
            [programs(version) / "pg_basebackup", "-D", home / "two" / "pgdata", "-X", "stream", "-c", "fast", "-R"],
            check=True,
            capture_output=True,
            env={
                "PGHOST": "127.0.0.1",
                "PGPORT": str(primary.port),
                "PGUSER": "telltale",
                "PGPASSWORD": secret,
                "PATH": "/usr/bin:/bin",
            },
        )
        lend(home / "two" / "pgdata")
        async with EmbeddedPostgres(home / "two", programs=programs(version)) as standby:
            await caught_up(primary)
            yield primary, standby


async def caught_up(primary: EmbeddedPostgres) -> None:
    admin = await asyncpg.connect(primary.url)
    while not await admin.fetchval("SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()"):
        await asyncio.sleep(0.05)
    await admin.close()


def both(primary: EmbeddedPostgres, standby: EmbeddedPostgres) -> str:
    parts = urlsplit(primary.url)
    account = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{account}@127.0.0.1:{primary.port},127.0.0.1:{standby.port}"))


async def answering(pool: Pool) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await answers(pool):
            await asyncio.sleep(0.05)


async def write(pool: Pool, name: str) -> None:
    async with transaction(pool) as connection:
        await connection.execute(
            "INSERT INTO rule_stages (rule, stage, reason, actor, at) VALUES ($1, 'live', 'x', 'x', '2026-11-26')", name
        )


async def test_after_a_promotion_writes_go_on_and_nothing_is_written_to_the_one_that_only_reads(pair: Any) -> None:
    primary, standby = pair
    url = both(primary, standby)
    pool = await open_pool(role_url(url, "secret", "telltale_worker"), name="test", size=3)
    await write(pool, "before")
    await caught_up(primary)
    port = primary.port
    primary.kill()
    with pytest.raises(Unavailable):
        await write(pool, "meanwhile")
    admin = await asyncpg.connect(standby.url)
    await admin.execute("SELECT pg_promote()")
    await answering(pool)
    await write(pool, "after")
    # The old one comes back beside it, and only reads: whoever asks it in the old order must not stay there.
    (primary.data / "standby.signal").touch()
    lend(primary.data)
    assert primary.port == port
    await primary.start()
    await pool.expire_connections()
    await asyncio.gather(*(write(pool, f"again {n}") for n in range(6)))
    await migrate(url, "secret")
    assert urlsplit(await writable(url)).port == standby.port
    assert await admin.fetchval("SELECT count(*) FROM rule_stages") == 8
    await pool.close()
    await admin.close()
