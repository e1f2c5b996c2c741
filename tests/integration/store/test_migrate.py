"""Bringing a database to this version, by accounts and on servers of different kinds."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from schemas.errors import Misconfigured
from store.migrate import MIGRATIONS, checksums, migrate
from store.roles import ROLES, role_url
from tests.conftest import Database
from tests.patience import PATIENCE_S
from tests.servers import VERSIONS, plain_owner, server


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_account_that_migrates_need_not_be_a_superuser(home: Path, version: str) -> None:
    async with server(home, version) as started:
        url = await plain_owner(started.url)
        await migrate(url, "secret")
        await migrate(url, "secret")
        worker = await asyncpg.connect(role_url(url, "secret", "telltale_office"))
        dealer = await worker.fetchval(
            """INSERT INTO dealers (name, zone, country, phone, address, opening_hours, language, created_at)
               VALUES ('Nord', 'Europe/Berlin', 'DE', '+49', 'a', '24/7', 'de', '2026-11-02') RETURNING id"""
        )
        await worker.execute("INSERT INTO senders (address, dealer_id, channel) VALUES ('+49', $1, 'phone')", dealer)
        await worker.close()
        desk = await asyncpg.connect(role_url(url, "secret", "telltale_desk"))
        assert (
            await desk.fetchval("SELECT dealer_at('+49')") == dealer
        )  # the doors open for an owner whom FORCE shuts out
        assert await desk.fetchval("SELECT count(*) FROM senders") == 0
        await desk.close()


async def test_roles_that_are_missing_are_made_again(home: Path) -> None:
    """As after a dump was restored on a new server, which knows none of our roles."""
    async with server(home) as started:
        await migrate(started.url, "secret")
        admin = await asyncpg.connect(started.url)
        for role in reversed(ROLES):
            await admin.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
        await migrate(started.url, "secret")
        assert await admin.fetchval("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'telltale\\_%'") == len(ROLES)
        await (await asyncpg.connect(role_url(started.url, "secret", "telltale_desk"))).close()
        await admin.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Our migrations, and room for more."""
    return Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))


async def fresh(database: Any) -> Any:
    return await asyncpg.connect(database.url)


async def test_a_migration_that_was_edited_after_it_was_applied_is_refused_by_name(database: Database, folder):
    (folder / "9001_more.sql").write_text("-- migrate:up\nCREATE TABLE more (n int);\n-- migrate:down\n")
    await migrate(database.url, database.secret, folder)
    (folder / "9001_more.sql").write_text("-- migrate:up\nCREATE TABLE more (n bigint);\n-- migrate:down\n")
    with pytest.raises(Misconfigured, match=r"store/migrations/9001.*edited after this database had applied it"):
        await migrate(database.url, database.secret, folder)
    connection = await fresh(database)
    assert await connection.fetchval("SELECT checksum FROM migration_checksums WHERE version = '9001'")
    await connection.close()


async def test_a_database_from_before_checksums_were_kept_is_believed_once(database: Database, folder):
    connection = await fresh(database)
    await connection.execute("DROP TABLE migration_checksums")
    await migrate(database.url, database.secret, folder)
    known = {row["version"]: row["checksum"] for row in await connection.fetch("SELECT * FROM migration_checksums")}
    assert known == checksums()
    with (folder / "0003_alerts_cases.sql").open("a") as file:
        file.write("-- one more word\n")
    with pytest.raises(Misconfigured, match="store/migrations/0003"):
        await migrate(database.url, database.secret, folder)
    await connection.close()


async def test_an_older_version_of_ours_does_not_stumble_over_what_a_newer_one_applied(database: Database, folder):
    (folder / "9001_more.sql").write_text("-- migrate:up\nCREATE TABLE more (n int);\n-- migrate:down\n")
    await migrate(database.url, database.secret, folder)
    await migrate(database.url, database.secret)


async def test_a_migration_waits_briefly_for_a_table_and_comes_again(
    database: Database, folder, monkeypatch: pytest.MonkeyPatch
):
    """Everybody else queues behind whoever waits for a lock: so it gives up after seconds, and is there when the table
    is free.
    """
    monkeypatch.setattr("store.migrate.LOCK_TIMEOUT", "200ms")
    (folder / "9001_more.sql").write_text(
        "-- migrate:up\nALTER TABLE owners ADD COLUMN nickname text;\n-- migrate:down\n"
    )
    reader = await fresh(database)
    reading = reader.transaction()
    await reading.start()
    await reader.fetch("SELECT FROM owners")
    waited = asyncio.Event()
    monkeypatch.setattr("store.migrate.log", Heard(waited))
    task = asyncio.create_task(migrate(database.url, database.secret, folder))
    await asyncio.wait_for(waited.wait(), PATIENCE_S)
    passer_by = await fresh(database)
    await asyncio.wait_for(passer_by.fetch("SELECT FROM owners"), PATIENCE_S)
    await reading.rollback()
    await task
    assert await passer_by.fetchval("SELECT count(nickname) FROM owners") == 0
    await reader.close()
    await passer_by.close()


class Heard:
    """A log that lets a test know."""

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    def info(self, name: str, **_: object) -> None:
        if name == "migration_waits":
            self._event.set()


async def test_a_migration_that_fails_leaves_nothing_and_says_why(database: Database, folder):
    (folder / "9001_more.sql").write_text("-- migrate:up\nCREATE TABLE more (n int);\nSELECT 1/0;\n-- migrate:down\n")
    with pytest.raises(Misconfigured, match="division by zero"):
        await migrate(database.url, database.secret, folder)
    connection = await fresh(database)
    assert await connection.fetchval("SELECT to_regclass('more')") is None
    await connection.close()
