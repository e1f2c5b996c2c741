"""`telltale bench counterless`: devices without counters, with three days of readings beside each other and with 400.

Whoever has no counters is told apart by what it said: each message is looked up among those that are stored. The
looking up must not grow with the days that are kept.
"""

from __future__ import annotations

import shutil
import statistics
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import asyncpg

from proofs.bench import rig
from proofs.bench.intake import SEED, alone
from proofs.bench.payloads import vins
from telltale import cli
from telltale.embedded.postgres import EmbeddedPostgres
from telltale.settings import Settings

FEW, MANY = 3, 400  #: days


async def main(settings: Settings, *, messages: int, repeats: int, vehicles: int) -> dict[str, Any]:
    """Medians of `repeats`; both in each repeat, one after the other."""
    home = settings.home / "bench-counterless"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    home.chmod(0o711)
    tell = cli.progress(f"of {repeats * 2} runs")
    rates: dict[int, list[float]] = {FEW: [], MANY: []}
    seen: dict[str, list[float]] = defaultdict(list)
    for days in rates:
        async with EmbeddedPostgres(home / f"postgres-{days}") as server:
            url = await rig.prepare(server.url, vins(vehicles, SEED))
            await _open(server.url, days)
            for _ in range(repeats):
                await alone(
                    "gateway", server.url, url=url, messages=messages, vehicles=vehicles, seen=seen, counters=False
                )
                rates[days].append(seen["gateway"][-1])
                tell(sum(map(len, rates.values())))
    shutil.rmtree(home, ignore_errors=True)
    few, many = (statistics.median(rates[days]) for days in (FEW, MANY))
    return {
        "messages_per_second": round(many),
        "with_few_days_per_second": round(few),
        "ratio": round(many / few, 3),
        "days": MANY,
        "few_days": FEW,
        "stored_equals_sent": all(missing == 0 for missing in seen["missing"]),
        "messages": messages,
        "vehicles": vehicles,
        "repeats": repeats,
    }


async def _open(admin: str, days: int) -> None:
    today = int(datetime.now(UTC).timestamp() // 86_400)
    connection = await asyncpg.connect(admin)
    try:
        for day in range(today - days + 2, today + 2):
            await connection.execute("SELECT open_day($1)", day)
    finally:
        await connection.close()
