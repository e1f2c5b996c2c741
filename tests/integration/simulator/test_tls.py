"""A stand-in car over TLS: it believes in one authority, and reads also what lies decrypted behind a quiet socket."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from proofs import wire
from simulator.connection import Connection
from telltale import certificates
from tests.patience import PATIENCE_S


def authority(folder: Path) -> Path:
    """An authority and its server's certificate, as `telltale certificates make` makes them."""
    folder.mkdir(exist_ok=True)
    certificates.authority(folder, datetime.now(UTC))
    certificates.server(folder, ["localhost"], datetime.now(UTC))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return authority(tmp_path / "one")


async def served(folder: Path, texts: int) -> tuple[asyncio.Server, int]:
    """A pretended broker that answers a subscription with many small messages in one TLS record."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parser = wire.Reader()
        while data := await reader.read(4096):
            for first, body in parser.feed(data):
                if first == wire.CONNECT:
                    writer.write(wire.connack())
                elif first == wire.SUBSCRIBE:
                    mid = int.from_bytes(body[:2], "big")
                    writer.write(
                        wire.suback(mid, 0) + b"".join(wire.publish("down", b"%d" % n, None) for n in range(texts))
                    )
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    return server, server.sockets[0].getsockname()[1]


async def test_many_messages_of_one_record_are_all_heard(folder: Path) -> None:
    server, port = await served(folder, 500)
    heard: list[int] = []
    trusted = ssl.create_default_context(cafile=folder / "ca.crt")
    car = Connection(
        "localhost",
        port,
        client_id="car",
        subscribe=("down",),
        on_message=lambda topic, body: heard.append(int(body)),
        tls=trusted,
    )
    running = asyncio.create_task(car.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            while len(heard) < 500:
                await asyncio.sleep(0.01)
        assert heard == list(range(500))
    finally:
        running.cancel()
        server.close()


async def test_a_broker_of_another_authority_is_not_believed(folder: Path, tmp_path: Path) -> None:
    server, port = await served(folder, 0)
    stranger = ssl.create_default_context(cafile=authority(tmp_path / "other") / "ca.crt")
    car = Connection("localhost", port, client_id="car", tls=stranger)
    running = asyncio.create_task(car.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not car.refused:
                await asyncio.sleep(0.01)
        assert "certificate verify failed" in car.refused and not car.up
    finally:
        running.cancel()
        server.close()
