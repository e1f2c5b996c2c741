"""The database at its limits, seen from outside: no connection free, a password that is refused, a dead lock, a server
that does not answer. Whatever it is, nobody is told that it was our fault: 503 and when to come again, or the answer
itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
import structlog.testing
from aiohttp.test_utils import TestClient, TestServer

from actions import sign_in
from actions.context import House
from actions.visitor import Visitor
from dealer_api import cookies
from dealer_api.application import build
from dealer_api.live import Live
from dealer_api.routes import ROUTES
from rules.service.wording import Wording
from schemas.errors import Unavailable
from store.migrate import migrate
from store.pool import answers, open_pool, transaction
from store.roles import role_url
from telltale import data
from telltale.embedded.postgres import EmbeddedPostgres
from tests.integration.dealer_api.conftest import MONDAY, make_dealer
from tests.patience import PATIENCE_S
from tests.servers import VERSIONS, server
from tests.standing import Clock

SECRET = "secret"
WORDING = Wording(data.texts())
DOORS = [route for route in ROUTES if not route.streams]


@dataclass
class Limited:
    """A desk over a server of its own, with few connections, and a manager who is signed in."""

    postgres: EmbeddedPostgres
    house: House
    web: TestClient[Any, Any]

    async def every_door(self) -> dict[int, int]:
        """Knock at each; how often which status was answered. A 503 says when to come again."""
        seen: dict[int, int] = {}
        for route in DOORS:
            path = re.sub(r"\{(\w+)[^}]*\}", "1", route.path)
            async with self.web.request(
                route.method,
                path,
                json={} if route.method in ("POST", "PUT", "PATCH") else None,
                headers={"Idempotency-Key": path},
                allow_redirects=False,
            ) as response:
                assert response.status < 500 or response.status == 503, (
                    route.method,
                    path,
                    response.status,
                    await response.text(),
                )
                assert response.status != 503 or response.headers["Retry-After"] == "2", (route.method, path)
                seen[response.status] = seen.get(response.status, 0) + 1
        return seen


@asynccontextmanager
async def served(postgres: EmbeddedPostgres, url: str = "") -> AsyncIterator[Limited]:
    """`url`: another way to the same server."""
    desk, owner = (role_url(url or postgres.url, SECRET, f"telltale_{role}") for role in ("desk", "owner_page"))
    pools = [
        await open_pool(address, name="desk", size=3, statement_timeout_ms=3_000, spotless=True)
        for address in (desk, owner)
    ]
    house = House(
        pool=pools[0],
        owner_pool=pools[1],
        clock=Clock(MONDAY),
        wording=WORDING,
        base_url="http://desk.example",
        secret="test",
        profiles=data.profiles(),
    )
    office = await open_pool(role_url(postgres.url, SECRET, "telltale_office"), name="office", size=1)
    dealer, people = await make_dealer(office, f"Nord {id(house)}", "no password", MONDAY)
    await office.close()
    web = TestClient(TestServer(build(house, Live(desk))))
    await web.start_server()
    entered = await sign_in.enter(house, people[(dealer.id, "manager")], Visitor("127.0.0.1"), "password")
    web.session.cookie_jar.update_cookies({cookies.SESSION: entered.session}, web.make_url("/"))
    yield Limited(postgres, house, web)
    await web.close()
    for pool in pools:
        pool.terminate()


@pytest.fixture
async def limited(home: Any) -> AsyncIterator[Limited]:
    async with server(home, max_connections="14", superuser_reserved_connections="3") as postgres:
        await migrate(postgres.url, SECRET)
        async with served(postgres) as made:
            yield made


async def end_connections(limited: Limited) -> None:
    """The pools have to sign in anew."""
    admin = await asyncpg.connect(limited.postgres.url)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE usename IN ('telltale_desk', 'telltale_owner_page')"
    )
    await admin.close()


async def fill(limited: Limited, hogs: list[Any]) -> int:
    """Take every connection that is left; how many.

    Whoever ended the others may leave a moment later, and then one more is free.
    """
    before = len(hogs)
    with suppress(asyncpg.TooManyConnectionsError):
        while True:
            hogs.append(await asyncpg.connect(role_url(limited.postgres.url, SECRET, "telltale_worker")))
    return len(hogs) - before


async def test_with_no_connection_left_every_door_says_come_again(limited):
    hogs: list[Any] = []
    while await answers(limited.house.pool) or await answers(limited.house.owner_pool) or await fill(limited, hogs):
        await end_connections(limited)
        await fill(limited, hogs)
    try:
        seen = await limited.every_door()
        assert seen[503] > len(DOORS) * 3 / 4
    finally:
        for hog in hogs:
            await hog.close()
    assert (await limited.web.get("/api/v1/cases")).status == 200


async def test_with_a_password_that_is_refused_every_door_says_come_again(limited):
    admin = await asyncpg.connect(limited.postgres.url)
    await admin.execute(
        "ALTER ROLE telltale_desk PASSWORD 'changed'; ALTER ROLE telltale_owner_page PASSWORD 'changed'"
    )
    await end_connections(limited)
    seen = await limited.every_door()
    assert seen[503] > len(DOORS) * 3 / 4
    await migrate(limited.postgres.url, SECRET)
    assert (await limited.web.get("/api/v1/cases")).status == 200
    await admin.close()


async def test_a_deadlock_is_told_as_come_again_and_leaves_the_connection_fit(limited):
    """Two transactions that wait for each other: PostgreSQL ends one, and whoever asked for it gets a clean 503."""
    pool, dealer = limited.house.pool, 1
    async with transaction(pool, dealer) as connection:
        rows = [row["id"] for row in await connection.fetch("SELECT id FROM resources ORDER BY id LIMIT 2")]
    met = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> str:
        try:
            async with transaction(pool, dealer) as connection:
                await connection.execute("SELECT FROM resources WHERE id = $1 FOR UPDATE", first)
                await met.wait()
                await connection.execute("SELECT FROM resources WHERE id = $1 FOR UPDATE", second)
            return "done"
        except Unavailable:
            return "come again"

    assert sorted(await asyncio.gather(lock(rows[0], rows[1]), lock(rows[1], rows[0]))) == ["come again", "done"]
    async with transaction(pool, dealer) as connection:
        assert await connection.fetchval("SELECT count(*) FROM resources") > 1


async def test_a_serialization_failure_is_told_as_come_again(limited):
    pool, dealer = limited.house.pool, 1
    async with transaction(pool, dealer) as connection:
        row = await connection.fetchval("SELECT id FROM resources LIMIT 1")

    async def outdated() -> None:
        async with transaction(pool) as mine:
            await mine.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            await mine.execute("SELECT set_config('app.dealer', '1', true)")
            await mine.fetch("SELECT FROM resources")
            async with transaction(pool, dealer) as theirs:
                await theirs.execute("UPDATE resources SET retired_at = $2 WHERE id = $1", row, MONDAY)
            await mine.execute("UPDATE resources SET retired_at = NULL WHERE id = $1", row)

    with pytest.raises(Unavailable):
        await outdated()


async def test_a_change_of_the_schema_under_a_prepared_statement_is_told_as_come_again_and_then_works(limited):
    pool = limited.house.pool
    admin = await asyncpg.connect(limited.postgres.url)

    async def look() -> int:
        async with transaction(pool, 1) as connection:
            return len(await connection.fetch("SELECT * FROM resources"))

    count = await look()
    await admin.execute("ALTER TABLE resources ADD COLUMN note text")
    with pytest.raises(Unavailable):
        await look()
    assert await look() == count
    await admin.close()


class Line:
    """Between us and the server; while it is `dead` nothing passes, and nobody is told."""

    def __init__(self, port: int) -> None:
        self._port, self._flows = port, asyncio.Event()
        self._flows.set()

    async def __aenter__(self) -> Line:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.alive()
        self._server.close()

    def dead(self) -> None:
        self._flows.clear()

    def alive(self) -> None:
        self._flows.set()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
            await asyncio.gather(self._pour(reader, back), self._pour(there, writer))
        except OSError:
            writer.close()

    async def _pour(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while block := await source.read(65_536):
                await self._flows.wait()
                sink.write(block)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.close()


async def test_a_server_that_does_not_answer_is_not_waited_for_and_comes_back(home):
    """The line goes dead in the middle, and no connection is told: a call ends with 503, not with the patience of
    whoever asked.
    """
    async with server(home) as postgres:
        await migrate(postgres.url, SECRET)
        async with (
            Line(postgres.port) as line,
            served(postgres, postgres.url.replace(f":{postgres.port}/", f":{line.port}/")) as limited,
        ):
            assert (await limited.web.get("/api/v1/cases")).status == 200
            line.dead()
            statuses = await asyncio.gather(*(status(limited, "/api/v1/cases") for _ in range(8)))
            assert set(statuses) == {503}
            line.alive()
            async with asyncio.timeout(PATIENCE_S):
                while await status(limited, "/api/v1/cases") != 200:
                    await asyncio.sleep(0.1)


async def status(limited: Limited, path: str) -> int:
    async with asyncio.timeout(PATIENCE_S), limited.web.get(path) as response:
        return response.status


async def test_calls_that_are_broken_off_leave_no_connection_behind(home):
    """D-07. 3,000 calls, each cancelled somewhere on its way: afterwards the pool is whole and the server holds no more
    than the pool does.
    """
    async with server(home) as postgres:
        await migrate(postgres.url, SECRET)
        pool = await open_pool(role_url(postgres.url, SECRET, "telltale_desk"), name="storm", size=6, spotless=True)
        admin = await asyncpg.connect(postgres.url)

        async def call(n: int) -> None:
            async with transaction(pool, n % 3 + 1) as connection:
                await connection.execute("SELECT pg_sleep(0.002)")
                await connection.fetch("SELECT * FROM dealers")

        async def broken_off(n: int) -> None:
            task = asyncio.create_task(call(n))
            for _ in range(n % 23):
                await asyncio.sleep(0)
            await asyncio.sleep((n % 7) * 0.001)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        for start in range(0, 3_000, 60):
            await asyncio.gather(*(broken_off(n) for n in range(start, start + 60)))
        await asyncio.gather(*(call(n) for n in range(60)))
        assert pool.get_idle_size() == pool.get_size() <= 6
        held = await admin.fetch(
            "SELECT state, xact_start FROM pg_stat_activity WHERE application_name = 'telltale-storm'"
        )
        assert len(held) == pool.get_size()
        assert all(row["state"] == "idle" and row["xact_start"] is None for row in held)
        await pool.close()
        await admin.close()


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_page_that_the_disk_has_spoilt_is_never_a_wrong_answer(home, version):
    """D-15. Some bytes of a table are turned: the call is 503, the log says it loudly, and nothing made up is
    served.
    """
    async with server(home, version) as postgres:
        await migrate(postgres.url, SECRET)
        async with served(postgres) as limited:
            assert (await limited.web.get("/api/v1/resources")).status == 200
            admin = await asyncpg.connect(postgres.url)
            assert await admin.fetchval("SHOW data_checksums") == "on"
            await admin.execute("CHECKPOINT")
            file = postgres.data / await admin.fetchval("SELECT pg_relation_filepath('resources')")
            await admin.close()
            await postgres.stop()
            with file.open("r+b") as table:
                table.seek(8_100)
                spoilt = bytes(255 - byte for byte in table.read(60))
                table.seek(8_100)
                table.write(spoilt)
            await postgres.start()
            with structlog.testing.capture_logs() as lines:
                for _ in range(100):  # the first ones find the connections of before
                    if (await status(limited, "/api/v1/cases")) == 200:
                        break
                assert await status(limited, "/api/v1/resources") == 503
            assert [line["log_level"] for line in lines if line["event"] == "database_corrupted"] == ["critical"]
