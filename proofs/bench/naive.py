"""What people usually write: acknowledge on arrival, validate, one INSERT per message. The yardstick, and a warning.

python -m proofs.bench.naive HOST PORT USER PASSWORD DATABASE_URL MESSAGES
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from urllib.parse import unquote

import asyncpg
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from schemas.telemetry import Telemetry

_TABLE = "CREATE TABLE IF NOT EXISTS naive_samples (vin text, seq bigint, ts timestamptz, signals jsonb)"
_INSERT = "INSERT INTO naive_samples (vin, seq, ts, signals) VALUES ($1, $2, $3, $4)"


async def consume(host: str, port: int, user: str, password: str, database: str, messages: int) -> None:
    """One paho thread (auto-ack), one queue, one INSERT after the other."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[mqtt.MQTTMessage] = asyncio.Queue()
    connection = await asyncpg.connect(database)
    await connection.execute(_TABLE)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="naive")
    client.username_pw_set(user, password)
    subscribed = asyncio.Event()

    def on_subscribe(*_: object) -> None:
        loop.call_soon_threadsafe(subscribed.set)

    def on_message(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        loop.call_soon_threadsafe(queue.put_nowait, message)

    client.on_connect = lambda found, *_: found.subscribe("vehicles/+/+/up/telemetry", qos=1)
    client.on_subscribe = on_subscribe
    client.on_message = on_message
    client.connect(host, port)
    client.loop_start()
    await subscribed.wait()
    print("ready", flush=True)
    done, at = 0, 0.0
    while done < messages:
        message = await queue.get()
        at = at or time.perf_counter()
        sample = Telemetry.model_validate_json(message.payload)
        await connection.execute(_INSERT, message.topic.split("/")[2], sample.seq, sample.ts, json.dumps(sample.signals))
        done += 1
    seconds = time.perf_counter() - at
    print(
        json.dumps({"messages": done, "seconds": seconds, "per_second": done / seconds, "cpu_s": time.process_time()}), flush=True
    )
    client.loop_stop()
    await connection.close()


if __name__ == "__main__":
    host, port, user, password, database, messages = sys.argv[1:7]
    asyncio.run(consume(host, int(port), user, password, unquote(database), int(messages)))
