"""Writes docs/reference/performance.md from measurements made now:

python -m proofs.bench.table [SECONDS] [REPEATS]
"""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from proofs.bench import intake, rig
from proofs.bench.outage import outage
from proofs.bench.payloads import vins
from telltale.data import ROOT
from telltale.embedded.postgres import EmbeddedPostgres
from telltale.settings import Settings

FLEETS = (1_000, 10_000, 100_000)
PAGE = ROOT / "docs" / "reference" / "performance.md"
_ASKED = (
    ("messages_per_second", "whole pipeline, messages a second", ""),
    ("ratio_to_ceiling", "… against the broker's own ceiling", "0.60; embedded 0.50"),
    ("ratio_to_naive", "… against acknowledge-on-arrival, one INSERT a message", "20; embedded 12"),
    ("ratio_to_copy_floor", "gateway alone against the COPY floor", "0.40"),
    ("alert_p50_ms_half_load", "alert at half load, median ms", ""),
    ("alert_p99_ms_half_load", "alert at half load, 99th percentile ms", "100"),
    ("cpu_us_per_message", "gateway, CPU µs a message", ""),
)


async def main(seconds: float, repeats: int) -> None:
    """Measure, then write the page."""
    home = Path(tempfile.mkdtemp(prefix="telltale-table-"))
    home.chmod(0o711)
    began = os.getloadavg()[0]
    rows, shares = [], {}
    async with EmbeddedPostgres(home / "postgres") as server:
        for vehicles in FLEETS:
            url = await rig.prepare(server.url, vins(vehicles, intake.SEED))
            seen: dict[str, list[float]] = defaultdict(list)
            for _ in range(repeats):
                for mode in ("floor", "gateway"):
                    await intake.alone(
                        mode,
                        server.url,
                        url=url,
                        messages=int(seconds * intake.ALONE_A_SECOND),
                        vehicles=vehicles,
                        seen=seen,
                    )
            if vehicles == FLEETS[0]:
                shares = await intake.alone(
                    "gateway",
                    server.url,
                    url=url,
                    messages=60_000,
                    vehicles=vehicles,
                    seen=defaultdict(list),
                    profile=True,
                )
            rows.append((vehicles, {name: statistics.median(values) for name, values in seen.items()}))
            print(rows[-1], file=sys.stderr, flush=True)
    settings = Settings.read(home=home)
    facts = await intake.main(settings, seconds=seconds, cars=200, repeats=repeats, vehicles=FLEETS[0])
    embedded = await intake.main(
        settings, seconds=seconds, cars=200, repeats=repeats, vehicles=FLEETS[0], embedded=True
    )
    away = await outage(60.0, 1_000.0, 100)
    shutil.rmtree(home, ignore_errors=True)
    PAGE.write_text(
        _page(facts, embedded, rows=rows, shares=shares, away=away, load=(began, os.getloadavg()[0]), repeats=repeats)
    )


def _page(
    facts: dict[str, Any],
    embedded: dict[str, Any],
    rows: list[tuple[int, dict[str, float]]],
    shares: dict[str, float],
    away: dict[str, Any],
    load: tuple[float, float],
    repeats: int,
) -> str:
    fleet = "\n".join(
        f"| {n:,} | {m['gateway']:,.0f} | {m['floor']:,.0f} | {m['gateway'] / m['floor']:.2f} | {m['gateway_us']:.1f} "
        f"| {m['cold_cars']:,.0f} | {m['rss_mb']:.0f} |"
        for n, m in rows
    )
    asked = "\n".join(f"| {title} | {facts[key]:,} | {embedded[key]:,} | {goal} |" for key, title, goal in _ASKED)
    spent = "\n".join(f"| {label} | {share:.0%} |" for label, share in shares.items() if share >= 0.01)
    return f"""# How fast the intake is

Written by `python -m proofs.bench.table` on {datetime.now(UTC):%d %B %Y}: {os.cpu_count()} cores, Python
{platform.python_version()}, everything (cars, broker,
database, gateway) on this one machine. **Load average {load[0]:.1f} at the start and {load[1]:.1f} at the end**: where
that is much above the number of
cores, others were working here too, and absolute numbers are worth little; ratios are of pairs measured one after the
other. Medians of {repeats}.
`telltale bench intake --json` measures the same.

QoS 1 JSON samples of {facts["payload_bytes"]} bytes, {facts["rules"]} rules, pydantic validation, one row per message,
COMMIT before PUBACK. 1 % of the samples
is over a limit, so that about 2 % of them move an alert.

## What was asked for

| | {facts["broker"]} | {embedded["broker"]} | asked |
|---|---|---|---|
{asked}

Sent and stored are equal in every run:
{"yes" if facts["stored_equals_sent"] and embedded["stored_equals_sent"] else "NO"}. {facts["alerts_measured"]} and
{embedded["alerts_measured"]} alerts were timed,
from the car's PUBLISH to its own screen. Everything shares two cores, which may be threads of one:
at full speed broker, cars, database and gateway use up both, so the ratio to the broker's own ceiling says how much of
the machine the broker still gets.

## By size of the fleet: the gateway alone

A pretended broker hands out packets as fast as they are acknowledged; the COPY floor is the same client that stores the
raw payload and does nothing else.

| vehicles | gateway, messages a second | COPY floor | ratio | CPU µs a message, loading included | cold cars loaded a second | peak memory MB |
|---|---|---|---|---|---|---|
{fleet}

## Where the time goes

Share of the gateway's own time, by cProfile (which makes small functions look dearer than they are):

| part | share |
|---|---|
{spent}

## A minute without database

`python -m proofs.bench.outage`: {away["cars"]} cars, {away["messages_per_second"]:,.0f} messages a second, PostgreSQL
stopped for {away["seconds_away"]:.0f} s on {away["broker"]}.

| resident memory grew by | caught up after | missing | a killed gateway is ready again after |
|---|---|---|---|
| {away["rss_grown_mb"]} MB | {away["caught_up_s"]} s ({away["still_sending_s"]:.0f} s of them the cars went on sending) | {away["missing"]} of {away["messages"]:,} | {away["restart_to_ready_s"]} s |
"""  # noqa: E501 - rows of tables


if __name__ == "__main__":
    given = [float(argument) for argument in sys.argv[1:]]
    asyncio.run(main(given[0] if given else 5.0, int(given[1]) if len(given) > 1 else 3))
