"""PostgreSQL away for a minute under load: how much memory the gateway takes, and how soon it has caught up.

    python -m proofs.bench.outage [SECONDS_AWAY] [MESSAGES_A_SECOND] [CARS]

One JSON object: resident memory before and at its peak, seconds until the backlog was committed, what is missing, and
how long a gateway that is killed and started anew takes to its first commit.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from proofs.bench import rig
from proofs.bench.brokers import broker
from proofs.bench.payloads import vins
from proofs.bench.rig import Child
from schemas.credentials import secret_hash
from telltale.embedded.postgres import EmbeddedPostgres

STEADY_S = 8.0


async def outage(away_s: float, rate: float, cars: int) -> dict[str, Any]:
    """Steady load, the database stopped, started, the backlog worked off."""
    home = Path(tempfile.mkdtemp(prefix="telltale-outage-"))
    home.chmod(0o711)
    fleet = vins(cars, 1)
    keys = {vin: secrets.token_hex(32) for vin in fleet}
    messages = int(rate * (away_s + 2 * STEADY_S))
    async with EmbeddedPostgres(home / "postgres") as server, broker(home / "broker", keys) as running:
        url = await rig.prepare(server.url, fleet, {vin: secret_hash(key) for vin, key in keys.items()})
        consumer = await Child.start("proofs.bench.consumer", "gateway", running.mqtt_url, url, 4, messages)
        await consumer.announced("ready")
        load = await Child.start("proofs.bench.cars", "127.0.0.1", running.port, cars, messages, rate, 1)
        load.tell(json.dumps(keys))
        await load.announced("ready")
        process = psutil.Process(consumer.process.pid)
        load.tell("go")
        await asyncio.sleep(STEADY_S)
        before = peak = process.memory_info().rss
        watching = True

        async def watch() -> None:
            nonlocal peak
            while watching:
                peak = max(peak, process.memory_info().rss)
                await asyncio.sleep(0.1)

        watcher = asyncio.create_task(watch())
        await server.stop()
        await asyncio.sleep(away_s)
        await server.start()
        back = time.time()
        while not (line := await consumer.line(600)).startswith("done"):
            pass
        caught_up = float(line.split()[1]) - back
        watching = False
        await watcher
        await load.facts()
        consumer.kill()
        await consumer.process.wait()
        missing = messages - await rig.stored(server.url)
        began = time.perf_counter()
        again = await Child.start("proofs.bench.consumer", "gateway", running.mqtt_url, url, 4, 50)
        load = await Child.start("proofs.bench.cars", "127.0.0.1", running.port, 50, 50, 0, 2)
        load.tell(json.dumps({vin: keys[vin] for vin in fleet[:50]}))
        await again.announced("ready")
        ready = time.perf_counter() - began
        again.kill()
        load.kill()
    shutil.rmtree(home, ignore_errors=True)
    return {
        "seconds_away": away_s,
        "messages_per_second": rate,
        "cars": cars,
        "broker": running.name,
        "messages": messages,
        "missing": missing,
        "rss_before_mb": round(before / 2**20, 1),
        "rss_grown_mb": round((peak - before) / 2**20, 1),
        "caught_up_s": round(caught_up, 1),
        "still_sending_s": STEADY_S,
        "restart_to_ready_s": round(ready, 2),
    }


if __name__ == "__main__":
    away, rate, cars = [*map(float, sys.argv[1:]), *(60.0, 1_500.0, 100.0)[len(sys.argv) - 1 :]]
    print(json.dumps(asyncio.run(outage(away, rate, int(cars)))))
