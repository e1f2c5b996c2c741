"""The second lock over the life of a connection: after it was used by somebody else, inside errors, and when work is
broken off.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from store.pool import transaction
from tests.furniture import furnish
from tests.standing import PoolAs

TENANT_TABLES = """
SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'dealer_id'
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
  AND has_any_column_privilege($1, c.oid, 'SELECT') ORDER BY 1
"""


@pytest.fixture(params=["desk", "owner_page"])
async def role(request: pytest.FixtureRequest, pool_as: PoolAs) -> str:
    admin = await pool_as("admin", size=1)
    async with admin.acquire() as connection:
        await furnish(connection)
    return str(request.param)


@pytest.fixture(params=[True, False], ids=["spotless", "wiped"])
async def pool(request: pytest.FixtureRequest, role: str, pool_as: PoolAs) -> Any:
    """One connection, so that whoever comes next gets the one that was used before."""
    return await pool_as(role, size=1, spotless=request.param)


async def seen(pool: Any, role: str, dealer: int | None) -> set[int]:
    """Whose rows the next one gets to see, over all tables."""
    async with transaction(pool, dealer) as connection:
        return await dealers_seen(connection, role)


async def dealers_seen(connection: Any, role: str) -> set[int]:
    found: set[int] = set()
    tables = [row["name"] for row in await connection.fetch(TENANT_TABLES, f"telltale_{role}")]
    assert len(tables) > 15
    for table in tables:
        found |= {row["dealer_id"] for row in await connection.fetch(f'SELECT DISTINCT dealer_id FROM "{table}"')}
    return found


async def test_a_connection_that_served_one_dealer_shows_the_next_nothing_of_them(pool, role):
    assert await seen(pool, role, None) == set()
    for dealer in (1, 2, None, 1, None):
        assert await seen(pool, role, dealer) == ({dealer} if dealer else set())


async def look_at_another_and_fail(connection: Any) -> None:
    async with connection.transaction():
        await connection.execute("SELECT set_config('app.dealer', '2', true)")
        await connection.execute("SELECT 1/0")


async def test_an_error_neither_widens_nor_keeps_the_sight(pool, role):
    async with transaction(pool, 1) as connection:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await look_at_another_and_fail(connection)
        assert await dealers_seen(connection, role) == {1}  # undone with the savepoint
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with transaction(pool, 2) as connection:
            await connection.execute("SELECT 1/0")
    assert await seen(pool, role, None) == set()


async def test_work_that_is_broken_off_leaves_no_dealer_behind(pool, role):
    inside = asyncio.Event()

    async def work() -> None:
        async with transaction(pool, 1) as connection:
            inside.set()
            await connection.execute("SELECT pg_sleep(60)")

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await seen(pool, role, None) == set()
    assert await seen(pool, role, 2) == {2}


async def test_what_is_no_number_is_nobodys_dealer(pool, role):
    for odd in ("", "0", "-1", "999999"):
        async with transaction(pool) as connection:
            await connection.execute("SELECT set_config('app.dealer', $1, true)", odd)
            assert await dealers_seen(connection, role) == set()
    async with transaction(pool) as connection:
        await connection.execute("SELECT set_config('app.dealer', '1 OR 1=1', true)")
        with pytest.raises(asyncpg.DataError):
            await connection.fetch("SELECT * FROM owners")


def test_the_dealer_is_only_ever_named_for_one_transaction():
    """`set_config(…, false)` or SET would outlive it, and a connection of a spotless pool is never wiped."""
    store = Path(__file__).resolve().parents[3] / "store"
    named = [
        call
        for path in store.rglob("*.py")
        for call in re.findall(r"set_config\([^)]*\)|SET\s+(?:SESSION\s+)?app\.\w+", path.read_text())
    ]
    assert named and all(re.fullmatch(r"set_config\('app\.dealer', \$1, true\)", call) for call in named), named
