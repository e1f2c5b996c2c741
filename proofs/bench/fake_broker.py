"""A pretended broker: hands pre-encoded QoS 1 packets to whoever subscribes and counts the PUBACKs.

With the real broker and the cars off the machine, what is left is the gateway alone: the quiet rig. It runs in a
process of its own; one window per session, as a broker's `max_inflight_messages` would be.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterable
from itertools import pairwise

from proofs import wire
from proofs.bench.payloads import stream, vins

_CHUNK = 64  #: packets in one write


class Session:
    """What one bucket's session is owed: packets in order, of which at most `window` are unacknowledged."""

    def __init__(self, messages: Iterable[tuple[str, bytes]], warm_up: int) -> None:
        """The first `warm_up` of them are handed out before the clock starts, the others after it."""
        mids = ((n % 65_535) + 1 for n in range(10**9))
        packets = [wire.publish(topic, body, mid) for (topic, body), mid in zip(messages, mids, strict=False)]
        self.total = len(packets)
        cuts = [*range(0, warm_up, _CHUNK), *range(warm_up, len(packets), _CHUNK), len(packets)]
        self.chunks = [(b - a, b"".join(packets[a:b])) for a, b in pairwise(cuts)]
        self.sent = self.acked = self.chunk = 0
        self.allowed = warm_up

    def due(self, window: int) -> bytes:
        """The next packets that fit into the window."""
        out: list[bytes] = []
        while (
            self.chunk < len(self.chunks)
            and self.sent < self.allowed
            and self.sent - self.acked + self.chunks[self.chunk][0] <= window
        ):
            size, data = self.chunks[self.chunk]
            out.append(data)
            self.sent += size
            self.chunk += 1
        return b"".join(out)


class FakeBroker(asyncio.Protocol):
    """One connection; it learns its bucket from the filter that is subscribed to."""

    def __init__(
        self,
        sessions: dict[int, Session],
        window: int,
        began: asyncio.Event,
        counted: Callable[[int], None],
        all_of_them: list[FakeBroker],
    ) -> None:
        self._sessions, self._window, self._began, self._counted = sessions, window, began, counted
        all_of_them.append(self)
        self._session: Session | None = None
        self._reader = wire.Reader()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        acked = 0
        for first, body in self._reader.feed(data):
            if first == wire.PUBACK:
                acked += 1
            elif first & 0xF0 == wire.CONNECT:
                self._transport.write(wire.connack())
            elif first == wire.SUBSCRIBE:
                self._transport.write(wire.suback(int.from_bytes(body[:2], "big")))
                asfilter = bytes(body[4:-1]).decode()
                self._session = self._sessions.get(int(asfilter.split("/")[1]), None)
                asyncio.get_running_loop().create_task(self._start(), name="first packets")
            elif first & 0xF0 == wire.PUBLISH and body[2:].tobytes().find(b"/gateway/up/pulse") > 0:
                topic, _, payload = wire.published(first, body)
                self._transport.write(
                    wire.publish(topic, payload, None)
                )  # whoever does not hear itself would connect anew
            elif first & 0xF0 == wire.PINGREQ:
                self._transport.write(bytes((wire.PINGRESP, 0)))
        if acked and self._session is not None:
            self._session.acked += acked
            self.push()
            self._counted(acked)

    async def _start(self) -> None:
        await self._began.wait()
        self.push()

    def push(self) -> None:
        """Hand out what may be handed out now."""
        if self._transport is None or self._session is None:
            return
        if due := self._session.due(self._window):
            self._transport.write(due)


async def serve(messages: int, vehicles: int, window: int, seed: int, counters: int = 1) -> None:
    """Port on the first line; `go` on standard input starts; the result is the last line, JSON.

    Each vehicle speaks once before the clock starts: what is measured is a gateway that knows its cars.
    """
    loop = asyncio.get_running_loop()
    per_bucket: dict[int, list[tuple[str, bytes]]] = {n: [] for n in range(16)}
    first: dict[int, int] = dict.fromkeys(range(16), 0)
    for n, (topic, body, bucket) in enumerate(
        stream(vins(vehicles, seed), vehicles + messages, seed, counters=bool(counters))
    ):
        per_bucket[bucket].append((topic, body))
        first[bucket] += n < vehicles
    sessions = {bucket: Session(found, first[bucket]) for bucket, found in per_bucket.items()}
    connections: list[FakeBroker] = []
    began, done = asyncio.Event(), asyncio.Event()
    acked, since = 0, [0.0, 0.0]

    def counted(more: int) -> None:
        nonlocal acked
        before, acked = acked, acked + more
        if before < vehicles <= acked:
            since[:] = [time.perf_counter(), time.process_time()]
            for session in sessions.values():
                session.allowed = session.total
            for connection in connections:
                connection.push()
        if acked == vehicles + messages:
            done.set()

    server = await loop.create_server(
        lambda: FakeBroker(sessions, window, began=began, counted=counted, all_of_them=connections), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    at = time.perf_counter()
    began.set()
    await done.wait()
    seconds = time.perf_counter() - since[0]
    result = {
        "messages": messages,
        "seconds": seconds,
        "per_second": messages / seconds,
        "broker_cpu_s": time.process_time() - since[1],
    }
    print(
        json.dumps({**result, "warm_up_s": since[0] - at, "warm_up_cars_per_second": vehicles / (since[0] - at)}),
        flush=True,
    )


if __name__ == "__main__":
    asyncio.run(serve(*(int(argument) for argument in sys.argv[1:6])))
