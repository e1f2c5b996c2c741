"""The ground on which proofs and benches of the desk stand: a database server of their own, a dealer, a house without
doors.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from actions.context import House
from rules.service.wording import Wording
from schemas.account import Dealer
from store import accounts
from store.migrate import migrate
from store.pool import Connection, Pool
from telltale import data
from telltale.embedded.postgres import EmbeddedPostgres


@asynccontextmanager
async def own_database(secret: str) -> AsyncIterator[str]:
    """A migrated, empty database as its owner's URL, in a folder that the database's account can enter; nothing of it
    stays.
    """
    home = Path(tempfile.mkdtemp(prefix="telltale-proof-"))
    home.chmod(0o711)
    postgres = EmbeddedPostgres(home)
    try:
        await postgres.start()
        await migrate(postgres.url, secret)
        yield postgres.url
    finally:
        await postgres.stop()
        shutil.rmtree(home, ignore_errors=True)


async def bench_dealer(connection: Connection, now: datetime) -> Dealer:
    """Open around the clock, in UTC: no bench is about calendars."""
    return await accounts.create_dealer(
        connection,
        name="Bench",
        zone="UTC",
        country="DE",
        phone="+490",
        address="here",
        opening_hours="24/7",
        language="en",
        now=now,
    )


def bench_house(pool: Pool, now: datetime, secret: str) -> House:
    """The desk's acts at a moment that stands still."""
    return House(
        pool,
        pool,
        clock=lambda: now,
        wording=Wording(data.texts()),
        base_url="http://bench.example",
        secret=secret,
        profiles=data.profiles(),
    )
