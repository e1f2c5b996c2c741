"""One more car, whose trouble codes become alerts at once: it measures from its PUBLISH to the alert on its own screen.

    python -m proofs.bench.probe HOST PORT VIN SECRET SECONDS

Says `ready`; `go` on standard input starts; the last line is JSON with every latency.
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


async def probe(host: str, port: int, vin: str, secret: str, seconds: float) -> None:
    """Each message stores one other code: the alert of that code is the answer."""
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(wire.connect(vin, vin, secret))
    parser = wire.Reader()
    sent: dict[str, float] = {}
    latencies: list[float] = []
    listening = asyncio.Event()

    async def hear() -> None:
        while data := await reader.read(65_536):
            at = time.perf_counter()
            for first, body in parser.feed(data):
                if first == wire.CONNACK:
                    writer.write(wire.subscribe(topic(vin, "down/alerts"), 0))
                elif first == wire.SUBACK:
                    listening.set()
                elif first & 0xF0 == wire.PUBLISH:
                    told = json.loads(wire.published(first, body)[2])
                    if told["state"] == "active" and told["component"] in sent:
                        latencies.append((at - sent.pop(told["component"])) * 1000)

    hearing = asyncio.create_task(hear())
    await asyncio.wait_for(listening.wait(), 10)
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    for n in range(1, int(seconds / EVERY_S) + 1):
        code = f"P{n % 10_000:04d}"
        said = {
            "boot": 1, "seq": n, "oldest": 1, "ts": datetime.now(UTC).isoformat(), "mil": True,
            "codes": [{"system": "obd", "code": code, "status": "confirmed"}],
        }  # fmt: skip
        sent[code] = time.perf_counter()
        writer.write(wire.publish(topic(vin, "up/diagnostics"), json.dumps(said).encode(), n % 65_535 + 1))
        await asyncio.sleep(EVERY_S)
    for _ in range(100):
        if not sent:
            break
        await asyncio.sleep(0.05)
    hearing.cancel()
    print(json.dumps({"latencies_ms": latencies, "unanswered": len(sent)}), flush=True)


if __name__ == "__main__":
    asyncio.run(probe(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], float(sys.argv[5])))
