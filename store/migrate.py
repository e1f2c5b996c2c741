"""Bring a database to this version: roles, dbmate over plain SQL files, then passwords for the services' login
roles.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
import structlog

from schemas.errors import Misconfigured, Unavailable
from store import house_key, roles, witness
from store.connecting import CONNECT_S, SignInRefused, account_of, each_host
from store.roles import password_of, role_url

log = structlog.get_logger()

MIGRATIONS = Path(__file__).parent / "migrations"
__all__ = ["MIGRATIONS", "migrate", "password_of", "role_url"]

#: Whoever waits for a lock holds up everybody behind them, so a migration waits briefly and comes again.
LOCK_TIMEOUT, STATEMENT_TIMEOUT = "3s", "30min"
_ATTEMPTS, _LONGEST_S = 6, 3600
_DBMATES = {"sslmode", "sslrootcert", "sslcert", "sslkey", "options", "host", "port"}  # what its driver understands
_KEPT = "CREATE TABLE IF NOT EXISTS migration_checksums (version text PRIMARY KEY, checksum text NOT NULL)"
_NOTE = """
INSERT INTO migration_checksums (version, checksum) SELECT v, c FROM unnest($1::text[], $2::text[]) AS n (v, c)
JOIN schema_migrations s ON s.version = v ON CONFLICT (version) DO NOTHING
"""


async def migrate(url: str, secret: str, folder: Path = MIGRATIONS, *, previous: str = "") -> None:
    """Idempotent, and safe when several start at once. Of several hosts in `url` the one that takes writes is migrated.
    `previous` is the secret before this one, while it is being changed: what was sealed with it is sealed anew.

    Raises Misconfigured when `url` leads nowhere, or a migration fails or was edited after it had been applied.
    """
    host = await writable(url)
    connection = await asyncpg.connect(host, timeout=CONNECT_S)
    try:
        await roles.ensure(connection)
        await _compare(connection, folder)
        tls = bool(await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
        await _apply(host, folder, tls=tls)
        await _note(connection, folder)
        await house_key.ensure(connection, secret, previous, witness.machine())
        await roles.give_passwords(connection, secret)
    finally:
        await connection.close()


async def writable(url: str) -> str:
    """The address of the one host of `url` that takes writes."""
    problems: list[str] = []
    for host in each_host(url):
        try:
            connection = await asyncpg.connect(host, timeout=CONNECT_S)
        except asyncpg.InvalidPasswordError as error:
            if account_of(host) in roles.ROLES:
                raise SignInRefused(account_of(host)) from None
            hint = (
                ""
                if account_of(host)
                else " (it names no account; what changes or backs up a database needs its owner's)"
            )
            raise Misconfigured("DATABASE_URL", f"{error}{hint}") from None
        except asyncpg.InvalidCatalogNameError as error:
            raise Misconfigured("DATABASE_URL", str(error)) from None
        except asyncpg.PostgresError as error:  # starting up, or no connection free
            raise Unavailable("the database", str(error)) from error
        except (OSError, TimeoutError) as error:
            problems.append(f"{_name_of(host)}: {str(error) or type(error).__name__}")
            continue
        try:
            if not await connection.fetchval(
                "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'"
            ):
                return host
            problems.append(f"{_name_of(host)}: only reads")
        finally:
            await connection.close()
    if any(word.endswith("only reads") for word in problems):  # being restored, or between two primaries
        raise Unavailable("the database", f"no server there takes writes: {'; '.join(problems)}")
    raise Misconfigured("DATABASE_URL", f"no server answers there ({'; '.join(problems)})")


def checksums(folder: Path = MIGRATIONS) -> dict[str, str]:
    """Version ("0001") to sha256 of each migration as it lies here."""
    return {
        path.name.partition("_")[0]: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.glob("*.sql"))
    }


async def _compare(connection: asyncpg.Connection, folder: Path) -> None:
    """Refuse to go on from a migration that says something else today than what was done to this database."""
    if not await connection.fetchval("SELECT to_regclass('migration_checksums')"):
        return
    here = checksums(folder)
    for row in await connection.fetch("SELECT version, checksum FROM migration_checksums ORDER BY version"):
        if here.get(row["version"], row["checksum"]) != row["checksum"]:
            raise Misconfigured(
                f"store/migrations/{row['version']}",
                "was edited after this database had applied it: put the file back as it was, and write what is to "
                "change into a new migration",
            )


async def _note(connection: asyncpg.Connection, folder: Path) -> None:
    """A database that was migrated before checksums were kept is believed as it is."""
    here = checksums(folder)
    await connection.execute(_KEPT)
    await connection.execute(_NOTE, list(here), list(here.values()))


async def _apply(url: str, folder: Path, *, tls: bool) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        wrong = await asyncio.to_thread(_dbmate, _for_dbmate(url, tls=tls), folder)
        if not wrong:
            return
        if "lock timeout" not in wrong or attempt == _ATTEMPTS:
            raise Misconfigured("DATABASE_URL", f"migration failed: {wrong}")
        log.info("migration_waits", reason="somebody holds a table that it needs", attempt=attempt)
        await asyncio.sleep(attempt)


def _dbmate(url: str, folder: Path) -> str:
    """Apply what is missing; what went wrong, or nothing."""
    program = shutil.which("dbmate", path=str(Path(sys.executable).parent)) or shutil.which("dbmate")
    if program is None:
        raise Misconfigured("dbmate", "is not installed: ./run installs it with the locked packages")
    done = subprocess.run(
        [program, "--migrations-dir", str(folder), "--no-dump-schema", "migrate"],
        env={"DATABASE_URL": url},  # not an argument: those are readable by everyone on the machine
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    return "" if done.returncode == 0 else done.stderr.strip()[-600:] or done.stdout.strip()[-600:] or "it said nothing"


def _for_dbmate(url: str, *, tls: bool) -> str:
    """The same address in the words of dbmate's driver, which knows neither several hosts nor `sslmode=prefer`: what we
    got is what it gets.
    """
    parts = urlsplit(url)
    query = {name: value for name, value in parse_qsl(parts.query) if name in _DBMATES}
    if not query.get("sslmode", "").startswith("verify-"):
        query["sslmode"] = "require" if tls else "disable"
    query |= {
        "lock_timeout": LOCK_TIMEOUT,
        "statement_timeout": STATEMENT_TIMEOUT,
        "application_name": "telltale-migrate",
    }
    return urlunsplit(parts._replace(scheme="postgres", query=urlencode(query)))


def _name_of(url: str) -> str:
    """The host as people named it, without the account."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or dict(parse_qsl(parts.query)).get("host", "localhost")
