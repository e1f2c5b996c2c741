"""History from a file, killed again and again: each line is a row once, and the alerts are those of an undisturbed
fold.

A fleet's history is written as CSV, in other units than ours; the command reads it into a database of its own and is
killed (SIGKILL) while it does. What is stored in the end is compared with what was written, and the alerts with the
judge's own fold of it.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg

from proofs.ground import bench_dealer, own_database
from rules.catalogue import RULES
from rules.engine.code_book import CodeBook
from rules.engine.judge import Judge
from schemas.errors import Misconfigured
from schemas.mapping import Mapping
from schemas.moment import from_epoch
from schemas.vehicle import topic
from store import fleet
from telltale import cli, data

SWITCHES = ("no-cursor",)
CARS: Final = 50
APART: Final = timedelta(minutes=1)
_SECRET: Final = "proof"
_WHEEL: Final = "Vehicle.Chassis.Axle.Row{}.Wheel.{}.Tire.Pressure"
_COLUMNS: Final = {
    "coolant (F)": ("Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature", "°F"),
    "battery (mV)": ("Vehicle.LowVoltageBattery.CurrentVoltage", "mV"),
    "speed (mph)": ("Vehicle.Speed", "mph"),
    "odometer (mi)": ("Vehicle.TraveledDistance", "miles"),
    **{f"tyre {n} (psi)": (_WHEEL.format(n // 2 + 1, ("Left", "Right")[n % 2]), "psi") for n in range(4)},
}
MAPPING: Final = 'vehicle = "vin"\nzone = "UTC"\n\n[columns]\n' + "".join(
    f'"{name}" = {{ path = "{path}", unit = "{unit}" }}\n' for name, (path, unit) in _COLUMNS.items()
)


def vin_of(n: int) -> str:
    """The VIN of the nth car."""
    return f"WVWZZZ1KZBW{n:06}"


def lines(rows: int, seed: int, until: datetime) -> Iterator[tuple[int, datetime, tuple[str, ...]]]:
    """(car, moment, cells), all cars side by side in the order of time.

    Every seventh car boils for a morning, every ninth loses air at one wheel for good.
    """
    luck = random.Random(seed)
    each = -(-rows // CARS)
    began = until - each * APART
    metres = [luck.uniform(1e7, 2e8) for _ in range(CARS)]
    for n in range(each):
        at, share = began + n * APART, n / each
        for car in range(CARS):
            hot = car % 7 == 0 and 0.3 < share < 0.4
            air = 33.0 - (max(0.0, share - 0.5) * 30.0 if car % 9 == 0 else 0.0)
            mph = 30 + luck.random() * 40
            metres[car] += mph * 1609.344 / 60  # as far as it drives in a minute
            yield (
                car,
                at,
                (
                    f"{(250 if hot else 190) + luck.random():.1f}",
                    f"{13_900 + luck.random() * 200:.0f}",
                    f"{mph:.1f}",
                    f"{metres[car] / 1609.344:.1f}",
                    f"{air + luck.random() * 0.1:.2f}",
                    *(f"{33 + luck.random() * 0.1:.2f}" for _ in range(3)),
                ),
            )


async def main(settings: Any, *, rows: int, trials: int, seed: int, sabotage: str | None) -> dict[str, Any]:
    """`rows` lines, killed `trials` times on the way; green when nothing was violated."""
    if sabotage is not None and sabotage not in SWITCHES:
        raise Misconfigured("--sabotage", f"is one of {', '.join(SWITCHES)}")
    folder = Path(tempfile.mkdtemp(prefix="telltale-imports-"))
    async with own_database(_SECRET) as url:
        return await run(
            url, folder, rows=rows, trials=trials, seed=seed, sabotage=sabotage, tell=cli.progress("kills")
        )


async def run(
    url: str, folder: Path, rows: int, trials: int, seed: int, sabotage: str | None, tell: Callable[[int], None]
) -> dict[str, Any]:
    """On a migrated, empty database; `url` is its owner's."""
    now, luck = datetime.now(UTC), random.Random(seed)
    until = now.replace(minute=0, second=0, microsecond=0) - timedelta(
        hours=4
    )  # all of it is history: what is judged late does not hang on the minute
    file, mapping = folder / "fleet.csv", folder / "mapping.toml"
    mapping.write_text(MAPPING, encoding="utf-8")
    count = 0
    with file.open("w", encoding="utf-8") as to:
        to.write(",".join(("vin", "time", *_COLUMNS)) + "\n")
        for car, at, cells in lines(rows, seed, until):
            to.write(f"{vin_of(car)},{at.isoformat()},{','.join(cells)}\n")
            count += 1
    admin = await asyncpg.connect(url)
    try:
        async with admin.transaction():
            dealer = await bench_dealer(admin, now)
            for n in range(CARS):
                await fleet.add(
                    admin,
                    dealer.id,
                    vin=vin_of(n),
                    profile="petrol_hatch",
                    title="Golf",
                    plate=None,
                    actor="proof",
                    now=now,
                )
        kills, last = 0, 0
        for trial in range(trials):
            kills += await _killed(
                admin,
                url,
                file=file,
                mapping=mapping,
                sabotage=sabotage,
                at=last + max(1, (count - last) // (trials - trial + 1)),
                luck=luck,
            )
            last = await admin.fetchval("SELECT coalesce(max(records), 0) FROM readings_imports")
            tell(trial + 1)
        process = await _start(url, file, mapping, sabotage)
        out, _ = await process.communicate()
        facts = (
            json.loads(out)
            if out
            else {
                "rows_per_second": 0,
                "rows_stored": 0,
                "refused": {"it did not end well": {}},
                "seconds": 0,
                "cpu_seconds": 0,
                "went_on_at": 0,
            }
        )
        found = await _violations(admin, count, seed=seed, rows=rows, until=until)
        if facts["refused"] or process.returncode:
            found.append(f"it ended with {process.returncode}: {facts['refused']}")
    finally:
        await admin.close()
        for path in (file, mapping):
            path.unlink()
        folder.rmdir()
    return {
        "trials": trials,
        "rows": count,
        "checked": count,
        "violations": len(found),
        "kills": kills,
        "seed": seed,
        "sabotage": sabotage,
        "first": found[:5],
        "rows_per_second": facts["rows_per_second"],
        "last_run_s": facts["seconds"],
        "last_run_cpu_s": facts["cpu_seconds"],
        "last_run_from": facts["went_on_at"],
    }


async def _start(url: str, file: Path, mapping: Path, sabotage: str | None) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        "env",
        f"DATABASE_URL={url}",
        f"TELLTALE_SECRET={_SECRET}",
        "TELLTALE_LOG_LEVEL=warning",
        sys.executable,
        "-m",
        "proofs.imports_under",
        sabotage or "none",
        "import-readings",
        str(file),
        "--mapping",
        str(mapping),
        "--json",
        stdout=asyncio.subprocess.PIPE,
        cwd=data.ROOT,
    )


async def _killed(
    admin: asyncpg.Connection, url: str, file: Path, mapping: Path, sabotage: str | None, at: int, luck: random.Random
) -> bool:
    """Begin or go on, and be killed some moments after that many lines are settled; False when it was done before."""
    process = await _start(url, file, mapping, sabotage)
    while (
        process.returncode is None
        and (await admin.fetchval("SELECT coalesce(max(records), 0) FROM readings_imports")) < at
    ):
        await asyncio.sleep(0.005)
    await asyncio.sleep(luck.uniform(0.0, 0.1))
    if process.returncode is None:
        process.send_signal(signal.SIGKILL)
    await process.communicate()
    return process.returncode == -signal.SIGKILL


async def _violations(admin: asyncpg.Connection, count: int, seed: int, rows: int, until: datetime) -> list[str]:
    """What is stored against what was written; the alerts against a fold that nobody disturbed."""
    found = []
    stored = await admin.fetchval("SELECT count(*) FROM readings")
    if stored != count:
        found.append(f"{stored} rows are stored of {count} lines")
    wrong = await admin.fetchval(
        "SELECT count(*) FROM (SELECT FROM readings GROUP BY vehicle_id HAVING count(DISTINCT place) <> count(*) "
        "OR max(place) <> count(*)) AS w"
    )
    if wrong:
        found.append(f"{wrong} cars whose rows are not counted through")
    wanted = await asyncio.to_thread(_folded, rows, seed, until)
    steps = await admin.fetch(
        "SELECT v.vin, s.rule, s.component, s.episode, s.step, s.state, s.severity, s.because, s.ts, s.place "
        "FROM alert_steps s JOIN vehicles v ON v.id = s.vehicle_id"
    )
    committed = {tuple(step) for step in steps}
    found += [f"no such step was committed: {step}" for step in sorted(wanted - committed)[:100]]
    found += [f"a step that the fold does not have: {step}" for step in sorted(committed - wanted)[:100]]
    told = await admin.fetchval(
        "SELECT count(*) FROM wakeups w JOIN alerts a ON a.id = w.subject_id WHERE w.topic = 'alert' "
        "AND a.state <> 'active'"
    )
    standing = await admin.fetchval("SELECT count(*) FROM alerts WHERE state = 'active' AND NOT shadow")
    woken = await admin.fetchval("SELECT count(DISTINCT subject_id) FROM wakeups WHERE topic = 'alert'")
    if told or standing != woken:
        found.append(f"{told} things that have passed are told, and {woken} of the {standing} that stand")
    return found


def _folded(rows: int, seed: int, until: datetime) -> set[tuple[Any, ...]]:
    """The same lines as messages of devices without counters, through the decoder and the judge of the live path."""
    from gateway.intake import normalise

    judge = Judge(RULES, data.profiles(), codes=CodeBook(data.trouble_codes()))
    mapping = Mapping.of(
        {"vehicle": "vin", "columns": {name: {"path": path, "unit": unit} for name, (path, unit) in _COLUMNS.items()}},
        "mapping",
    )
    meant = [(column.signal.path, *column.conversion) for column in mapping.columns.values()]
    memories = [judge.memory("petrol_hatch") for _ in range(CARS)]
    sources = [normalise.Source(vin_of(n), n, topic(vin_of(n), "up/telemetry")) for n in range(CARS)]
    places, steps = [0] * CARS, set()
    received = time.time()
    for car, at, cells in lines(rows, seed, until):
        signals = {
            path: float(cell) * factor + offset for (path, factor, offset), cell in zip(meant, cells, strict=True)
        }
        row = normalise.telemetry(
            json.dumps({"ts": at.isoformat(), "signals": signals}).encode(), sources[car], received
        ).reading
        assert row is not None
        places[car] += 1
        row.place = places[car]
        for s in judge.step(memories[car], row):
            steps.add(
                (
                    vin_of(car),
                    s.rule,
                    s.component,
                    s.episode,
                    s.step,
                    s.state.value,
                    s.severity.value,
                    s.because,
                    from_epoch(s.ts),
                    s.place,
                )
            )
    return steps
