"""Bring a database to this version: dbmate over plain SQL files, then passwords for the services' login roles."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from schemas.errors import Misconfigured, Unavailable

MIGRATIONS = Path(__file__).parent / "migrations"
ROLES = ("telltale_gateway", "telltale_worker", "telltale_desk", "telltale_owner_page")
_ATTEMPTS = 5


async def migrate(url: str, secret: str) -> None:
    """Idempotent, and safe when several start at once."""
    await asyncio.to_thread(_dbmate, url)
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except (OSError, asyncpg.PostgresError) as error:
        raise Unavailable("the database", str(error)) from error
    try:
        await _give_passwords(connection, secret)
    finally:
        await connection.close()


def role_url(url: str, secret: str, role: str) -> str:
    """The same database, signed in as a service's role instead of its owner."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{password_of(secret, role)}@{host}"))


def password_of(secret: str, role: str) -> str:
    """Derived, so that nothing but the one secret needs to be kept or handed around."""
    return hmac.new(secret.encode(), role.encode(), hashlib.sha256).hexdigest()


async def _give_passwords(connection: asyncpg.Connection, secret: str) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            async with connection.transaction():
                for role in ROLES:  # a hex digest needs no quoting, and ALTER ROLE takes no parameters
                    await connection.execute(f"ALTER ROLE {role} LOGIN PASSWORD '{password_of(secret, role)}'")
            return
        except asyncpg.InternalServerError:  # "tuple concurrently updated": roles belong to the whole server
            if attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(0.1 * (attempt + 1))


def _dbmate(url: str) -> None:
    program = shutil.which("dbmate", path=str(Path(sys.executable).parent)) or shutil.which("dbmate")
    if program is None:
        raise Misconfigured("dbmate", "is not installed: ./run installs it with the locked packages")
    done = subprocess.run(
        [program, "--migrations-dir", str(MIGRATIONS), "--no-dump-schema", "migrate"],
        env={"DATABASE_URL": _with_plain_tcp(url)},  # not an argument: those are readable by everyone on the machine
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0:
        raise Misconfigured("DATABASE_URL", f"migration failed: {done.stderr.strip()[-600:] or done.stdout.strip()[-600:]}")


def _with_plain_tcp(url: str) -> str:
    """dbmate insists on TLS unless told; the embedded server has none, and an address that says otherwise is kept."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if parts.hostname in ("127.0.0.1", "localhost", "::1"):
        query.setdefault("sslmode", "disable")
    return urlunsplit(parts._replace(scheme="postgres", query=urlencode(query)))
