"""The restore drill, on every run: back up while it runs, bring it onto a server that knows nothing, and find everything there."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from schemas.errors import Misconfigured, TelltaleError
from store import accounts
from store.backup import DUMP, MANIFEST, back_up, checked, restore
from store.migrate import MIGRATIONS, migrate
from store.pool import open_pool, transaction
from store.roles import ROLES, role_url
from telltale.embedded import binaries
from tests.catalog import catalog_of, different, rows_of, sequences_of
from tests.furniture import furnish
from tests.patience import PATIENCE_S
from tests.servers import VERSIONS, plain_owner, server, signed_in

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "one"


async def furnished(url: str, secret: str = "secret") -> Any:
    await migrate(url, secret)
    connection = await asyncpg.connect(url)
    await furnish(connection)
    return connection


@pytest.mark.parametrize("there", VERSIONS)
@pytest.mark.parametrize("here", VERSIONS)
async def test_what_is_restored_on_an_empty_server_equals_what_was_backed_up(home: Path, shelf: Path, here: str, there: str):
    """Row by row, with sequences, constraints, policies, rights and roles; also from one PostgreSQL to a newer one. The other way is refused in words."""
    async with server(home / "old", here) as old, server(home / "new", there) as new:
        source = await furnished(old.url)
        await source.execute("CREATE ROLE grafana; GRANT SELECT ON alerts TO grafana")
        manifest = await back_up(old.url, shelf, binaries.clients, made_at=NOON)
        assert manifest.rows["readings_20261102"] == 100 and manifest.others == ["grafana"]
        if (here, there) == ("embedded", "debian"):
            with pytest.raises(TelltaleError, match="pg_restore"):
                await restore(new.url, "secret", shelf, binaries.clients)
            return
        assert await restore(new.url, "secret", shelf, binaries.clients) == manifest
        target = await asyncpg.connect(new.url)
        assert await rows_of(target) == await rows_of(source)
        assert await sequences_of(target) == await sequences_of(source)
        assert different(await catalog_of(source), await catalog_of(target)) == []
        roles = "SELECT rolname, rolcanlogin, rolbypassrls, rolsuper FROM pg_roles WHERE rolname LIKE 'telltale\\_%' ORDER BY 1"
        assert await target.fetch(roles) == await source.fetch(roles) and len(await target.fetch(roles)) == len(ROLES)
        await target.close()
        await source.close()
        await goes_on(new.url)


async def goes_on(url: str) -> None:
    """The services get in, see their own, and new rows get new numbers."""
    desk = await open_pool(role_url(url, "secret", "telltale_desk"), name="drill")
    async with transaction(desk) as connection:
        found = await accounts.sign_in_of(connection, "ruth@2.example")
    assert found is not None and found.dealer_id == 2
    async with transaction(desk, 2) as connection:
        assert [row["id"] for row in await connection.fetch("SELECT id FROM dealers")] == [2]
        await accounts.add_resource(connection, 2, "bay", "a new one")
    await desk.close()


async def test_a_hosted_database_whose_owner_is_no_superuser_is_restored_too(home: Path, shelf: Path):
    """There a superuser has to say once that the backup may read everything, and until then nothing half-made is left behind."""
    async with server(home / "old") as old, server(home / "new") as new:
        url = await plain_owner(old.url)
        await migrate(url, "secret")
        with pytest.raises(Misconfigured, match="let a superuser say once: ALTER ROLE telltale_backup BYPASSRLS; GRANT pg_read_all_data"):
            await back_up(url, shelf, binaries.clients, made_at=NOON)
        assert not list(shelf.parent.iterdir())
        await migrate(signed_in_to(old.url, url), "secret")  # as the superuser, once
        source = await asyncpg.connect(signed_in_to(old.url, url))
        await furnish(source)
        await back_up(url, shelf, binaries.clients, made_at=NOON)
        bare = await plain_owner(new.url)
        await restore(bare, "secret", shelf, binaries.clients)
        target = await asyncpg.connect(signed_in_to(new.url, bare))
        assert await rows_of(target) == await rows_of(source)
        assert different(await catalog_of(source), await catalog_of(target)) == []
        await source.close()
        await target.close()
        await goes_on(bare)


def signed_in_to(superuser: str, url: str) -> str:
    return superuser.rpartition("/")[0] + "/" + url.rpartition("/")[2]


async def test_a_backup_that_is_made_while_everybody_writes_is_of_one_moment(home: Path, shelf: Path):
    """Each owner comes with their thread, in one transaction: in the backup no one is without the other, and what is counted is what is there."""
    async with server(home / "old") as old, server(home / "new") as new:
        source = await furnished(old.url)
        pool = await open_pool(role_url(old.url, "secret", "telltale_worker"), name="busy", size=4)
        stop = asyncio.Event()

        async def busy(who: int) -> None:
            while not stop.is_set():
                async with transaction(pool) as connection:
                    owner = await connection.fetchval(
                        "INSERT INTO owners (dealer_id, name, channel, language, zone, created_at) VALUES (1, 'N', 'phone', 'de', 'UTC', $1) RETURNING id", NOON
                    )
                    await connection.execute("INSERT INTO threads (dealer_id, owner_id) VALUES (1, $1)", owner)

        writers = [asyncio.create_task(busy(n)) for n in range(4)]
        await asyncio.sleep(0.3)
        manifest = await back_up(old.url, shelf, binaries.clients, made_at=NOON)
        stop.set()
        await asyncio.gather(*writers)
        assert manifest.rows["owners"] == manifest.rows["threads"] > 2
        assert manifest.rows["owners"] < await source.fetchval("SELECT count(*) FROM owners")
        await restore(new.url, "secret", shelf, binaries.clients)
        await pool.close()
        await source.close()


async def test_a_backup_of_an_earlier_version_is_brought_to_this_one(home: Path, shelf: Path, tmp_path: Path):
    async with server(home) as old:
        earlier = tmp_path / "migrations"
        earlier.mkdir()
        for path in MIGRATIONS.glob("00[01]*.sql"):
            shutil.copy(path, earlier)
        await migrate(old.url, "secret", earlier)
        source = await asyncpg.connect(old.url)
        await furnish(source, upto="0019")
        await back_up(old.url, shelf, binaries.clients, made_at=NOON)
        beside, today = (f"{old.url.rpartition('/')[0]}/{name}" for name in ("beside", "today"))
        await restore(beside, "secret", shelf, binaries.clients)
        await source.execute("CREATE DATABASE today")
        await migrate(today, "secret")
        target, fresh = await asyncpg.connect(beside), await asyncpg.connect(today)
        await fresh.execute("SELECT open_day(20759)")
        assert different(await catalog_of(fresh), await catalog_of(target)) == []
        for connection in (source, target, fresh):
            await connection.close()


async def test_readings_may_stay_out_of_a_backup_and_their_days_are_there_all_the_same(home: Path, shelf: Path):
    async with server(home) as old:
        source = await furnished(old.url)
        manifest = await back_up(old.url, shelf, binaries.clients, made_at=NOON, readings=False)
        assert manifest.rows["readings_20261102"] == 0 and manifest.rows["owners"] == 2
        beside = signed_in(old.url, "telltale", old.url.partition("telltale:")[2].partition("@")[0], "beside")
        await restore(beside, "secret", shelf, binaries.clients, jobs=2)
        target = await asyncpg.connect(beside)
        assert await target.fetchval("SELECT count(*) FROM readings") == 0
        assert await target.fetchval("SELECT to_regclass('readings_20261102')")
        assert await target.fetchval("SELECT count(*) FROM messages") == 2
        await target.close()
        await source.close()


async def test_nothing_is_restored_over_something_and_nothing_from_a_torn_backup(home: Path, shelf: Path):
    async with server(home) as old:
        source = await furnished(old.url)
        await back_up(old.url, shelf, binaries.clients, made_at=NOON)
        with pytest.raises(Misconfigured, match="only brought into an empty database"):
            await restore(old.url, "secret", shelf, binaries.clients)
        with pytest.raises(Misconfigured, match="is there already"):
            await back_up(old.url, shelf, binaries.clients, made_at=NOON)
        beside = old.url.rpartition("/")[0] + "/beside"
        with (shelf / DUMP).open("r+b") as file:
            file.truncate(file.seek(0, 2) - 100)
        with pytest.raises(Misconfigured, match="its sha256 differs"):
            await restore(beside, "secret", shelf, binaries.clients)
        (shelf / MANIFEST).write_text("{}")
        with pytest.raises(Misconfigured, match="format"):
            checked(shelf)
        with pytest.raises(Misconfigured, match="is no backup"):
            checked(shelf.parent)
        await source.close()


async def test_rows_that_are_missing_after_a_restore_are_named(home: Path, shelf: Path):
    async with server(home) as old:
        source = await furnished(old.url)
        await back_up(old.url, shelf, binaries.clients, made_at=NOON)
        said = json.loads((shelf / MANIFEST).read_text())
        said["rows"]["owners"] += 1
        (shelf / MANIFEST).write_text(json.dumps(said))
        with pytest.raises(Misconfigured, match="owners"):
            await restore(old.url.rpartition("/")[0] + "/beside", "secret", shelf, binaries.clients)
        await source.close()


async def test_a_backup_that_cannot_be_finished_leaves_nothing(home: Path, shelf: Path):
    async with server(home) as old:
        source = await furnished(old.url)
        await source.execute("BEGIN; LOCK TABLE owners IN ACCESS EXCLUSIVE MODE")
        task = asyncio.create_task(back_up(old.url, shelf, binaries.clients, made_at=NOON))
        other = await asyncpg.connect(old.url)
        while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not list(shelf.parent.iterdir())
        async with asyncio.timeout(PATIENCE_S):
            while await other.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'telltale-backup'"):
                await asyncio.sleep(0.05)
        await source.close()
        await other.close()
        with pytest.raises(Misconfigured, match="password"):
            await back_up(old.url.replace(old.url.partition("telltale:")[2].partition("@")[0], "wrong"), shelf, binaries.clients, made_at=NOON)
