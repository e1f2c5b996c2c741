"""Bring a database to this version: dbmate over plain SQL files, then passwords for the services' login roles."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from schemas.errors import Misconfigured, Unavailable
from store import roles
from store.roles import password_of, role_url

MIGRATIONS = Path(__file__).parent / "migrations"
__all__ = ["MIGRATIONS", "migrate", "password_of", "role_url"]


async def migrate(url: str, secret: str) -> None:
    """Idempotent, and safe when several start at once."""
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except (OSError, asyncpg.PostgresError) as error:
        raise Unavailable("the database", str(error)) from error
    try:
        await roles.ensure(connection)
        await asyncio.to_thread(_dbmate, url)
        await roles.give_passwords(connection, secret)
    finally:
        await connection.close()


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
