"""`telltale score`: the real engine over a simulated fleet with ground truth, beside two baselines on the same data."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from proofs.score.living import START, Lived, live
from proofs.score.matching import report
from simulator.population import Specimen, population
from telltale import data

ROOT = Path(__file__).resolve().parents[2]


def main(*, vehicles: int, days: int, seed: int, jobs: int = 1, plain: bool = False) -> dict[str, Any]:
    """`plain`: sensors that say what is, and whole feeds. Simulate, judge, compare with the truth.

    One process per job; a progress bar on a terminal.
    """
    began = time.monotonic()
    plans = [
        (specimen, days)
        for specimen in population(data.profiles(), vehicles, days=days, seed=seed, since=START, real=not plain)
    ]
    with _bar(len(plans)) as tick:
        lives = _lived(plans, jobs, tick)
    wall = time.monotonic() - began
    car_days = sum(life.days for life in lives)
    facts: dict[str, Any] = {
        "vehicles": vehicles,
        "days": days,
        "seed": seed,
        "jobs": jobs,
        "plain": plain,
        "rules_hash": rules_hash(),
    }
    facts |= report(lives)
    facts["wall_seconds"] = round(wall, 1)
    facts["ms_per_vehicle_day_and_core"] = round(1000 * sum(life.cpu_s for life in lives) / max(1.0, car_days), 2)
    facts["readings"] = sum(life.readings for life in lives)
    facts["judge_us_per_reading"] = round(1e6 * sum(life.judge_s for life in lives) / max(1, facts["readings"]), 2)
    return facts


def _lived(plans: list[tuple[Specimen, int]], jobs: int, tick: Any) -> list[Lived]:
    found = []
    results: Iterable[Lived]
    if jobs <= 1:
        results = map(live, plans)
        for one in results:
            found.append(one)
            tick()
        return found
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        for one in pool.map(live, plans, chunksize=max(1, min(8, len(plans) // (jobs * 4) or 1))):
            found.append(one)
            tick()
    return found


@contextmanager
def _bar(total: int) -> Iterator[Any]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda: None
        return
    columns = (TextColumn("cars lived and judged"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)


def rules_hash() -> str:
    """Which rules were scored: a hash over the rule files and the vehicle models."""
    digest = hashlib.sha256()
    for path in sorted([*(ROOT / "rules").rglob("*.py"), *(ROOT / "schemas" / "profiles").glob("*.toml")]):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def lines(facts: dict[str, Any]) -> list[str]:
    """The score for people: a table by fault, ours beside both baselines."""
    peers = facts["baselines"]
    found = [
        f"{facts['vehicles']} cars, {facts['vehicle_days']:.0f} vehicle-days, seed {facts['seed']}, rules "
        f"{facts['rules_hash']}, {facts['wall_seconds']:.0f} s",
        f"recall {_share(facts['recall'])} ({_share(facts['recall_low'])} to {_share(facts['recall_high'])}), "
        f"{facts['episodes']} episodes, {facts['open']} still open",
        f"median lead {_days(facts['median_lead_days'])}, p10 {_days(facts['p10_lead_days'])}",
        f"false alerts {facts['false_alerts']}: {facts['false_per_1000_vehicle_days']} per 1,000 vehicle-days; wrong "
        f"component {_share(facts['wrong_component_share'])}",
        f"cost {facts['cost']}; trouble codes only {peers['trouble_codes_only']['cost']}, fixed thresholds "
        f"{peers['fixed_thresholds']['cost']}",
        f"at a real fleet's rate of faults: {facts['at_real_base_rate']['false_per_true']} false alerts for each true "
        "one",
        "",
        f"{'fault':20}{'n':>4}{'open':>6}   {'recall, lead':18}{'codes only':18}{'fixed thresholds':18}",
    ]
    for name, own in facts["by_fault"].items():
        others = [peers[peer]["by_fault"][name] for peer in ("trouble_codes_only", "fixed_thresholds")]
        cells = [f"{_share(one['recall'])} {_days(one['median_lead_days'])}" for one in (own, *others)]
        found.append(
            f"{name:20}{own['episodes']:>4}{own['open']:>6}   " + "".join(f"{cell:18}" for cell in cells).rstrip()
        )
    false = ", ".join(f"{rule} {count}" for rule, count in facts["false_by_rule"].items())
    for name, one in facts["by_feed"].items():
        found.append(
            f"feed {name:8}{one['vehicles']:>5} cars   recall {_share(one['recall'])} of {one['episodes']}, "
            f"not watched {one['unwatched']}, lead {_days(one['median_lead_days'])}, "
            f"false per 1,000 vehicle-days {one['false_per_1000_vehicle_days']}"
        )
    spoiled, told, urgent = facts["sensor_faults"], facts["sensor_faults_told"], facts["now_from_sensor_faults"]
    found.append(f"faults of sensors {spoiled}, told at the desk {told}, told to an owner as urgent {urgent}")
    return [
        *found,
        "",
        f"false alerts by rule: {false or 'none'}",
        f"not better than a baseline on: {', '.join(facts['not_better_on']) or 'nothing'}",
    ]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.0f} %"


def _days(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} d"
