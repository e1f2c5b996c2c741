"""The house's own key: opened by the secret of today, and by that of yesterday until it was sealed anew."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg
import pytest

from schemas.errors import Misconfigured
from store import house_key
from store.house_key import KeyHolder, opened
from tests.conftest import SECRET, Database

MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
async def owner(database: Database):
    connection = await asyncpg.connect(database.url)
    yield connection
    await connection.close()


async def test_a_change_of_the_secret_seals_the_same_key_anew(owner):
    key = await KeyHolder(SECRET).key(owner)
    assert len(key) == 32
    assert await KeyHolder("new", SECRET).key(owner) == key  # services started with both, before the migration
    await house_key.ensure(owner, "new", SECRET, MIDNIGHT)
    assert await KeyHolder("new").key(owner) == key
    with pytest.raises(Misconfigured, match="TELLTALE_SECRET_PREVIOUS"):
        await KeyHolder(SECRET).key(owner)
    await house_key.ensure(owner, "new", "", MIDNIGHT)
    assert await KeyHolder("new").key(owner) == key


async def test_a_key_that_nobody_can_open_is_left_alone_and_told(owner, capsys: pytest.CaptureFixture[str]):
    sealed = await owner.fetchval("SELECT sealed FROM house_key")
    await house_key.ensure(owner, "wrong", "also wrong", MIDNIGHT)
    assert await owner.fetchval("SELECT sealed FROM house_key") == sealed and opened(sealed, [SECRET]) is not None
    assert "house_key_shut" in capsys.readouterr().out


async def test_nothing_of_the_key_stands_in_the_database(owner):
    key, sealed = await KeyHolder(SECRET).key(owner), await owner.fetchval("SELECT sealed FROM house_key")
    assert key not in sealed and SECRET.encode() not in sealed
    await owner.execute("DELETE FROM house_key")
    with pytest.raises(Misconfigured, match="run `telltale migrate`"):
        await KeyHolder(SECRET).key(owner)
