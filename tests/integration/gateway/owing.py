"""What a bad night leaves behind: a fleet over all buckets whose messages wait at the broker while no gateway is
there.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterator
from datetime import timedelta

from gateway.ops.auth_callout import AuthCallout
from proofs.bench.payloads import vins
from proofs.owing import owe
from schemas.credentials import secret_hash
from schemas.vehicle import BUCKETS, bucket_of
from tests.integration.gateway.world import World, now


class Night:
    """One car in each bucket; `fall` lets each of them say as much, while their messages can only wait."""

    def __init__(self, world: World, keys: dict[str, str]) -> None:
        self.world, self.keys = world, keys
        self.sent = 0

    @classmethod
    async def over(cls, world: World) -> Night:
        """Cars that the database knows."""
        piles: dict[int, str] = {}
        for vin in vins(BUCKETS * 20, int.from_bytes(secrets.token_bytes(4))):
            piles.setdefault(bucket_of(vin), vin)
        keys = {piles[bucket]: secrets.token_hex(32) for bucket in range(BUCKETS)}
        rows = [
            (vin, world.dealer, now(), "petrol_hatch", "a car", secret_hash(key), now()) for vin, key in keys.items()
        ]
        await world.pool.copy_records_to_table(
            "vehicles",
            records=rows,
            columns=["vin", "dealer_id", "dealer_since", "profile", "title", "secret_hash", "enrolled_at"],
        )
        return cls(world, keys)

    async def fall(self, each: int, *, ago: timedelta = timedelta(hours=3), size: int = 0, hot: bool = False) -> None:
        """Each car says `each` messages, a second apart, the first of them `ago`; all are with the broker when this
        ends.
        """
        keeper = None
        if self.world.broker.auth_url:  # somebody must let the cars in
            keeper = AuthCallout(
                self.world.broker.auth_url,
                self.world.broker.auth_seed,
                {vin: secret_hash(key) for vin, key in self.keys.items()},
            )
            await keeper.start()
        start = now() - ago

        def bodies(_vin: str) -> Iterator[bytes]:
            for n in range(each):
                stamp = (start + timedelta(seconds=n)).isoformat()
                signals = {
                    "Vehicle.Speed": 50.0,
                    "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature": 126.0 if hot else 90.0,
                }
                yield (
                    json.dumps({"boot": 1, "seq": self.sent + n + 1, "oldest": 1, "ts": stamp, "signals": signals})
                    .encode()
                    .ljust(size)
                )

        await asyncio.to_thread(owe, "127.0.0.1", self.world.broker.port, self.keys, bodies)
        self.sent += each
        if keeper is not None:
            await keeper.stop()

    async def stored(self) -> tuple[int, int]:
        """Rows of these cars, and how many different (boot, seq) they have."""
        row = await self.world.pool.fetchrow(
            "SELECT count(*) AS rows, count(DISTINCT (r.vehicle_id, r.boot, r.seq)) AS keys FROM readings r "
            "JOIN vehicles v ON v.id = r.vehicle_id WHERE v.vin = ANY($1)",
            list(self.keys),
        )
        return row["rows"], row["keys"]

    async def over_now(self) -> bool:
        """Whether everything is stored, each once."""
        whole = self.sent * len(self.keys)
        return await self.stored() == (whole, whole)
