"""The restore drill, on every run: back up while it runs, bring it onto a server that knows nothing, and find
everything there.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from schemas.errors import Misconfigured, TelltaleError
from store import accounts
from store.backup import DUMP, MANIFEST, Manifest, back_up, checked, restore
from store.migrate import MIGRATIONS, migrate
from store.pool import open_pool, transaction
from store.roles import ROLES, role_url
from telltale.embedded import binaries
from tests.catalog import catalog_of, different, rows_of, sequences_of
from tests.furniture import furnish
from tests.patience import PATIENCE_S
from tests.servers import VERSIONS, plain_owner, server

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


@dataclass(frozen=True)
class House:
    """A furnished database of one PostgreSQL, whole and backed up; nobody writes into it but into copies."""

    url: str
    shelf: Path
    manifest: Manifest

    @asynccontextmanager
    async def copy(self, name: str) -> AsyncIterator[str]:
        """The same database once more on its server, to be spoilt."""
        admin = await asyncpg.connect(beside(self.url, "postgres"))
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE telltale")
        yield beside(self.url, name)
        await admin.close()

    def backup(self, to: Path) -> Path:
        """The same backup once more, to be spoilt."""
        return Path(shutil.copytree(self.shelf, to))


Houses = Callable[[str], Awaitable[House]]


@pytest.fixture(scope="module")
async def houses(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Houses]:
    """One for each PostgreSQL, made when it is first asked for: to furnish and to dump is most of the work here."""
    made: dict[str, House] = {}
    folder = Path(tempfile.mkdtemp(prefix="telltale-backup-"))
    folder.chmod(0o711)
    async with AsyncExitStack() as servers:

        async def house(version: str = "embedded") -> House:
            if version not in made:
                url = (await servers.enter_async_context(server(folder / version, version))).url
                await migrate(url, "secret")
                connection = await asyncpg.connect(url)
                await furnish(connection)
                await connection.execute("CREATE ROLE grafana; GRANT SELECT ON alerts TO grafana")
                await connection.close()
                shelf = tmp_path_factory.mktemp("backups") / "one"
                made[version] = House(url, shelf, await back_up(url, shelf, binaries.clients, made_at=NOON))
            return made[version]

        yield house
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def house(houses: Houses) -> House:
    return await houses("embedded")


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "one"


def beside(url: str, database: str) -> str:
    return url.rpartition("/")[0] + "/" + database


@pytest.mark.parametrize("there", VERSIONS)
@pytest.mark.parametrize("here", VERSIONS)
async def test_what_is_restored_on_an_empty_server_equals_what_was_backed_up(
    home: Path, houses: Houses, here: str, there: str
):
    """Row by row, with sequences, constraints, policies, rights and roles; also from one PostgreSQL to a newer one.

    The other way is refused in words.
    """
    old = await houses(here)
    assert old.manifest.rows["readings_20261102"] == 100 and old.manifest.others == ["grafana"]
    async with server(home / "new", there) as new:
        if (here, there) == ("embedded", "debian"):
            with pytest.raises(TelltaleError, match="pg_restore"):
                await restore(new.url, "secret", old.shelf, binaries.clients)
            return
        assert await restore(new.url, "secret", old.shelf, binaries.clients) == old.manifest
        source, target = await asyncpg.connect(old.url), await asyncpg.connect(new.url)
        assert await rows_of(target) == await rows_of(source)
        assert await sequences_of(target) == await sequences_of(source)
        assert different(await catalog_of(source), await catalog_of(target)) == []
        roles = (
            "SELECT rolname, rolcanlogin, rolbypassrls, rolsuper FROM pg_roles WHERE rolname LIKE 'telltale\\_%' "
            "ORDER BY 1"
        )
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
    """There a superuser has to say once that the backup may read everything, and until then nothing half-made is left
    behind.
    """
    async with server(home / "old") as old, server(home / "new") as new:
        url = await plain_owner(old.url)
        await migrate(url, "secret")
        with pytest.raises(
            Misconfigured,
            match="let a superuser say once: ALTER ROLE telltale_backup BYPASSRLS; GRANT pg_read_all_data",
        ):
            await back_up(url, shelf, binaries.clients, made_at=NOON)
        assert not list(shelf.parent.iterdir())
        await migrate(beside(old.url, "house"), "secret")  # as the superuser, once
        source = await asyncpg.connect(beside(old.url, "house"))
        await furnish(source)
        await back_up(url, shelf, binaries.clients, made_at=NOON)
        bare = await plain_owner(new.url)
        await restore(bare, "secret", shelf, binaries.clients)
        target = await asyncpg.connect(beside(new.url, "house"))
        assert await rows_of(target) == await rows_of(source)
        assert different(await catalog_of(source), await catalog_of(target)) == []
        await source.close()
        await target.close()
        await goes_on(bare)


async def test_a_backup_that_is_made_while_everybody_writes_is_of_one_moment(house: House, shelf: Path):
    """Each owner comes with their thread, in one transaction: in the backup no one is without the other, and what is
    counted is what is there.
    """
    async with house.copy("busy") as url:
        pool = await open_pool(role_url(url, "secret", "telltale_worker"), name="busy", size=4)
        stop = asyncio.Event()

        async def busy(who: int) -> None:
            while not stop.is_set():
                async with transaction(pool) as connection:
                    owner = await connection.fetchval(
                        "INSERT INTO owners (dealer_id, name, channel, language, zone, created_at) "
                        "VALUES (1, 'N', 'phone', 'de', 'UTC', $1) RETURNING id",
                        NOON,
                    )
                    await connection.execute("INSERT INTO threads (dealer_id, owner_id) VALUES (1, $1)", owner)

        writers = [asyncio.create_task(busy(n)) for n in range(4)]
        await asyncio.sleep(0.3)
        manifest = await back_up(url, shelf, binaries.clients, made_at=NOON)
        stop.set()
        await asyncio.gather(*writers)
        await pool.close()
        assert manifest.rows["owners"] == manifest.rows["threads"] > 2
        source = await asyncpg.connect(url)
        assert manifest.rows["owners"] < await source.fetchval("SELECT count(*) FROM owners")
        await source.close()
        await restore(beside(url, "of_one_moment"), "secret", shelf, binaries.clients)


async def test_a_backup_of_an_earlier_version_is_brought_to_this_one(house: House, shelf: Path, tmp_path: Path):
    earlier = tmp_path / "migrations"
    earlier.mkdir()
    for path in MIGRATIONS.glob("00[01]*.sql"):
        shutil.copy(path, earlier)
    once = beside(house.url, "once")
    admin = await asyncpg.connect(beside(house.url, "postgres"))
    await admin.execute("CREATE DATABASE once TEMPLATE template0")
    await admin.close()
    await migrate(once, "secret", earlier)
    source = await asyncpg.connect(once)
    await furnish(source, upto="0019")
    await source.close()
    await back_up(once, shelf, binaries.clients, made_at=NOON)
    await restore(beside(house.url, "brought"), "secret", shelf, binaries.clients)
    async with house.copy("today") as today:
        target, fresh = await asyncpg.connect(beside(house.url, "brought")), await asyncpg.connect(today)
        await fresh.execute("REVOKE SELECT ON alerts FROM grafana")
        assert different(await catalog_of(fresh), await catalog_of(target)) == []
        await target.close()
        await fresh.close()


async def test_readings_may_stay_out_of_a_backup_and_their_days_are_there_all_the_same(house: House, shelf: Path):
    manifest = await back_up(house.url, shelf, binaries.clients, made_at=NOON, readings=False)
    assert manifest.rows["readings_20261102"] == 0 and manifest.rows["owners"] == 2
    await restore(beside(house.url, "lean"), "secret", shelf, binaries.clients, jobs=2)
    target = await asyncpg.connect(beside(house.url, "lean"))
    assert await target.fetchval("SELECT count(*) FROM readings") == 0
    assert await target.fetchval("SELECT to_regclass('readings_20261102')")
    assert await target.fetchval("SELECT count(*) FROM messages") == 2
    await target.close()


async def test_nothing_is_restored_over_something_and_nothing_from_a_torn_backup(house: House, shelf: Path):
    shelf = house.backup(shelf)
    with pytest.raises(Misconfigured, match="only brought into an empty database"):
        await restore(house.url, "secret", shelf, binaries.clients)
    with pytest.raises(Misconfigured, match="is there already"):
        await back_up(house.url, shelf, binaries.clients, made_at=NOON)
    with (shelf / DUMP).open("r+b") as file:
        file.truncate(file.seek(0, 2) - 100)
    with pytest.raises(Misconfigured, match="its sha256 differs"):
        await restore(beside(house.url, "torn"), "secret", shelf, binaries.clients)
    (shelf / MANIFEST).write_text("{}")
    with pytest.raises(Misconfigured, match="format"):
        checked(shelf)
    with pytest.raises(Misconfigured, match="is no backup"):
        checked(shelf.parent)


async def test_rows_that_are_missing_after_a_restore_are_named(house: House, shelf: Path):
    shelf = house.backup(shelf)
    body = json.loads((shelf / MANIFEST).read_text())
    body["rows"]["owners"] += 1
    (shelf / MANIFEST).write_text(json.dumps(body))
    with pytest.raises(Misconfigured, match="owners"):
        await restore(beside(house.url, "missing"), "secret", shelf, binaries.clients)


async def test_a_backup_that_cannot_be_finished_leaves_nothing(house: House, shelf: Path):
    source = await asyncpg.connect(house.url)
    await source.execute("BEGIN; LOCK TABLE owners IN ACCESS EXCLUSIVE MODE")
    task = asyncio.create_task(back_up(house.url, shelf, binaries.clients, made_at=NOON))
    other = await asyncpg.connect(house.url)
    while not await other.fetchval(
        "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE NOT granted "
        "AND datname = current_database()"
    ):
        await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not list(shelf.parent.iterdir())
    async with asyncio.timeout(PATIENCE_S):
        while await other.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'telltale-backup'"
        ):
            await asyncio.sleep(0.05)
    await source.close()
    await other.close()
    with pytest.raises(Misconfigured, match="password"):
        await back_up(
            house.url.replace(house.url.partition("telltale:")[2].partition("@")[0], "wrong"),
            shelf,
            binaries.clients,
            made_at=NOON,
        )
