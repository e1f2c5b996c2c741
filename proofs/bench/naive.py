"""What people usually write: aiomqtt, which acknowledges on arrival, pydantic, one INSERT per message. The yardstick,
and a warning.

python -m proofs.bench.naive HOST PORT USER PASSWORD DATABASE_URL MESSAGES
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from urllib.parse import unquote

import aiomqtt
import asyncpg

from schemas.telemetry import Telemetry

_TABLE = "CREATE TABLE IF NOT EXISTS naive_samples (vin text, seq bigint, ts timestamptz, signals jsonb)"
_INSERT = "INSERT INTO naive_samples (vin, seq, ts, signals) VALUES ($1, $2, $3, $4)"


async def consume(host: str, port: int, user: str, password: str, database: str, messages: int) -> None:
    """As aiomqtt's and asyncpg's first pages show it: one message after the other, the pool's own `execute`."""
    async with (
        asyncpg.create_pool(database) as pool,
        aiomqtt.Client(host, port, username=user, password=password) as client,
    ):
        await pool.execute(_TABLE)
        await client.subscribe("vehicles/+/+/up/telemetry", qos=1)
        print("ready", flush=True)
        done, at = 0, 0.0
        async for message in client.messages:
            at = at or time.perf_counter()
            assert isinstance(message.payload, bytes)
            sample = Telemetry.model_validate_json(message.payload)
            await pool.execute(
                _INSERT, str(message.topic).split("/")[2], sample.seq, sample.ts, json.dumps(sample.signals)
            )
            done += 1
            if done == messages:
                break
        seconds = time.perf_counter() - at
    facts = {"messages": done, "seconds": seconds, "per_second": done / seconds, "cpu_s": time.process_time()}
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    host, port, user, password, database, messages = sys.argv[1:7]
    asyncio.run(
        consume(host, int(port), user=user, password=password, database=unquote(database), messages=int(messages))
    )
