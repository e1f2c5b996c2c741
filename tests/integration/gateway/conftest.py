"""A gateway in this process on the session's broker and a fresh database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rules.catalogue import RULES
from rules.judge import Judge
from telltale import data
from tests.integration.gateway.world import World, now


@pytest.fixture(scope="session")
def judge() -> Judge:
    return Judge(RULES, data.profiles())


@pytest.fixture
async def world(database, broker, pool_as, judge) -> AsyncIterator[World]:
    pool = await pool_as("admin")
    dealer = await pool.fetchval(
        "INSERT INTO dealers (name, zone, country, phone, address, opening_hours, language, created_at) "
        "VALUES ('Test', 'Europe/Berlin', 'DE', '+49301234567', 'Street 1', 'Mo-Fr 08:00-18:00', 'en', $1) RETURNING id",
        now(),
    )
    made = World(database, broker, pool, dealer, judge)
    yield made
    for car in made.cars:
        car.close()
    for task in made.gateways:
        await made.stop(task)
