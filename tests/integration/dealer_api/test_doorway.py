"""What every request passes first: the Host that it names, the time that its body takes, the number of calls of its
key, the headers it gets back.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer

from dealer_api import doorway
from dealer_api.allowance import Allowance
from dealer_api.application import build
from dealer_api.live import Live
from schemas.errors import Misconfigured, TooMany
from tests.conftest import Database
from tests.integration.dealer_api.conftest import Desk


@pytest.fixture
async def served(desk: Desk, database: Database):
    """The desk again, as a house in production sets it up: `await served(hosts=…)` -> its port."""
    runners: list[web.AppRunner] = []

    async def serve(**how: Any) -> int:
        runner = web.AppRunner(
            build(desk.house, Live(database.role("desk")), **how), access_log=None, shutdown_timeout=1, lingering_time=0
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        return int(runner.addresses[0][1])

    yield serve
    for runner in runners:
        await runner.cleanup()


async def raw_request(port: int, *lines: str, body: bytes = b"", wait: bool = True) -> bytes:
    """What is answered to these bytes, until the desk closes or, where it does not, to the end of the head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    try:
        return await (reader.read() if wait else reader.readuntil(b"\r\n\r\n"))
    finally:
        writer.close()


@pytest.mark.parametrize(
    "path", ["/sign-in", "/api/v1/cases", "/o/x/accept", "/static/x", "/nowhere", "/inbound/twilio"]
)
async def test_a_body_that_never_comes_is_given_up_on_in_words_and_leaves_no_traceback(served, path):
    port = await served(body_limit_s=0.1)
    with structlog.testing.capture_logs() as logs:
        answer = await raw_request(
            port, f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", "Content-Length: 100", body=b"{"
        )
    assert answer.startswith(b"HTTP/1.1 408 ") and b"did not come in time" in answer and b"Connection: close" in answer
    assert [line for line in logs if line["log_level"] in ("error", "critical") or "exc_info" in line] == []


async def test_a_form_in_parts_that_never_ends_is_given_up_on_too(served):
    port = await served(body_limit_s=0.1)
    answer = await raw_request(
        port,
        "POST /import HTTP/1.1",
        "Host: x",
        "Content-Type: multipart/form-data; boundary=x",
        "Content-Length: 999",
        body=b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb',
    )
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_who_leaves_in_the_middle_of_a_body_is_no_bug(served):
    port = await served()
    with structlog.testing.capture_logs() as logs:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: "
            b"100\r\n\r\na="
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        while not any(line["event"] == "request" for line in logs):
            await asyncio.sleep(0.01)
    assert [line["status"] for line in logs if line["event"] == "request"] == [499]
    assert not [line for line in logs if line["event"] == "bug"]


async def test_a_name_that_is_not_ours_is_refused_and_health_is_not(served):
    port = await served(hosts=doorway.hosts("https://desk.example", "inside.example, other.example", ("0.0.0.0",)))
    for host in (
        "desk.example",
        "DESK.example.",
        "desk.example:8443",
        "inside.example",
        "127.0.0.1",
        "localhost:1",
        "[::1]:8080",
    ):
        assert b" 200 " in (await raw_request(port, "GET /sign-in HTTP/1.1", f"Host: {host}", wait=False))[:20], host
    for host in ("evil.example", "desk.example.evil.example", "10.0.0.7", "[", "desk.example@evil.example", ""):
        answer = (await raw_request(port, "GET /sign-in HTTP/1.1", f"Host: {host}", wait=False))[:20]
        assert b" 421 " in answer or b" 400 " in answer, host
    assert b" 200 " in (await raw_request(port, "GET /health/live HTTP/1.1", "Host: 10.0.0.7", wait=False))[:20]


def test_without_a_public_address_any_name_will_do_and_with_a_broken_one_none():
    assert doorway.hosts("") == frozenset()
    with pytest.raises(Misconfigured, match="TELLTALE_PUBLIC_URL"):
        doorway.hosts("telltale")


async def test_a_key_that_calls_too_often_is_told_when_to_come_again_and_others_go_on(desk: Desk, database: Database):
    manager = await desk.as_role("manager")
    keys = [
        (await desk.post(manager, "/api/v1/keys", {"label": label, "scopes": ["read"]}))["key"]
        for label in ("busy", "quiet")
    ]
    server = TestServer(build(desk.house, Live(database.role("desk")), allowance=Allowance(3, clock=lambda: 0.0)))
    await server.start_server()
    try:

        async def ask(key: str) -> Any:
            return await manager.session.get(
                server.make_url("/api/v1/cases"), headers={"Authorization": f"Bearer {key}"}
            )

        answers = [await ask(keys[0]) for _ in range(4)]
        assert [one.status for one in answers] == [200, 200, 200, 429]
        assert (
            answers[-1].headers["Retry-After"] == "21"
            and "3 calls a minute" in (await answers[-1].json(content_type=None))["detail"]
        )
        assert (await ask(keys[1])).status == 200
    finally:
        await server.close()


def test_an_allowance_fills_again_with_time():
    at = [0.0]
    allowance = Allowance(60, clock=lambda: at[0])
    for _ in range(60):
        allowance.take(1, "api:x")
    with pytest.raises(TooMany) as refused:
        allowance.take(1, "api:x")
    at[0] += refused.value.seconds
    allowance.take(1, "api:x")
    allowance.take(2, "api:x")  # another dealer's key of the same label


async def test_every_answer_carries_its_headers_and_by_https_it_stays_there(served):
    port = await served()
    for path in ("/sign-in", "/api/v1/cases", "/static/desk.css", "/nowhere", "/o/x", "/health/live"):
        for proto in ("http", "https"):
            head = (
                await raw_request(port, f"GET {path} HTTP/1.1", "Host: x", f"X-Forwarded-Proto: {proto}", wait=False)
            ).decode()
            for name in (
                "Content-Security-Policy",
                "X-Content-Type-Options: nosniff",
                "X-Frame-Options: DENY",
                "Referrer-Policy: no-referrer",
                "Permissions-Policy",
                "Cross-Origin-Opener-Policy: same-origin",
                "Cross-Origin-Resource-Policy: same-origin",
                "Server: Telltale\r\n",
            ):
                assert name in head, (path, name)
            assert ("Strict-Transport-Security: max-age=63072000" in head) == (proto == "https"), (path, proto)


async def test_trace_and_listings_are_not_there(served):
    port = await served()
    assert (await raw_request(port, "TRACE /sign-in HTTP/1.1", "Host: x", wait=False)).startswith(b"HTTP/1.1 405 ")
    for path in ("/static", "/static/", "/static/../application.py", "/.git/config"):
        assert (await raw_request(port, f"GET {path} HTTP/1.1", "Host: x", wait=False))[9:12] in (b"403", b"404"), path
