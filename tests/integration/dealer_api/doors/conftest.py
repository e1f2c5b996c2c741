"""The desk's doors, with two furnished dealers behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from proofs.doors.ground import Ground, open_doors
from rules.service.wording import Wording
from telltale import data
from tests.conftest import Database
from tests.standing import Clock, PoolAs, house_of

MONDAY = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


@pytest.fixture
async def doors(database: Database, pool_as: PoolAs) -> AsyncIterator[Ground]:
    house = await house_of(pool_as, Clock(MONDAY), Wording(data.texts()), size=12, owner_size=12)
    async with open_doors(house, await pool_as("admin"), database.role("desk")) as ground:
        yield ground
