"""PostgreSQL servers of a test's own: the one that comes with us, and the one that Debian ships."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from proofs.production.postgres import newest
from telltale.embedded import binaries
from telltale.embedded.postgres import EmbeddedPostgres

VERSIONS = ("embedded", "debian")


def programs(version: str) -> Path:
    """The `bin` folder of that PostgreSQL."""
    if version == "embedded":
        return binaries.find()
    found = newest()
    if found is None:
        pytest.skip("the distribution's PostgreSQL is not on this machine (on Debian: apt-get install postgresql)")
    return found


@asynccontextmanager
async def server(home: Path, version: str = "embedded", **settings: str) -> AsyncIterator[EmbeddedPostgres]:
    """A server that runs until the block ends; its `url` is a superuser's."""
    async with EmbeddedPostgres(home, programs=programs(version), settings=settings or None) as started:
        yield started


async def plain_owner(superuser: str, database: str = "house") -> str:
    """A database whose owner may make roles and is no superuser, as a hosted PostgreSQL gives it; its owner's URL."""
    password = secrets.token_hex(8)
    admin = await asyncpg.connect(superuser)
    try:
        await admin.execute(f"CREATE ROLE {database}_owner LOGIN CREATEROLE PASSWORD '{password}'")
        await admin.execute(f"CREATE DATABASE {database} OWNER {database}_owner")
    finally:
        await admin.close()
    return signed_in(superuser, f"{database}_owner", password, database)


def signed_in(url: str, user: str, password: str, database: str) -> str:
    """The same server, as somebody else, in another database."""
    parts = urlsplit(url)
    return urlunsplit(
        parts._replace(netloc=f"{user}:{password}@{parts.netloc.rpartition('@')[2]}", path=f"/{database}")
    )


def lend(folder: Path) -> None:
    """To the account that runs our servers, for it alone."""
    who = binaries.account()
    for path in (folder, *folder.rglob("*")):
        if who.borrowed:
            os.chown(path, who.uid, who.gid)
    folder.chmod(0o700)
