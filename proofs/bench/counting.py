"""The cheapest subscriber there can be: acknowledges on arrival and counts. It measures the broker's own ceiling.

python -m proofs.bench.counting HOST PORT USER PASSWORD MESSAGES
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from functools import partial

from proofs import wire


class Counter(asyncio.Protocol):
    """One bucket's session, with the same filter as the gateway's."""

    def __init__(self, bucket: int, user: str, password: str, counted: list[int], ready: asyncio.Semaphore) -> None:
        self._bucket, self._user, self._password, self._counted, self._ready = bucket, user, password, counted, ready
        self._reader = wire.Reader()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        transport.write(wire.connect(f"counting-{self._bucket}", self._user, self._password))

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        acks = []
        for first, body in self._reader.feed(data):
            if first & 0xF0 == wire.PUBLISH:
                start = 2 + int.from_bytes(body[:2], "big")
                acks.append(b"\x40\x02" + bytes(body[start : start + 2]))
            elif first == wire.CONNACK:
                self._transport.write(wire.subscribe(f"vehicles/{self._bucket:02d}/+/up/+", 1))
            elif first == wire.SUBACK:
                self._ready.release()
        if acks:
            self._counted[0] += len(acks)
            self._transport.write(b"".join(acks))


async def count(host: str, port: int, user: str, password: str, messages: int) -> None:
    """Count to `messages`, then say how long it took since the first one."""
    loop, counted, ready = asyncio.get_running_loop(), [0], asyncio.Semaphore(0)
    for bucket in range(16):
        counter = partial(Counter, bucket, user, password=password, counted=counted, ready=ready)
        await loop.create_connection(counter, host, port)
    for _ in range(16):
        await ready.acquire()
    print("ready", flush=True)
    while not counted[0]:
        await asyncio.sleep(0.001)
    at = time.perf_counter()
    while counted[0] < messages:
        await asyncio.sleep(0.005)
    seconds = time.perf_counter() - at
    print(
        json.dumps(
            {"messages": messages, "seconds": seconds, "per_second": messages / seconds, "cpu_s": time.process_time()}
        ),
        flush=True,
    )


if __name__ == "__main__":
    asyncio.run(count(sys.argv[1], int(sys.argv[2]), user=sys.argv[3], password=sys.argv[4], messages=int(sys.argv[5])))
