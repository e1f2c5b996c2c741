"""The walk over all rights (tests/house/test_rights.py) turns red for each right too many."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from tests.conftest import Database
from tests.furniture import furnish
from tests.house.test_rights import agree, rights_of_all, rights_written


@pytest.fixture
async def admin(database: Database) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database.url)
    await furnish(connection)
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    ("sabotage", "table"),
    [
        ("CREATE POLICY leak ON owners FOR SELECT TO telltale_desk USING (true)", "owners"),
        ("ALTER POLICY own_dealer ON messages USING (dealer_id = app_dealer() OR app_dealer() IS NULL)", "messages"),
        ("ALTER POLICY own_dealer ON bookings WITH CHECK (true)", "bookings"),
        ("ALTER TABLE cases DISABLE ROW LEVEL SECURITY", "cases"),
        ("GRANT SELECT ON sign_ins TO telltale_owner_page", "sign_ins"),
        (
            "GRANT UPDATE ON sign_ins TO telltale_worker; GRANT "
            "SELECT ON sign_ins TO telltale_worker; CREATE POLICY m ON sign_ins TO telltale_worker USING (true)",
            "sign_ins",
        ),
        ("GRANT DELETE ON history TO telltale_desk", "history"),
        ("CREATE TABLE forgotten (dealer_id bigint, said text); INSERT INTO forgotten VALUES (1, 'x')", "forgotten"),
    ],
)
async def test_the_walk_finds_each_right_too_many(admin, database: Database, sabotage, table):
    await admin.execute(sabotage)
    with pytest.raises(AssertionError, match=rf"\+ \| `{table}`"):
        agree(await rights_of_all(admin, database), rights_written())
