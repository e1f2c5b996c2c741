"""A stand-in car over TLS: it believes in one authority, and reads also what lies decrypted behind a quiet socket."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from proofs import wire
from proofs.production.authority import Authority
from simulator.connection import Connection


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def served(authority: Authority, texts: int) -> tuple[asyncio.Server, int]:
    """A pretended broker that answers a subscription with many small messages in one TLS record."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("broker", common_name="localhost"))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parser = wire.Reader()
        while data := await reader.read(4096):
            for first, body in parser.feed(data):
                if first == wire.CONNECT:
                    writer.write(wire.connack())
                elif first == wire.SUBSCRIBE:
                    mid = int.from_bytes(body[:2], "big")
                    writer.write(wire.suback(mid, 0) + b"".join(wire.publish("down", b"%d" % n, None) for n in range(texts)))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    return server, server.sockets[0].getsockname()[1]


async def test_many_messages_of_one_record_are_all_heard(authority: Authority) -> None:
    server, port = await served(authority, 500)
    heard: list[int] = []
    trusted = ssl.create_default_context(cafile=authority.trusted)
    car = Connection("localhost", port, client_id="car", subscribe=("down",), on_message=lambda topic, body: heard.append(int(body)), tls=trusted)
    running = asyncio.create_task(car.run())
    try:
        async with asyncio.timeout(20):
            while len(heard) < 500:
                await asyncio.sleep(0.01)
        assert heard == list(range(500))
    finally:
        running.cancel()
        server.close()


async def test_a_broker_of_another_authority_is_not_believed(authority: Authority, tmp_path: Path) -> None:
    server, port = await served(authority, 0)
    stranger = ssl.create_default_context(cafile=Authority(tmp_path / "other", "another").trusted)
    car = Connection("localhost", port, client_id="car", tls=stranger)
    running = asyncio.create_task(car.run())
    try:
        async with asyncio.timeout(20):
            while not car.refused:
                await asyncio.sleep(0.01)
        assert "certificate verify failed" in car.refused and not car.up
    finally:
        running.cancel()
        server.close()
