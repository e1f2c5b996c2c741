"""The desk's doors, with two furnished dealers behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from dealer_api.acts import bookings
from dealer_api.acts.house import House
from dealer_api.application import build
from dealer_api.live import Live
from proofs.doors.callers import Caller, person
from proofs.doors.dealers import Furnished, furnish
from proofs.doors.requests import Requests
from rules.wording import Wording
from schemas.booking import BookingKind
from store.pool import Pool
from telltale import data
from tests.standing import Clock, PoolAs, house_of

MONDAY = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


@dataclass
class Doors:
    """Two dealers, whoever knocks, and where."""

    url: str
    http: aiohttp.ClientSession
    house: House
    admin: Pool
    dealers: tuple[Furnished, Furnished]
    requests: dict[int, Requests]
    people: dict[tuple[int, str], Caller]

    def key(self, made: Furnished, label: str = "all") -> Caller:
        return Caller(f"key {label}", "api", key=made.keys[label])


@pytest.fixture
async def doors(database: Any, pool_as: PoolAs) -> AsyncIterator[Doors]:
    clock = Clock(MONDAY)
    house = await house_of(pool_as, clock, Wording(data.texts()), size=12, owner_size=12)
    admin = await pool_as("admin")
    made = tuple([await furnish(house, admin, letter=letter) for letter in "BC"])
    server = TestServer(build(house, Live(database.role("desk"))))
    await server.start_server()
    url = str(server.make_url("")).rstrip("/")
    http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), connector=aiohttp.TCPConnector(limit=20))
    try:
        people = {(one.id, role): await person(http, url, role, one.cookies[role]) for one in made for role in ("driver", "technician", "advisor", "manager")}
        requests = {}
        for one in made:
            windows = {kind.value: [free.window.starts_at for free in await bookings.free_windows(house, one.id, kind)] for kind in BookingKind}
            requests[one.id] = Requests(one, MONDAY, windows)
        yield Doors(url, http, house, admin, made, requests, people)
    finally:
        await http.close()
        await server.close()
