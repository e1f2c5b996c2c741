"""A few more cars, whose trouble codes become alerts at once: they measure from PUBLISH to the alert on the car's own
screen.

    python -m proofs.bench.probe HOST PORT SECONDS

Credentials come as JSON {"vin": "secret"} on the first line of standard input. Says `ready`; `go` on the second line
starts; the last line is JSON with every latency.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime

from proofs import wire
from schemas.vehicle import topic

EVERY_S = 0.05


class Probe:
    """One car. Each of its messages stores one other code: the alert of that code is the answer."""

    def __init__(self, vin: str, secret: str, latencies: list[float]) -> None:
        self.vin, self._secret, self._latencies = vin, secret, latencies
        self.sent: dict[str, float] = {}
        self.listening = asyncio.Event()
        self._seq = 0

    async def run(self, host: str, port: int) -> None:
        """Sign in and listen until cancelled."""
        reader, self._writer = await asyncio.open_connection(host, port)
        self._writer.write(wire.connect(self.vin, self.vin, self._secret))
        parser = wire.Reader()
        while data := await reader.read(65_536):
            at = time.perf_counter()
            for first, body in parser.feed(data):
                if first == wire.CONNACK:
                    self._writer.write(wire.subscribe(topic(self.vin, "down/alerts"), 0))
                elif first == wire.SUBACK:
                    self.listening.set()
                elif first & 0xF0 == wire.PUBLISH:
                    told = json.loads(wire.published(first, body)[2])
                    if told["state"] == "active" and told["component"] in self.sent:
                        self._latencies.append((at - self.sent.pop(told["component"])) * 1000)

    def fall_ill(self) -> None:
        """One more code."""
        self._seq += 1
        code = f"P{self._seq:04d}"
        body = {
            "boot": 1,
            "seq": self._seq,
            "oldest": 1,
            "ts": datetime.now(UTC).isoformat(),
            "mil": True,
            "codes": [{"system": "obd", "code": code, "status": "confirmed"}],
        }
        self.sent[code] = time.perf_counter()
        self._writer.write(wire.publish(topic(self.vin, "up/diagnostics"), json.dumps(body).encode(), self._seq))


async def probe(host: str, port: int, seconds: float) -> None:
    """The cars fall ill in turn, one every `EVERY_S`."""
    loop = asyncio.get_running_loop()
    secrets: dict[str, str] = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    latencies: list[float] = []
    cars = [Probe(vin, secret, latencies) for vin, secret in secrets.items()]
    running = [asyncio.create_task(car.run(host, port)) for car in cars]
    await asyncio.wait_for(asyncio.gather(*(car.listening.wait() for car in cars)), 10)
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    for n in range(int(seconds / EVERY_S)):
        cars[n % len(cars)].fall_ill()
        await asyncio.sleep(EVERY_S)
    for _ in range(100):
        if not any(car.sent for car in cars):
            break
        await asyncio.sleep(0.05)
    for task in running:
        task.cancel()
    print(json.dumps({"latencies_ms": latencies, "unanswered": sum(len(car.sent) for car in cars)}), flush=True)


if __name__ == "__main__":
    asyncio.run(probe(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
