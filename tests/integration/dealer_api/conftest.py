"""A desk over a fresh database: two dealers, their people, and a client that signs in."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher

from actions import passwords, sign_in
from actions.context import House
from actions.visitor import Visitor
from dealer_api import cookies
from dealer_api.application import build
from dealer_api.live import Live
from rules.service.wording import Wording
from schemas.account import Dealer, Role, Staff
from store import accounts, consents
from store.pool import Pool, transaction
from telltale import data
from tests.conftest import Database
from tests.standing import Clock, PoolAs, house_of

PASSWORD = "a good long password"
MONDAY = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)  # 08:30 in Berlin
_keys = itertools.count(1)


@dataclass
class Desk:
    """What a test holds: clients are signed in by role, `admin` sees every row."""

    app: web.Application
    house: House
    clock: Clock
    admin: Pool
    server: TestServer
    dealer: Dealer
    other: Dealer
    people: dict[tuple[int, str], Staff]
    _clients: dict[tuple[int, str], TestClient[Any, Any]] = field(default_factory=dict)

    def anonymous(self) -> TestClient[Any, Any]:
        return TestClient(self.server)

    async def as_role(self, role: str, dealer: Dealer | None = None) -> TestClient[Any, Any]:
        where = (dealer or self.dealer).id
        if (where, role) not in self._clients:
            client = TestClient(self.server)
            entered = await sign_in.enter(
                self.house, self.people[(where, role)], Visitor("127.0.0.1"), "password"
            )  # signing in itself is slow on purpose, and tested once
            client.session.cookie_jar.update_cookies({cookies.SESSION: entered.session}, self.server.make_url("/"))
            self._clients[(where, role)] = client
        return self._clients[(where, role)]

    async def post(
        self,
        client: TestClient[Any, Any],
        path: str,
        body: Any = None,
        key: str | None = None,
        expect: int | None = None,
    ) -> Any:
        """A POST with a key of its own; the body of the answer."""
        response = await client.post(
            path, json=body if body is not None else {}, headers={"Idempotency-Key": key or f"test-{next(_keys)}"}
        )
        answer = await response.json()
        assert expect is None or response.status == expect, (response.status, answer)
        assert expect is not None or response.status < 300, (response.status, answer)
        return answer

    async def get(self, client: TestClient[Any, Any], path: str, expect: int = 200) -> Any:
        response = await client.get(path)
        answer = await response.json()
        assert response.status == expect, (response.status, answer)
        return answer


async def agrees(desk: Any, owner_id: int, dealer: Dealer | None = None) -> None:
    """This owner said yes to every purpose: an offer to somebody who did not is refused."""
    dealer_id = (dealer or desk.dealer).id
    async with transaction(desk.house.pool, dealer_id) as connection:
        await consents.give(
            connection,
            dealer_id,
            owner_id,
            dict.fromkeys(consents.OWNERS_PURPOSES, True),
            now=desk.house.now(),
            source="test",
            wording="I agree",
        )


HOURS = "Mo-Fr 08:00-18:00; Sa 09:00-13:00; PH off"


async def make_dealer(
    worker: Pool, name: str, hashed: str, now: datetime, **changes: Any
) -> tuple[Dealer, dict[tuple[int, str], Staff]]:
    people = {}
    facts = {
        "zone": "Europe/Berlin",
        "country": "DE",
        "phone": "+4930111",
        "address": "Werkstr. 1, Berlin",
        "opening_hours": HOURS,
        "language": "de",
        **changes,
    }
    async with transaction(worker) as connection:
        dealer = await accounts.create_dealer(connection, name=name, now=now, **facts)
        for n in (1, 2):
            await accounts.add_resource(connection, dealer.id, "bay", f"Bay {n}")
        for role in Role:
            people[(dealer.id, role.value)] = await accounts.add_staff(
                connection,
                dealer.id,
                name=f"{role.value.title()} of {name}",
                email=f"{role.value}@{name.lower().replace(' ', '-')}.example",
                phone=f"+4917604{dealer.id:03}{len(people):03}",
                role=role,
                language="en",
                password_hash=hashed,
                now=now,
            )
    return dealer, people


_CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
_NOBODY = _CHEAP.hash("nobody's")


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2 is slow on purpose, and goes the same way when it is quick.

    How slow it is: tests/unit/dealer_api/test_password_hashes.py.
    """
    monkeypatch.setattr(passwords, "_HASHER", _CHEAP)
    monkeypatch.setattr(passwords, "_nobody", lambda: _NOBODY)


@pytest.fixture(scope="session")
def hashed_password() -> str:
    return _CHEAP.hash(PASSWORD)


@pytest.fixture
def demo() -> bool:
    """A real house, unless a file of tests says otherwise: then the first dealer is the demo's."""
    return False


@pytest.fixture
async def desk(database: Database, pool_as: PoolAs, hashed_password: str, demo: bool) -> AsyncIterator[Desk]:
    clock = Clock(MONDAY)
    worker = await pool_as("office")
    dealer, people = await make_dealer(worker, "Nord", hashed_password, clock())
    other, others = await make_dealer(worker, "Sued", hashed_password, clock())
    if demo:
        async with transaction(worker) as connection:
            await accounts.mark_demo(connection, dealer.id)
    house = await house_of(pool_as, clock, Wording(data.texts()), size=12, owner_size=12, demo=demo)
    app = build(house, Live(database.role("desk")))
    server = TestServer(app)
    await server.start_server()
    made = Desk(app, house, clock, await pool_as("admin"), server, dealer, other, {**people, **others})
    yield made
    for client in made._clients.values():
        await client.close()
    await server.close()
