"""One of several hosts: who refuses, hangs or stalls in the handshake costs nobody else anything."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.mqtt import dialling
from gateway.mqtt.address import Tls
from gateway.mqtt.dialling import dial
from telltale.embedded.process import free_port
from tests.authority import Authority


@asynccontextmanager
async def listening(*, context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[str, int]]:
    """A host that takes connections and says nothing more."""
    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1", 0, ssl=context)
    try:
        yield "127.0.0.1", server.sockets[0].getsockname()[1]
    finally:
        for writer in held:
            writer.transport.abort()
        server.close()


@asynccontextmanager
async def black_hole() -> AsyncIterator[tuple[str, int]]:
    """A host that answers nothing at all: its backlog is full."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        where = full.getsockname()
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(where)
        yield where


async def test_a_host_that_refuses_is_passed_over_at_once():
    async with listening() as good:
        sock, host = await dial([("127.0.0.1", free_port()), good], None)
        sock.close()
        assert host == good


async def test_a_host_that_does_not_answer_is_passed_over_soon_and_its_late_answer_is_hung_up():
    async with listening() as good, black_hole() as dead:
        sock, host = await asyncio.wait_for(dial([dead, good], None), dialling.REACH_S)
        sock.close()
        assert host == good


async def test_when_nobody_answers_the_first_hosts_reason_is_told():
    with pytest.raises(ConnectionRefusedError):
        await dial([("127.0.0.1", free_port()), ("127.0.0.1", free_port())], None)


async def test_a_host_that_stalls_in_the_handshake_is_given_up_and_does_not_stop_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dialling, "REACH_S", 0.6)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    turning = asyncio.create_task(turn())
    async with listening() as stalling:
        with pytest.raises(TimeoutError):
            await dial([stalling], Tls(Authority(tmp_path).trusted))
    turning.cancel()
    assert turns > 10


async def test_with_tls_the_next_host_is_taken_when_one_stalls(tmp_path: Path):
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server", common_name="localhost"))
    async with listening() as stalling, listening(context=context) as good:
        sock, host = await asyncio.wait_for(dial([stalling, good], Tls(authority.trusted)), dialling.REACH_S)
        assert host == good and isinstance(sock, ssl.SSLSocket) and sock.version() in ("TLSv1.2", "TLSv1.3")
        sock.close()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("wrong", ["another authority", "another name", "an old protocol"])
async def test_a_host_that_is_not_who_it_should_be_is_not_believed(tmp_path: Path, wrong: str):
    authority = Authority(tmp_path / "a")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server", common_name="localhost"))
    if wrong == "an old protocol":
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
    trusted = Authority(tmp_path / "b").trusted if wrong == "another authority" else authority.trusted
    server = await asyncio.start_server(
        lambda _, writer: None, "127.0.0.2" if wrong == "another name" else "127.0.0.1", 0, ssl=context
    )
    with pytest.raises(ssl.SSLError):
        await dial([server.sockets[0].getsockname()[:2]], Tls(trusted))
    server.close()
