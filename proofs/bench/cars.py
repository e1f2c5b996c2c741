"""Many cars in one cheap process: raw sockets, pre-encoded packets, a small window each, as real units have.

    python -m proofs.bench.cars HOST PORT CARS MESSAGES RATE SEED

Credentials come as JSON {"vin": "secret"} on the first line of standard input; `go` on the second starts. RATE 0 is
as fast as the broker acknowledges. The last line is the result, JSON.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import deque

from proofs import wire
from proofs.bench.payloads import stream

WINDOW = 20


class Car(asyncio.Protocol):
    """One connection that publishes what it is given and counts what the broker took."""

    def __init__(self, vin: str, secret: str, acked: list[int]) -> None:
        self.vin, self._secret, self._acked = vin, secret, acked
        self.connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting: deque[tuple[str, bytes]] = deque()
        self._reader = wire.Reader()
        self._transport: asyncio.WriteTransport | None = None
        self._flying = self._mid = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        transport.write(wire.connect(self.vin, self.vin, self._secret))

    def connection_lost(self, error: Exception | None) -> None:
        if not self.connected.done():
            self.connected.set_exception(ConnectionError(f"{self.vin} was refused"))

    def data_received(self, data: bytes) -> None:
        for first, body in self._reader.feed(data):
            if first == wire.PUBACK:
                self._flying -= 1
                self._acked[0] += 1
            elif first == wire.CONNACK and not self.connected.done():
                if body[1]:
                    self.connected.set_exception(ConnectionError(f"{self.vin} was refused with {body[1]}"))
                else:
                    self.connected.set_result(None)
        self.push()

    def push(self) -> None:
        """Publish what the window allows, in one write."""
        out = []
        while self.waiting and self._flying < WINDOW:
            self._mid = self._mid % 65_535 + 1
            topic, body = self.waiting.popleft()
            out.append(wire.publish(topic, body, self._mid))
            self._flying += 1
        if out and self._transport is not None:
            self._transport.write(b"".join(out))


async def drive(host: str, port: int, cars: int, messages: int, rate: float, seed: int) -> None:
    """All cars connect, then publish round the fleet; each VIN of the credentials is one car or shares one connection's load."""
    loop = asyncio.get_running_loop()
    secrets: dict[str, str] = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    acked = [0]
    fleet = list(secrets)[:cars]
    made = [(await loop.create_connection(lambda vin=vin: Car(vin, secrets[vin], acked), host, port))[1] for vin in fleet]  # type: ignore[misc]
    await asyncio.gather(*(car.connected for car in made))
    work = [(topic, body) for topic, body, _ in stream(fleet, messages, seed)]
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    at, cpu = time.perf_counter(), time.process_time()
    if rate:
        await _paced(made, work, rate)
    else:
        for n, item in enumerate(work):
            made[n % len(made)].waiting.append(item)
        for car in made:
            car.push()
    while acked[0] < messages:
        await asyncio.sleep(0.01)
    seconds = time.perf_counter() - at
    answer = {"messages": messages, "seconds": seconds, "per_second": messages / seconds, "cpu_s": time.process_time() - cpu}
    print(json.dumps(answer), flush=True)


async def _paced(made: list[Car], work: list[tuple[str, bytes]], rate: float) -> None:
    """`rate` messages a second in ticks of 5 ms, catching up when a tick is late."""
    at, sent, order = time.perf_counter(), 0, random.Random(0)
    while sent < len(work):
        due = min(len(work), int((time.perf_counter() - at) * rate))
        touched = set()
        for n in range(sent, due):
            car = made[n % len(made)]
            car.waiting.append(work[n])
            touched.add(car)
        for car in sorted(touched, key=lambda _: order.random()):
            car.push()
        sent = due
        await asyncio.sleep(0.005)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    asyncio.run(
        drive(arguments[0], int(arguments[1]), int(arguments[2]), int(arguments[3]), float(arguments[4]), int(arguments[5]))
    )
