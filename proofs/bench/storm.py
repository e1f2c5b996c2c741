"""A broker restart under a connected fleet: do all cars come back, how many at once, and is anything missing?

    python -m proofs.bench.storm [CARS]

The cars are the simulator's own connections (full jitter, spread by the size of the fleet) with a spool in memory.
"""

from __future__ import annotations

import asyncio
import json
import resource
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.ops.auth_callout import AuthCallout
from proofs.bench import rig
from proofs.bench.payloads import vins
from proofs.bench.rig import Child
from schemas.credentials import secret_hash
from schemas.vehicle import topic
from simulator.connection import Connection
from telltale.embedded.broker import EmbeddedBroker
from telltale.embedded.postgres import EmbeddedPostgres

EVERY_S = 8.0  #: between two messages of one car


class Counted(Connection):
    """Notes when it knocks."""

    def __init__(self, knocks: list[float], **options: Any) -> None:
        super().__init__(options.pop("host"), options.pop("port"), **options)
        self._knocks = knocks

    async def _once(self) -> bool:
        self._knocks.append(time.monotonic())
        return await super()._once()


class StormCar:
    """One car: what it said and what it may not forget yet."""

    def __init__(
        self, vin: str, secret: str, port: int, spread_s: float, came: list[float], knocks: list[float]
    ) -> None:
        self.vin, self.seq, self.came = vin, 0, came
        self.kept: dict[int, bytes] = {}
        self.connection = Counted(
            knocks,
            host="127.0.0.1",
            port=port,
            client_id=vin,
            user=vin,
            password=secret,
            subscribe=(topic(vin, "down/acks"),),
            on_message=self._heard,
            on_up=self._up,
            spread_s=spread_s,
        )

    def _up(self) -> None:
        self.came.append(time.monotonic())
        for body in self.kept.values():
            self.connection.publish(topic(self.vin, "up/telemetry"), body)

    def _heard(self, _topic: str, payload: bytes) -> None:
        upto = json.loads(payload)["upto"]
        for seq in [seq for seq in self.kept if seq <= upto]:
            del self.kept[seq]

    async def talk(self, first: float, until: float) -> None:
        """A sample every few seconds."""
        await asyncio.sleep(first)
        while time.monotonic() < until:
            self.seq += 1
            message = {
                "boot": 1,
                "seq": self.seq,
                "oldest": min(self.kept, default=self.seq),
                "ts": datetime.now(UTC).isoformat(),
                "signals": {"Vehicle.Speed": 50},
            }
            self.kept[self.seq] = json.dumps(message).encode()
            self.connection.publish(topic(self.vin, "up/telemetry"), self.kept[self.seq])
            await asyncio.sleep(EVERY_S)
        while self.kept:  # the last words, again until they are acknowledged
            for body in list(self.kept.values()):
                self.connection.publish(topic(self.vin, "up/telemetry"), body)
            await asyncio.sleep(3.0)


async def storm(cars: int) -> dict[str, Any]:
    """Connect them all, kill the broker, start it again, wait until nobody owes anything."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    home = Path(tempfile.mkdtemp(prefix="telltale-storm-"))
    home.chmod(0o711)
    keys = {vin: secrets.token_hex(32) for vin in vins(cars, 1)}
    hashes = {vin: secret_hash(key) for vin, key in keys.items()}
    came: list[float] = []
    knocks: list[float] = []
    async with EmbeddedPostgres(home / "postgres") as server, EmbeddedBroker(home / "broker") as broker:
        url = await rig.prepare(server.url, list(keys), hashes)
        keeper = AuthCallout(broker.auth_url, broker.auth_seed, hashes)
        await keeper.start()
        gateway = await Child.start("proofs.bench.consumer", "gateway", broker.mqtt_url, url, 4, 10**9)
        await gateway.announced("ready")
        spread_s = max(0.5, cars / 150)  # as simulator.running does
        fleet = [
            StormCar(vin, key, port=broker.port, spread_s=spread_s, came=came, knocks=knocks)
            for vin, key in keys.items()
        ]
        lives = []
        for car in fleet:  # the first connects are not the storm
            lives.append(asyncio.create_task(car.connection.run()))
            await asyncio.sleep(0.005)
        while len(came) < cars:
            await asyncio.sleep(0.1)
        end = time.monotonic() + 2 * EVERY_S + 3 * spread_s
        talks = [asyncio.create_task(car.talk(n / cars * EVERY_S, end)) for n, car in enumerate(fleet)]
        await asyncio.sleep(EVERY_S)
        broker.kill()
        came.clear()
        knocks.clear()
        await asyncio.sleep(1.0)
        await broker.start()
        back = time.monotonic()
        while sum(car.connection.up for car in fleet) < cars and time.monotonic() - back < 300:
            await asyncio.sleep(0.1)
        all_back = time.monotonic() - back
        peak, accepted = (max(Counter(int(at) for at in times).values()) for times in (knocks, came))
        await asyncio.gather(*talks)
        sent = sum(car.seq for car in fleet)
        missing = sent - await rig.stored(server.url)
        for life in lives:
            life.cancel()
        await asyncio.gather(*lives, return_exceptions=True)
        await gateway.end()
        await keeper.stop()
    shutil.rmtree(home, ignore_errors=True)
    return {
        "cars": cars,
        "all_back_s": round(all_back, 1),
        "peak_connects_per_second": peak,
        "peak_share_of_fleet": round(peak / cars, 3),
        "peak_let_in_per_second": accepted,
        "messages": sent,
        "missing": missing,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(storm(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000))))
