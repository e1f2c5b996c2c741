"""Bringing a database to this version, by accounts and on servers of different kinds."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from store.migrate import migrate
from store.roles import ROLES, role_url
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
        assert await desk.fetchval("SELECT dealer_at('+49')") == dealer  # the doors open for an owner whom FORCE shuts out
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
