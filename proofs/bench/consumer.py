"""What is measured, in a process of its own: our gateway, or the COPY floor (same client, raw payload, no decoding, no
rules).

    python -m proofs.bench.consumer gateway|floor MQTT_URL DATABASE_URL VERSION MESSAGES [profile]

Says `ready`, then `done TIME` (Unix seconds) when that many messages are committed and acknowledged, then what it used
as one JSON line when it is told to end (SIGTERM).
"""

from __future__ import annotations

import asyncio
import cProfile
import json
import logging
import pstats
import resource
import signal
import struct
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import asyncpg
import structlog

from gateway import running
from gateway.intake.loop import Intake
from gateway.mqtt.address import BrokerAddress
from gateway.mqtt.broker import Broker
from rules.catalogue import RULES
from rules.engine.judge import Judge
from schemas.vehicle import BUCKETS
from telltale import data

TABLE = "CREATE TABLE IF NOT EXISTS raw_payloads (payload bytea)"
_made: list[Intake] = []


class _Watched(Intake):
    """The gateway's own intake; the bench only wants to read its counters."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        _made.append(self)


async def gateway(mqtt_url: str, database_url: str, version: int) -> None:
    """The gateway as it is in service."""
    await running.run(
        database_url=database_url,
        mqtt_url=mqtt_url,
        mqtt_version=version,
        clock=lambda: datetime.now(UTC),
        profiles=data.profiles(),
        judge=Judge(RULES, data.profiles()),
        ready=_ready,
        make_intake=_Watched,
        try_out_broker=False,  # the pretended one cannot be
    )


async def floor(mqtt_url: str, database_url: str, version: int) -> None:
    """Read, COPY the payload as it is, commit, acknowledge."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(TABLE)
    broker = Broker(BrokerAddress.from_url(mqtt_url, version))
    await broker.open(range(BUCKETS))
    _ready()
    head = struct.Struct(">hi").pack
    saving: asyncio.Task[None] | None = None

    async def save(chunks: list[Any], rows: list[bytes]) -> None:
        async def source() -> Any:
            yield b"".join((b"PGCOPY\n\xff\r\n\0" + bytes(8), *rows, b"\xff\xff"))

        await connection.copy_to_table("raw_payloads", source=source(), format="binary")
        for chunk in chunks:
            chunk.session.ack(chunk.epoch, chunk.mids)

    while True:
        chunks = await broker.deliveries()
        rows = [head(1, len(payload)) + payload for chunk in chunks for payload in chunk.payloads]
        if saving is not None:
            await saving
        if rows:
            saving = asyncio.create_task(save(chunks, rows))


def _ready(**_facts: object) -> None:
    global _since
    _since = (time.process_time(), time.perf_counter())
    print("ready", flush=True)


_since = (0.0, 0.0)


async def _watch(messages: int) -> None:
    while not _made or _made[0].messages < messages:
        await asyncio.sleep(0.01)
    print(f"done {time.time()}", flush=True)


async def main(mode: str, mqtt_url: str, database_url: str, version: str, messages: str) -> None:
    structlog.configure(
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )
    watching = asyncio.create_task(_watch(int(messages))) if mode == "gateway" else None
    task = asyncio.create_task((gateway if mode == "gateway" else floor)(mqtt_url, database_url, int(version)))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        if watching is not None:
            watching.cancel()
        result: dict[str, Any] = {
            "cpu_s": time.process_time() - _since[0],
            "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        if _made:
            result |= {"messages": _made[0].messages, "duplicates": _made[0].duplicates, "rules": len(RULES)}
        print(json.dumps(result), flush=True)


def _shares(profile: cProfile.Profile) -> dict[str, float]:
    """Share of the time by what it was spent on, the largest first."""
    spent: dict[str, float] = defaultdict(float)
    for (path, _, name), (_, _, own, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        spent[next((label for sign, label in _PARTS if sign in f"{path}:{name}"), "the rest of Python")] += own
    del spent["waiting"]
    total = sum(spent.values())
    return {label: round(own / total, 3) for label, own in sorted(spent.items(), key=lambda item: -item[1])}


#: sign in `path:function` -> what it is
_PARTS = (
    ("select.epoll", "waiting"),
    ("validate_json", "pydantic"),
    ("type_adapter", "pydantic"),
    ("gateway/intake/normalise", "units, ranges, clock"),
    ("datetime", "units, ranges, clock"),
    ("/rules/", "rules"),
    ("<rules", "rules"),
    ("store/readings", "packing rows"),
    ("_struct", "packing rows"),
    ("gateway/mqtt/bulk_reader", "MQTT"),
    ("gateway/mqtt/broker", "MQTT"),
    ("paho", "MQTT"),
    ("gateway/", "intake loop"),
    ("asyncpg", "database client"),
    ("_socket", "sockets"),
    ("asyncio", "event loop"),
    ("json", "JSON of alerts and checkpoints"),
    ("store/", "database client"),
)


if __name__ == "__main__":
    if sys.argv[6:] == ["profile"]:
        watched = cProfile.Profile()
        watched.runcall(asyncio.run, main(*sys.argv[1:6]))
        print(json.dumps({"profile": _shares(watched)}), flush=True)
    else:
        asyncio.run(main(*sys.argv[1:6]))
