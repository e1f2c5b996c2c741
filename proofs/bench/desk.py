"""`telltale bench desk`: pages of the desk with 10,000 open cases and 200,000 cars, beside a bare aiohttp that answers
with the very bytes of the queue, in the same run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from statistics import median
from typing import Any

import aiohttp
from aiohttp import web

from dealer_api.application import build
from dealer_api.cookies import SESSION
from dealer_api.live import Live
from proofs.bench.api import knock_at, serve
from proofs.ground import bench_dealer, bench_house, own_database
from schemas.account import Role
from store import accounts, sessions
from store.migrate import role_url
from store.pool import connect, open_pool, transaction
from telltale import cli

CASES, VEHICLES, ROUNDS, CONNECTIONS = 10_000, 200_000, 3, 8
_SECRET = "bench"
_NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
_OWNERS = """
INSERT INTO owners (dealer_id, name, phone, language, channel, zone, created_at)
SELECT $1, (ARRAY['Anna', 'Jonas', 'Süheyla', 'Peter', 'Lena'])[1 + n % 5] || ' ' ||
    (ARRAY['Weber', 'Müller', 'Süß', 'Ruiz', 'Clarke', 'Jansen', 'Grant'])[1 + n % 7] || ' ' || n,
  '+49176' || lpad(n::text, 8, '0'), 'de', 'sms', 'UTC', $2 FROM generate_series(1, $3::int) AS n
"""
_CARS = """
INSERT INTO vehicles (vin, dealer_id, dealer_since, profile, title, plate, owner_id)
SELECT 'WVWZZZ1KZ' || lpad(n::text, 8, '0'), $1, $2, 'petrol_hatch', 'Golf ' || n, 'HH-' ||
    chr(65 + n % 26) || chr(65 + n / 26 % 26) || ' ' || 1000 + n % 9000, o.id
FROM generate_series(1, $3::int) AS n
JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM owners WHERE dealer_id = $1) o ON o.place = n
"""
_OPEN = """
INSERT INTO cases (dealer_id, vehicle_id, owner_id, state, severity, title, origin, opened_at, changed_at)
SELECT dealer_id, id, owner_id, 'open', (ARRAY['advice', 'soon', 'now'])[1 + id % 3], 'Front left tyre is losing air',
  'alert', $2::timestamptz - id * interval '1 second', $2 FROM vehicles WHERE dealer_id = $1 ORDER BY id LIMIT $3
"""


async def main(settings: Any, *, seconds: float) -> dict[str, Any]:
    """Medians of three rounds: each page one request after the other, then the queue against the same bytes bare."""
    async with own_database(_SECRET) as url:
        return await _measure(url, seconds)


async def _measure(url: str, seconds: float) -> dict[str, Any]:
    began = time.monotonic()
    office = await open_pool(
        role_url(url, _SECRET, "telltale_office"), name="bench-office", size=1, statement_timeout_ms=900_000
    )
    async with transaction(office) as connection:
        dealer = await bench_dealer(connection, _NOW)
        person = await accounts.add_staff(
            connection,
            dealer.id,
            name="Bench",
            email="bench@example.org",
            phone=None,
            role=Role.ADVISOR,
            language="en",
            password_hash="none",
            now=_NOW,
        )
        for statement, count in ((_OWNERS, VEHICLES), (_CARS, VEHICLES), (_OPEN, CASES)):
            await connection.execute(statement, dealer.id, _NOW, count, timeout=900)
    await office.close()
    admin = await connect(url, name="bench-statistics")  # as autovacuum would have done meanwhile
    await admin.execute("SET statement_timeout = 0")
    await admin.execute("VACUUM ANALYZE", timeout=900)
    await admin.close()
    cli.say(f"{CASES:,} cases and {VEHICLES:,} cars after {time.monotonic() - began:.0f} s")
    pool = await open_pool(role_url(url, _SECRET, "telltale_desk"), name="bench-desk", size=10, spotless=True)
    house = bench_house(pool, _NOW, _SECRET)
    async with transaction(pool, dealer.id) as connection:
        cookie = await sessions.start(
            connection, person, house.machine(), device="bench", place="here", proof="password"
        )
        case = await connection.fetchval("SELECT min(id) FROM cases WHERE dealer_id = $1", dealer.id)
    desk = await serve(build(house, Live(role_url(url, _SECRET, "telltale_desk"))))
    header = f"Cookie: {SESSION}={cookie}"
    page = await _page_of(desk, "/queue", header)
    bare = await serve(_same(page))
    pages = {
        "queue": "/queue",
        "search": "/search?q=Jonas+Weber",
        "case": f"/cases/{case}",
        "vehicles": "/vehicles",
    }
    found: dict[str, list[Mapping[str, float]]] = {name: [] for name in (*pages, "bare", "crowd")}
    for n in range(ROUNDS):
        for name, path in pages.items():
            found[name].append(await knock_at(desk, path, seconds, header, connections=1))
        found["bare"].append(await knock_at(bare, "/", seconds, connections=CONNECTIONS))
        found["crowd"].append(await knock_at(desk, "/queue", seconds, header, connections=CONNECTIONS))
        cli.say(f"round {n + 1}: queue p50 {found['queue'][-1]['p50_ms']:.1f} ms")
    await asyncio.gather(desk.cleanup(), bare.cleanup())
    await pool.close()
    times = {
        f"{name}_ms_{part}": round(median(one[f"{part}_ms"] for one in found[name]), 2)
        for name in pages
        for part in ("p50", "p99")
    }
    return {
        **times,
        "queue_per_second": round(median(one["per_second"] for one in found["crowd"]), 1),
        "bare_aiohttp_per_second": round(median(one["per_second"] for one in found["bare"]), 1),
        "ratio_to_bare_aiohttp": round(
            median(
                crowd["per_second"] / alone["per_second"]
                for crowd, alone in zip(found["crowd"], found["bare"], strict=True)
            ),
            3,
        ),
        "queue_bytes": len(page),
        "cases": CASES,
        "vehicles": VEHICLES,
        "connections": CONNECTIONS,
        "rounds": ROUNDS,
        "seconds": seconds,
    }


async def _page_of(server: web.AppRunner, path: str, header: str) -> bytes:
    name, _, value = header.partition(": ")
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"http://127.0.0.1:{server.addresses[0][1]}{path}", headers={name: value}) as answer,
    ):
        assert answer.status == 200, answer.status
        return await answer.read()


def _same(page: bytes) -> web.Application:
    async def say(request: web.Request) -> web.Response:
        return web.Response(body=page, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", say)
    return app
