"""Which of several servers is spoken to, and what is said when none can be: no connection left, a password that is no
longer the right one.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import structlog.testing

from proofs.proxy import Proxy
from schemas.errors import Misconfigured, Unavailable
from store import connecting, notifications, pool
from store.migrate import migrate, writable
from store.pool import answers, connect, line, open_pool, transaction
from store.roles import password_of, role_url
from tests.conftest import Database
from tests.patience import PATIENCE_S
from tests.servers import server


def beside(url: str, *hosts: str, query: str = "") -> str:
    """The address with these hosts in front of its own."""
    parts = urlsplit(url)
    account, _, own = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{account}@{','.join((*hosts, own))}", query=query))


@pytest.fixture
def silent() -> Any:
    """A host that takes connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


async def test_who_meets_a_line_that_went_silent_in_the_pool_does_not_wait_as_long_as_a_statement_may_take(
    database: Database,
):
    """A statement may take an hour here: what answers is the limit of what opens a transaction.

    The pool is fit again as soon as the line is.
    """
    address = urlsplit(database.role("desk"))
    proxy = await Proxy(address.hostname, address.port).start()
    lines = await open_pool(
        urlunsplit(address._replace(netloc=f"{address.netloc.rpartition('@')[0]}@127.0.0.1:{proxy.port}")),
        name="test",
        size=2,
        statement_timeout_ms=3_600_000,
        spotless=True,
    )
    assert await works(lines)
    proxy.stall()
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(3):
            with pytest.raises(Unavailable):
                await works(lines)
    proxy.flow()
    assert await works(lines)
    lines.terminate()
    await proxy.stop()


async def works(lines: Any) -> bool:
    async with transaction(lines, 1) as connection:
        return await connection.fetchval("SELECT true")


@asynccontextmanager
async def only_reading(database: Any) -> AsyncIterator[str]:
    """The test's database as a server that was demoted shows itself."""
    admin = await asyncpg.connect(database.url)
    name = urlsplit(database.url).path[1:]
    await admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        yield database.url
    finally:
        await admin.execute("SET default_transaction_read_only = off")
        await admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await admin.close()


async def test_a_host_that_is_gone_or_silent_does_not_use_up_the_time_of_the_next(database: Database, silent):
    for dead in ("127.0.0.1:1", silent):
        pool = await open_pool(beside(database.role("desk"), dead), name="test", size=2)
        assert await answers(pool)
        await pool.close()


async def test_the_host_that_takes_writes_is_found_among_those_that_only_read(database: Database, home):
    async with server(home) as other:
        await migrate(other.url, "tests-only-secret")
        async with only_reading(database):
            reads, writes = database.role("desk"), urlsplit(role_url(other.url, "tests-only-secret", "telltale_desk"))
            account, _, host = urlsplit(reads).netloc.rpartition("@")
            both = urlunsplit(urlsplit(reads)._replace(netloc=f"{account}@{host},{writes.netloc.rpartition('@')[2]}"))
            with pytest.raises(Unavailable):  # each alone has another database
                await connect(both, name="test")
            for address in (database.url, beside(database.url, "127.0.0.1:1")):
                with pytest.raises(Unavailable, match="only reads"):
                    await writable(address)
    assert (
        await writable(beside(database.url, "127.0.0.1:1", query="target_session_attrs=read-write"))
        == database.url + "?target_session_attrs=read-write"
    )


async def test_migrate_takes_several_hosts_and_what_asyncpg_knows_of_an_address(database: Database, silent):
    for query in (
        "",
        "target_session_attrs=read-write",
        "sslmode=prefer",
        "sslmode=disable&connect_timeout=3&channel_binding=prefer",
    ):
        await migrate(beside(database.url, "127.0.0.1:1", silent, query=query), database.secret)


async def test_what_needs_the_owner_says_so_when_the_address_names_no_account(database: Database):
    with pytest.raises(Misconfigured, match="names no account"):
        await migrate(
            f"postgresql://127.0.0.1:{urlsplit(database.url).port}{urlsplit(database.url).path}", database.secret
        )


async def test_when_no_connection_is_left_everybody_is_asked_to_come_back(home):
    """For services that hold one connection already and need a second, and for those that just start."""
    async with server(home, max_connections="10", superuser_reserved_connections="3") as started:
        await migrate(started.url, "secret")
        url = role_url(started.url, "secret", "telltale_desk")
        pool = await open_pool(url, name="test", size=4)
        async with transaction(pool):
            hogs = [await asyncpg.connect(role_url(started.url, "secret", "telltale_worker")) for _ in range(6)]
            with pytest.raises(Unavailable):
                async with transaction(pool):
                    pass
            with pytest.raises(Unavailable):
                await connect(url, name="test")
            with pytest.raises(Unavailable):
                await open_pool(url, name="test")
            for hog in hogs:
                await hog.close()
            async with transaction(pool):
                pass
        await pool.close()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals count as final at once, and what was learnt is forgotten."""
    monkeypatch.setattr(connecting, "SHUT_OUT_S", 0.0)
    monkeypatch.setattr(connecting, "_refusals", {})


async def test_a_refused_password_is_one_clear_line_and_when_it_stays_refused_the_end_of_the_process(
    database: Database, soon
):
    wrong = role_url(database.url, "another secret", "telltale_desk")
    ending = asyncio.create_task(connecting.shut_out())
    with structlog.testing.capture_logs() as lines:
        for _ in range(connecting.SHUT_OUT_TIMES):
            with pytest.raises(Unavailable, match="telltale migrate"):
                await connect(wrong, name="test")
        with pytest.raises(connecting.SignInRefused, match="telltale_desk.*TELLTALE_SECRET"):
            await asyncio.wait_for(ending, PATIENCE_S)
    assert [line["event"] for line in lines] == ["sign_in_refused"]
    assert "telltale_desk" in lines[0]["hint"] and password_of("another secret", "telltale_desk") not in str(lines)


async def test_a_refusal_that_passes_ends_nobody(database: Database, soon):
    with pytest.raises(Unavailable):
        await connect(role_url(database.url, "another secret", "telltale_desk"), name="test")
    await (await connect(database.role("desk"), name="test")).close()
    assert connecting._refusals == {}


async def test_a_secret_is_changed_without_shutting_a_service_out(home):
    """New services first, with both secrets; then the database; then those that still run with the old one may go."""
    async with server(home) as started:
        await migrate(started.url, "old")
        before = await open_pool(role_url(started.url, "old", "telltale_desk"), name="before", size=2)
        during = await open_pool(role_url(started.url, "new", "telltale_desk", "old"), name="during", size=2)
        await migrate(started.url, "new")
        after = await open_pool(role_url(started.url, "new", "telltale_desk", "old"), name="after", size=2)
        for pool in (before, during, after):
            assert await answers(pool)
        await during.expire_connections()
        async with transaction(during), transaction(during):
            pass
        with pytest.raises(Unavailable):
            async with transaction(before), transaction(before):
                pass
        for pool in (before, during, after):
            await pool.close()


async def test_the_servers_certificate_is_looked_at_when_the_address_says_so(home: Path, tmp_path: Path):
    """sslmode=verify-full for services and for migrate; another authority's certificate is refused by both.

    The embedded server knows no TLS.
    """
    async with server(home, "debian") as started:
        files = authority(tmp_path, started)
        admin = await asyncpg.connect(started.url)
        for name, value in (("ssl", "on"), ("ssl_cert_file", files["crt"]), ("ssl_key_file", files["key"])):
            await admin.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        await admin.execute("SELECT pg_reload_conf()")
        await admin.close()
        checked = f"{started.url}?sslmode=verify-full&sslrootcert={files['root']}"
        await migrate(checked, "secret")
        desk = await connect(role_url(checked, "secret", "telltale_desk"), name="test")
        assert await desk.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        await desk.close()
        foreign = f"{started.url}?sslmode=verify-full&sslrootcert={files['foreign']}"
        with pytest.raises(Misconfigured, match="DATABASE_URL"):
            await migrate(foreign, "secret")
        with pytest.raises(Unavailable):
            await connect(role_url(foreign, "secret", "telltale_desk"), name="test")


def authority(folder: Path, started: Any) -> dict[str, str]:
    """A private authority, a certificate of it for 127.0.0.1, and the root of another authority."""
    import os
    import subprocess

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    for name in ("root", "foreign"):
        openssl(
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "30",
            "-subj",
            f"/CN={name}",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.crt",
            "-addext",
            "basicConstraints=critical,CA:TRUE",
        )
    openssl(
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=database",
        "-keyout",
        "server.key",
        "-out",
        "server.csr",
    )
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl(
        "x509",
        "-req",
        "-in",
        "server.csr",
        "-CA",
        "root.crt",
        "-CAkey",
        "root.key",
        "-CAcreateserial",
        "-days",
        "30",
        "-extfile",
        "names",
        "-out",
        "server.crt",
    )
    there = {}
    for kind in ("crt", "key"):
        path = started.data / f"server.{kind}"
        path.write_bytes((folder / f"server.{kind}").read_bytes())
        path.chmod(0o600)
        if os.geteuid() == 0:
            os.chown(path, started.data.stat().st_uid, started.data.stat().st_gid)
        there[kind] = str(path)
    return {**there, "root": str(folder / "root.crt"), "foreign": str(folder / "foreign.crt")}


@pytest.fixture
async def cut(database: Database) -> AsyncIterator[Any]:
    """`await cut(connection)`: the server ends it, as when it is stopped."""
    admin = await asyncpg.connect(database.url)

    async def end(connection: Any) -> None:
        await admin.execute("SELECT pg_terminate_backend($1, 60000)", connection.get_server_pid())

    yield end
    await admin.close()


async def test_a_line_that_is_cut_right_after_it_was_made_is_the_databases_absence_and_no_bug(database: Database, cut):
    async def listen() -> None:
        async with line(database.role("gateway"), name="test-line") as connection:
            await cut(connection)
            await notifications.listen(connection, notifications.CARS, print)

    with pytest.raises(Unavailable):
        await listen()


async def test_a_line_that_is_cut_while_it_is_made_is_the_databases_absence_and_no_bug(
    database: Database, cut, monkeypatch: pytest.MonkeyPatch
):
    async def dial(*given: Any, **more: Any) -> Any:
        made = await connecting.dial(*given, **more)
        await cut(made)
        return made

    monkeypatch.setattr(pool, "dial", dial)
    with pytest.raises(Unavailable):
        await connect(database.role("gateway"), name="test-line")


async def test_an_error_of_ours_on_a_line_is_not_taken_for_the_databases_absence(database: Database):
    async def ask() -> None:
        async with line(database.role("gateway"), name="test-line") as connection:
            await connection.execute("SELECT * FROM nowhere")

    with pytest.raises(asyncpg.UndefinedTableError):
        await ask()
