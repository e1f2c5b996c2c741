"""From every earlier version with rows in it to this one: nothing is lost, and the database is then made as a new one
is.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from schemas.errors import Unavailable
from store.migrate import MIGRATIONS, migrate
from store.pool import open_pool, transaction
from store.roles import role_url
from tests.catalog import catalog_of, different, rows_of
from tests.conftest import SECRET, Database
from tests.furniture import ROWS, furnish

VERSIONS = [path.name[:4] for path in sorted(MIGRATIONS.glob("*.sql"))]
# as 0001 to 0005 were on the first day; they were edited ten times after that
FIRST = Path(__file__).parent / "first_migrations"
OPERATE = Path(__file__).resolve().parents[3] / "docs" / "howto" / "operate.md"
_numbers = itertools.count(1)
_rungs: set[str] = set()  # databases of this process that are copied
_new: list[set[str]] = []

Make = Callable[..., Awaitable[Any]]


@pytest.fixture
async def empty(postgres: str) -> AsyncIterator[Make]:
    """`await empty()`: a connection to a database of its own with nothing in it, or with what is in `like`; its address
    is `.url`.
    """
    admin = await asyncpg.connect(postgres)
    made: list[tuple[str, Any]] = []

    async def make(like: str = "template1") -> Any:
        name = f"upgrade_{os.getpid()}_{next(_numbers)}"
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {like}")
        connection = await asyncpg.connect(f"{postgres.rpartition('/')[0]}/{name}", connection_class=Addressed)
        made.append((name, connection))
        return connection

    yield make
    for name, connection in made:
        await connection.close()
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


class Addressed(asyncpg.Connection):
    """A connection that knows where it leads."""

    @property
    def url(self) -> str:
        parameters = self._params
        return f"postgresql://{parameters.user}:{parameters.password}@{self._addr[0]}:{self._addr[1]}/{parameters.database}"


def upto(version: str, folder: Path) -> Path:
    """The migrations as a database of that version knew them."""
    folder.mkdir(exist_ok=True)
    for path in MIGRATIONS.glob("*.sql"):
        if path.name[:4] <= version:
            shutil.copy(path, folder)
    return folder


@pytest.fixture
async def at_version(empty: Make, postgres: str, tmp_path: Path) -> Make:
    """`await at_version("0007")`: a database as that version made it.

    Each version is brought up once, from the one before, and copied.
    """

    async def rung(version: str) -> str:
        name = f"rung_{os.getpid()}_{version}"
        if name not in _rungs:
            before = [one for one in VERSIONS if one < version]
            below = await rung(before[-1]) if before else "template1"
            admin = await asyncpg.connect(postgres)
            await admin.execute(f"CREATE DATABASE {name} TEMPLATE {below}")
            await admin.close()
            await migrate(f"{postgres.rpartition('/')[0]}/{name}", SECRET, upto(version, tmp_path / version))
            _rungs.add(name)
        return name

    async def make(version: str) -> Any:
        return await empty(await rung(version))

    return make


@pytest.fixture
async def catalog_of_a_new_one(empty: Make) -> set[str]:
    """What a database is that was made today, with the same day of readings open."""
    if not _new:
        connection = await empty()
        await migrate(connection.url, SECRET)
        await connection.execute("SELECT open_day(20759)")
        _new.append(await catalog_of(connection))
    return _new[0]


def missing(before: dict[str, list[str]], after: dict[str, list[str]]) -> list[str]:
    """Rows that are not there any more with what they said; a column that came since may say anything."""
    lost = []
    for table, rows in before.items():
        left = [json.loads(row) for row in after.get(table, [])]
        for row in rows:
            body = json.loads(row)
            match = next(
                (
                    one
                    for one in left
                    if all(one.get(name, value) == value and name in one for name, value in body.items())
                ),
                None,
            )
            if match is None:
                lost.append(f"{table}: {row}")
            else:
                left.remove(match)
    return lost


@pytest.mark.parametrize("version", VERSIONS[:-1])
async def test_a_database_of_every_earlier_version_comes_up_with_its_rows(
    at_version: Make, catalog_of_a_new_one: set[str], version: str
) -> None:
    old = await at_version(version)
    await furnish(old, upto=version)
    before = await rows_of(old)
    assert sum(map(len, before.values())) > 20
    await migrate(old.url, SECRET)
    kept = {table: rows for table, rows in before.items() if table not in ("schema_migrations", "migration_checksums")}
    assert missing(kept, await rows_of(old)) == []
    await old.execute("SELECT open_day(20759)")
    assert different(catalog_of_a_new_one, await catalog_of(old)) == []


async def test_a_database_of_the_very_first_day_comes_up_with_its_rows(
    empty: Make, catalog_of_a_new_one: set[str], tmp_path: Path
) -> None:
    """Whose 0001 to 0005 said less than today's: columns, indexes and functions were added to the files afterwards."""
    folder = Path(shutil.copytree(FIRST, tmp_path / "first"))
    old = await empty()
    await migrate(old.url, SECRET, folder)
    await old.execute("DROP TABLE migration_checksums")  # there were none then
    for dealer in (1, 2):
        for path in sorted(ROWS.glob("000[1-5]*.sql")):
            await old.execute(of_the_first_day(path.read_text()).replace("{d}", str(dealer)))
    before = await rows_of(old)
    await migrate(old.url, SECRET)
    after = await rows_of(old)
    kept = {
        table: rows
        for table, rows in before.items()
        if table not in ("schema_migrations", "checkpoints", "idempotency")
    }
    assert missing(kept, after) == []
    assert after["checkpoints"] == []  # a copy: the gateway folds the car's readings anew
    assert [json.loads(row)["body"] for row in after["idempotency"]] == [
        r"\x7b226964223a20317d"
    ] * 2  # {"id": 1}, as bytes now
    assert different(catalog_of_a_new_one, await catalog_of(old)) == []


def of_the_first_day(rows: str) -> str:
    """The same rows without what there was no column for yet."""
    return (
        rows.replace("(anchor, started, speed, seen)", "(anchor, started, speed)")
        .replace(", 600, '2026-11-02 09:00Z')", ", 600)")
        .replace("upto, ts, day, frontier, versions", "upto, ts, versions")
        .replace("20759, '{}', '{\"tyre_leak\"", '\'{"tyre_leak"')
    )


# -- two versions side by side -----------------------------------------------------------------------------------------

STEPS = list(itertools.pairwise(VERSIONS))


def stops_first() -> dict[str, str]:
    """Migrations before which something has to be stopped, as docs/howto/operate.md says it."""
    section = OPERATE.read_text().partition("## Upgrade")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| (\d{4}) \| `([a-z-]+)`", section, re.M))


@pytest.mark.parametrize(("version", "after"), STEPS, ids=[after for _, after in STEPS])
async def test_what_the_older_version_writes_and_reads_works_on_the_schema_of_the_next(
    at_version: Make, version: str, after: str
) -> None:
    """New columns are nullable or have a default, none goes or changes its type, and no role loses a right that it
    uses.
    """
    newer = await at_version(after)
    await furnish(newer, upto=version)  # as the older version writes
    older = await at_version(version)
    await furnish(older, upto=version)
    if after in stops_first():
        return
    assert misleads(await catalog_of(older), await catalog_of(newer)) == []


def columns_of(catalog: set[str]) -> dict[str, list[str]]:
    """By table.column: type, NOT NULL or nothing, default, identity, generated."""
    rows = [
        [part.strip() for part in line.removeprefix("column: ").split("|", 5)]
        for line in catalog
        if line.startswith("column: ")
    ]
    return {name: facts for name, *facts in rows}


def misleads(older: set[str], newer: set[str]) -> list[str]:
    """What the older version relies on and the schema of the next no longer gives."""
    wrong = [line for line in older - newer if re.match(r"(grant|column grant|schema grant|view): ", line)]
    was, now = columns_of(older), columns_of(newer)
    for name, (kind, needed, _, _, made) in was.items():
        if name not in now or now[name][0] != kind or now[name][4] != made:
            wrong.append(f"{name} has gone or is another")
        elif now[name][1] and not needed and not now[name][2]:
            wrong.append(f"{name} must be given now, and has no default")
    tables = {name.partition(".")[0] for name in was}
    for name, (_, needed, default, identity, made) in now.items():
        if name not in was and name.partition(".")[0] in tables and needed and not (default or identity or made):
            wrong.append(f"{name} is new, must be given, and has no default")
    return sorted(wrong)


OLD = {
    "column: owners.zone | text | NOT NULL | | |",
    "column: owners.email | text | | | |",
    "grant: owners telltale_desk SELECT",
}


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        (OLD - {"grant: owners telltale_desk SELECT"}, "grant: owners telltale_desk SELECT"),
        (OLD - {"column: owners.zone | text | NOT NULL | | |"}, "has gone"),
        (
            (OLD - {"column: owners.zone | text | NOT NULL | | |"})
            | {"column: owners.zone | character varying(40) | NOT NULL | | |"},
            "another",
        ),
        (
            (OLD - {"column: owners.email | text | | | |"}) | {"column: owners.email | text | NOT NULL | | |"},
            "must be given now",
        ),
        (OLD | {"column: owners.born | date | NOT NULL | | |"}, "is new, must be given"),
    ],
)
def test_what_would_mislead_an_older_version_is_named(changed: set[str], text: str) -> None:
    assert [line for line in misleads(OLD, changed) if text in line]
    assert (
        misleads(
            OLD,
            OLD
            | {
                "column: owners.born | date | | | |",
                "column: owners.n | bigint | NOT NULL | 0 | |",
                "column: more.n | bigint | NOT NULL | | |",
            },
        )
        == []
    )


async def test_every_table_has_rows_to_be_upgraded(database: Database) -> None:
    """A new table needs a file in tests/integration/store/rows: without rows its upgrade is not tested."""
    connection = await asyncpg.connect(database.url)
    await furnish(connection)
    empty_ones = [table for table, rows in (await rows_of(connection)).items() if not rows]
    assert empty_ones == ["readings_impossible"] or empty_ones == []
    await connection.close()


async def test_everybody_goes_on_working_while_the_database_is_brought_up(at_version: Make, tmp_path: Path) -> None:
    """Writes and reads over every step since the doors: now and then one is asked to come again, none goes wrong, and
    none is lost.
    """
    database = await at_version("0008")
    await furnish(database, upto="0008")
    pools = {
        role: await open_pool(role_url(database.url, SECRET, f"telltale_{role}"), name=role, size=3)
        for role in ("worker", "desk")
    }
    done, again, stop = [], [], asyncio.Event()

    async def write(who: int) -> None:
        for n in itertools.count():
            if stop.is_set():
                return
            try:
                async with transaction(pools["worker"]) as connection:
                    owner = await connection.fetchval(
                        "INSERT INTO owners (dealer_id, name, channel, language, zone, created_at) "
                        "VALUES (1, $1, 'phone', 'de', 'UTC', '2026-11-26') RETURNING id",
                        f"{who} {n}",
                    )
                    await connection.execute("INSERT INTO threads (dealer_id, owner_id) VALUES (1, $1)", owner)
                done.append(f"{who} {n}")
            except Unavailable as error:
                again.append(str(error))

    async def read() -> None:
        while not stop.is_set():
            try:
                async with transaction(pools["desk"], 1) as connection:
                    for table in ("secrets", "staff", "sessions", "dealers"):
                        await connection.fetch(f"SELECT dealer_id FROM {table}")
                    await connection.fetch("SELECT * FROM secret_of(sha256('key 1'), ARRAY['api_key'])")
            except Unavailable as error:
                again.append(str(error))

    work = [asyncio.create_task(write(n)) for n in range(3)] + [asyncio.create_task(read()) for _ in range(2)]
    for version in VERSIONS[VERSIONS.index("0008") + 1 :]:
        await migrate(database.url, SECRET, upto(version, tmp_path / "old"))
        before = len(done)
        while len(done) < before + 5:
            await asyncio.sleep(0.01)
    stop.set()
    await asyncio.gather(*work)
    assert {
        row["name"] for row in await database.fetch("SELECT name FROM owners JOIN threads ON owner_id = owners.id")
    } >= set(done)
    for pool in pools.values():
        await pool.close()
