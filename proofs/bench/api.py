"""`telltale bench api`: the queue of cases over the API, beside an aiohttp that says hello, in the same run."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from aiohttp import web

from dealer_api.application import build
from dealer_api.live import Live
from proofs.ground import bench_dealer, bench_house, own_database
from schemas.scope import SCOPES
from store import secrets
from store.migrate import role_url
from store.pool import open_pool, transaction
from telltale import cli

CASES, SHOWN, CONNECTIONS, ROUNDS = 20_000, 20, 32, 3
_SECRET = "bench"
_NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
_FURNISH = """
WITH cars AS (
    INSERT INTO vehicles (vin, dealer_id, dealer_since, profile, title)
    SELECT 'WVWZZZ1KZAW' || lpad(n::text, 6, '0'), $1, $2, 'petrol_hatch', 'Golf ' || n
      FROM generate_series(1, $3::int) AS n RETURNING id
)
INSERT INTO cases (dealer_id, vehicle_id, state, severity, title, origin, opened_at, changed_at)
SELECT $1, id, CASE id % 20 WHEN 0 THEN 'open' WHEN 1 THEN 'booked'
  ELSE 'done' END, (ARRAY['advice', 'soon', 'now'])[1 + id % 3], 'Front left tyre is losing air',
       'alert', $2::timestamptz - id * interval '1 minute', $2 FROM cars
"""


async def main(settings: Any, *, seconds: float) -> dict[str, Any]:
    """Medians of three rounds, hello and queue in turns."""
    async with own_database(_SECRET) as url:
        return await _measure(url, seconds)


async def _measure(url: str, seconds: float) -> dict[str, Any]:
    office = await open_pool(role_url(url, _SECRET, "telltale_office"), name="bench-office", size=1)
    async with transaction(office) as connection:
        dealer = await bench_dealer(connection, _NOW)
        await connection.execute(_FURNISH, dealer.id, _NOW, CASES)
        key = await secrets.make(connection, dealer.id, "api_key", now=_NOW, label="bench", scopes=SCOPES)
    await office.close()
    pool = await open_pool(role_url(url, _SECRET, "telltale_desk"), name="bench-desk", size=10, spotless=True)
    house = bench_house(pool, _NOW, _SECRET)
    desk, hello = await serve(build(house, Live(role_url(url, _SECRET, "telltale_desk")))), await serve(_hello())
    bearer = f"Authorization: Bearer {key}"
    rounds = []
    for n in range(ROUNDS):
        rounds.append(
            (await knock_at(hello, "/", seconds), await knock_at(desk, f"/api/v1/cases?limit={SHOWN}", seconds, bearer))
        )
        cli.say(f"round {n + 1}: hello {rounds[-1][0]['per_second']:.0f}/s, queue {rounds[-1][1]['per_second']:.0f}/s")
    await asyncio.gather(desk.cleanup(), hello.cleanup())
    await pool.close()
    return {
        "requests_per_second": round(median(queue["per_second"] for _, queue in rounds), 1),
        "bare_aiohttp_per_second": round(median(bare["per_second"] for bare, _ in rounds), 1),
        "ratio_to_bare_aiohttp": round(median(queue["per_second"] / bare["per_second"] for bare, queue in rounds), 3),
        "p50_ms": round(median(queue["p50_ms"] for _, queue in rounds), 2),
        "p99_ms": round(median(queue["p99_ms"] for _, queue in rounds), 2),
        "cases": CASES,
        "rows": SHOWN,
        "connections": CONNECTIONS,
        "rounds": ROUNDS,
        "seconds": seconds,
    }


def _hello() -> web.Application:
    async def say(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", say)
    return app


async def serve(app: web.Application) -> web.AppRunner:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


async def knock_at(
    server: web.AppRunner, path: str, seconds: float, *headers: str, connections: int = CONNECTIONS
) -> dict[str, float]:
    """From a process of its own, so that the client's work is not counted as ours."""
    port = server.addresses[0][1]
    client = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "proofs.bench.knocking",
        "127.0.0.1",
        str(port),
        path,
        str(seconds),
        str(connections),
        *headers,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    )
    output, _ = await client.communicate()
    found: dict[str, float] = json.loads(output)
    return found
