"""A gateway's intake without broker and database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from gateway.fleet.fleet import Fleet
from gateway.intake.batch import Batch
from gateway.intake.decode import Decoder
from gateway.intake.judge import BatchJudge
from gateway.intake.latest_values import LatestValues
from gateway.intake.rejections import Rejections
from gateway.mqtt.chunk import Chunk
from rules.engine.judge import Judge
from store import stamps
from store.vehicles import Identity

NOW = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)
VINS = [f"TTB1H00LDP{n:07d}" for n in range(4)]


class Road:
    """A gateway without broker and database: four cars that have just been switched on."""

    def __init__(self, judge: Judge) -> None:
        self.stored: dict[tuple[int, int, int], float] = {}
        self.fleet, self.rejections, self.latest_values = Fleet(judge), Rejections(), LatestValues()
        self.fleet.meet(
            Identity(id=n, vin=vin, dealer_id=1, profile="petrol_hatch", secret_hash=b"x", revoked_at=None)
            for n, vin in enumerate(VINS, 1)
        )
        for car in self.fleet.by_id.values():
            car.memory, car.loaded = judge.memory(car.profile), True
        decoder = Decoder(self.fleet, self, self.rejections, self.latest_values)  # type: ignore[arg-type]
        self.batch_judge = BatchJudge(self.fleet, decoder, self.rejections, self.latest_values, lambda: NOW)

    async def read(self, work: Any) -> Any:
        """Nothing is stored but what a test says: (vehicle, boot, seq) -> when it was made."""
        asked = getattr(work, "func", None)
        if asked is stamps.stamps:
            return {key[:3]: self.stored[key[:3]] for key in work.keywords["keys"] if key[:3] in self.stored}
        return self.stored.get(work.keywords["key"]) if asked is stamps.stamp else []

    def drive(self, text: list[tuple[str, bytes]], *, retained: bool = True) -> list[Batch]:
        async def drive() -> list[Batch]:
            made = []
            for n in range(0, len(text), 40):
                part = text[n : n + 40]
                chunk = Chunk(
                    None, 1, [*range(1, len(part) + 1)], [name.encode() for name, _ in part], [body for _, body in part]
                )  # type: ignore[arg-type]
                if retained and n % 80:
                    chunk.retained.append(7)
                made.append(await self.batch_judge.prepare([chunk], tick=bool(n % 3), accepted=[]))
            return made

        return asyncio.run(drive())
