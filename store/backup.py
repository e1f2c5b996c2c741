"""A backup of everything that a database holds, made while it runs; and the way back, onto a server that knows nothing
of us.

A backup is a folder: `database.dump` (pg_dump's custom format) and `manifest.json`, which says what is in it, as of one
moment: the rows of each table, the migrations, and the sha256 of the dump. It appears under its name only when it is
whole.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

import asyncpg

from schemas.errors import Misconfigured, Unavailable
from store import roles
from store.connecting import CONNECT_S
from store.erasing import Tombstone, tombstones
from store.migrate import migrate, writable

DUMP, MANIFEST = "database.dump", "manifest.json"
FORMAT = 1
_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname"
_MIGRATIONS = "SELECT version, checksum FROM migration_checksums ORDER BY version"
#: Roles of the server's owner to whom something in this database was granted: a dump speaks of them and does not make
#: them.
_OTHERS = """
SELECT DISTINCT r.rolname FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype IN ('a', 'r') AND d.dbid = (SELECT oid FROM pg_database
  WHERE datname = current_database())
    AND r.rolname <> ALL ($1::text[]) AND r.rolname NOT LIKE 'pg\\_%' AND NOT r.rolsuper
    AND r.rolname <> (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()) ORDER BY 1
"""
_ENVIRONMENT = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "host": "PGHOST",
    "port": "PGPORT",
}
Programs = Callable[
    [int, bool], Path
]  #: (PostgreSQL's major version, whether the line is encrypted) -> the folder of pg_dump and pg_restore


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `rows` by table; `others` are roles that are not ours and to which something was granted."""

    made_at: str
    postgres: int
    readings: bool
    migrations: dict[str, str]
    rows: dict[str, int]
    others: list[str]
    sha256: str
    bytes: int
    format: int = FORMAT


async def back_up(
    url: str,
    folder: Path,
    programs: Programs,
    *,
    made_at: datetime,
    readings: bool = True,
    beside: Callable[[Path], object] = lambda folder: None,
) -> Manifest:
    """Write a backup to `folder`, which must not exist. Without `readings` the days of readings are left out, not their
    tables. `beside` puts into the folder what lies outside the database, after the dump.

    Raises Misconfigured when the account of `url` may not read everything, and leaves nothing half-made.
    """
    if folder.exists():
        raise Misconfigured("--to", f"{folder} is there already: a backup is never written over another one")
    half = folder.with_name(folder.name + ".partial")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True, mode=0o700)
    try:
        manifest = await _dump(await writable(url), half / DUMP, programs=programs, made_at=made_at, readings=readings)
        await asyncio.to_thread(beside, half)
        (half / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1) + "\n")
        _on_disk(half / MANIFEST, half)
        half.rename(folder)
        _on_disk(folder.parent)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    return manifest


async def restore(url: str, secret: str, folder: Path, programs: Programs, *, jobs: int = 1) -> Manifest:
    """Bring a backup into the database of `url`, which is made if need be and must be empty; then bring it to this
    version.

    With one job it is all or nothing; with more it is quicker, and after a failure the database has to be dropped.
    """
    manifest = checked(folder)
    await _make_database(url)
    host = await writable(url)
    async with _connection(host) as connection:
        tables = [row["relname"] for row in await connection.fetch(_TABLES)]
        if tables:
            raise Misconfigured(
                "DATABASE_URL",
                f"holds {len(tables)} tables already ({tables[0]} …): a backup is only brought into an empty database",
            )
        await roles.ensure(connection)
        for role in manifest.others:
            with suppress(asyncpg.DuplicateObjectError):
                await connection.execute(
                    await connection.fetchval("SELECT format('CREATE ROLE %I NOLOGIN', $1::text)", role)
                )
        version, tls = connection.get_server_version().major, await _encrypted(connection)
        how = ["--single-transaction"] if jobs == 1 else [f"--jobs={jobs}"]
        words = [
            "--no-owner",
            "--no-comments",
            "--exit-on-error",
            *how,
            f"--dbname={_database(host)}",
            str(folder / DUMP),
        ]
        await _run(programs(max(version, manifest.postgres), tls) / "pg_restore", words, host)
        arrived = await _arrived(connection, list(manifest.rows))
        different = {name: (count, arrived[name]) for name, count in manifest.rows.items() if arrived[name] != count}
        if different:
            raise Misconfigured(
                str(folder), f"is not all there: {different} (rows that the manifest says, rows that arrived)"
            )
    await migrate(url, secret)
    return manifest


async def erased(url: str) -> list[Tombstone]:
    """Whoever was erased until now: a backup that is older knows nothing of it. Read as a backup reads."""
    async with _connection(await writable(url)) as connection, connection.transaction(readonly=True):
        await roles.become_backup(connection)
        return await tombstones(connection)


def checked(folder: Path) -> Manifest:
    """The manifest of a backup that is whole."""
    try:
        payload = json.loads((folder / MANIFEST).read_text())
        if payload.get("format") != FORMAT:
            raise Misconfigured(
                str(folder), f"is of format {payload.get('format')}; this version reads format {FORMAT}"
            )
        manifest = Manifest(**payload)
        whole = _sha256(folder / DUMP) == manifest.sha256
    except (OSError, ValueError, TypeError) as error:
        raise Misconfigured(str(folder), f"is no backup ({type(error).__name__}: {error})") from None
    if not whole:
        raise Misconfigured(str(folder / DUMP), "is not the file that the manifest speaks of: its sha256 differs")
    return manifest


async def _dump(url: str, file: Path, programs: Programs, made_at: datetime, readings: bool) -> Manifest:
    async with _connection(url) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        await roles.become_backup(connection)
        moment = await connection.fetchval(
            "SELECT pg_export_snapshot()"
        )  # what is counted and what is dumped are the same rows
        words = [
            "--format=custom",
            f"--role={roles.BACKUP}",
            f"--snapshot={moment}",
            "--no-password",
            f"--file={file}",
            *([] if readings else ["--exclude-table-data=readings_*"]),
        ]
        version, tls = connection.get_server_version().major, await _encrypted(connection)
        _, rows = await asyncio.gather(
            _run(programs(version, tls) / "pg_dump", words, url), _rows(connection, readings)
        )
        migrations = {row["version"]: row["checksum"] for row in await connection.fetch(_MIGRATIONS)}
        others = [row["rolname"] for row in await connection.fetch(_OTHERS, list(roles.ROLES))]
    _on_disk(file)
    return Manifest(
        made_at=made_at.isoformat(),
        postgres=version,
        readings=readings,
        migrations=migrations,
        rows=rows,
        others=others,
        sha256=await asyncio.to_thread(_sha256, file),
        bytes=file.stat().st_size,
    )


async def _rows(connection: asyncpg.Connection, readings: bool) -> dict[str, int]:
    tables = [row["relname"] for row in await connection.fetch(_TABLES)]
    return {
        name: 0 if name.startswith("readings_") and not readings else await _count(connection, name) for name in tables
    }


async def _arrived(connection: asyncpg.Connection, tables: Sequence[str]) -> dict[str, int]:
    """Counted by the tables' owner, whom FORCE shuts out: it is lifted for a moment that leaves no trace."""
    work = connection.transaction()
    await work.start()
    try:
        for row in await connection.fetch(
            "SELECT oid::regclass::text AS name FROM pg_class WHERE relforcerowsecurity "
            "AND relnamespace = 'public'::regnamespace"
        ):
            await connection.execute(f"ALTER TABLE {row['name']} NO FORCE ROW LEVEL SECURITY")
        return {name: await _count(connection, name) for name in tables}
    finally:
        await work.rollback()


async def _count(connection: asyncpg.Connection, table: str) -> int:
    return int(await connection.fetchval('SELECT count(*) FROM "{}"'.format(table.replace('"', '""')), timeout=None))


async def _encrypted(connection: asyncpg.Connection) -> bool:
    return bool(await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    """One that may take its time: a large database is counted and dumped for hours."""
    try:
        limits = {
            "statement_timeout": "0",
            "idle_in_transaction_session_timeout": "0",
            "application_name": "telltale-backup",
        }
        connection = await asyncpg.connect(url, timeout=CONNECT_S, server_settings=limits)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise Unavailable("the database", str(error) or type(error).__name__) from error
    try:
        yield connection
    finally:
        await connection.close()


async def _make_database(url: str) -> None:
    """On an empty server there is not even that."""
    parts = urlsplit(url)
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_S)
        await connection.close()
        return
    except asyncpg.InvalidCatalogNameError:
        pass
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise Unavailable("the database", str(error) or type(error).__name__) from error
    async with _connection(urlunsplit(parts._replace(path="/postgres"))) as connection:
        await connection.execute(
            await connection.fetchval(
                "SELECT format('CREATE DATABASE %I ENCODING ''UTF8'' TEMPLATE template0', $1::text)", _database(url)
            )
        )


async def _run(program: Path, words: Sequence[str], url: str) -> None:
    """One of PostgreSQL's programs; who signs in, and with what, stands in its environment: arguments are readable by
    everyone on the machine.
    """
    process = await asyncio.create_subprocess_exec(
        str(program),
        *words,
        env=_environment(url),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, errors = await process.communicate()
    except BaseException:
        with suppress(ProcessLookupError, TimeoutError):
            process.terminate()  # it ends its query on the server, too, which a kill would leave waiting for its lock
            await asyncio.wait_for(process.wait(), 30)  # by a connection of its own: that takes a busy machine seconds
        with suppress(ProcessLookupError):
            process.kill()
        raise
    if process.returncode != 0:
        raise Unavailable(
            program.name,
            " ".join(errors.decode(errors="replace").split())[-600:] or f"it ended with {process.returncode}",
        )


def _environment(url: str) -> dict[str, str]:
    """An address as libpq's environment says it."""
    parts = urlsplit(url)
    variables = {
        "PGHOST": parts.hostname,
        "PGPORT": str(parts.port or ""),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
    }
    variables |= {"PGDATABASE": _database(url), "PGAPPNAME": "telltale-backup", "PGCONNECT_TIMEOUT": "10"}
    variables |= {_ENVIRONMENT[name]: value for name, value in parse_qsl(parts.query) if name in _ENVIRONMENT}
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", **{name: value for name, value in variables.items() if value}}


def _database(url: str) -> str:
    return unquote(urlsplit(url).path.lstrip("/"))


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _on_disk(*paths: Path) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
