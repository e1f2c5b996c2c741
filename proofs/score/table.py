"""Writes the tables of docs/reference/detection.md from measurements:

telltale score --plain --vehicles 1000 --days 120 --seed 201 --json > score-201.json     # and further seeds
python -m proofs.score.table score-*.json

Scores of real feeds (without `--plain`) have a table of their own; what is not given stays as it is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from proofs.score.matching import wilson
from telltale.data import ROOT

PAGE = ROOT / "docs" / "reference" / "detection.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
REAL_BEGIN, REAL_END = "<!-- measured with real feeds: begin -->", "<!-- measured with real feeds: end -->"
PEERS = ("trouble_codes_only", "fixed_thresholds")


def tables(runs: Sequence[dict[str, Any]]) -> str:
    """The three tables: all seeds together, seed by seed, fault by fault."""
    runs = sorted(runs, key=lambda facts: facts["seed"])
    hashes = sorted({facts["rules_hash"] for facts in runs})
    days, readings = sum(facts["vehicle_days"] for facts in runs), sum(facts["readings"] for facts in runs)
    seeds = ", ".join(str(facts["seed"]) for facts in runs)
    return "\n".join(
        [
            f"Seeds {seeds}: {runs[0]['vehicles']:,} cars, {runs[0]['days']} days each, {days:,.0f} vehicle-days, "
            f"{readings / 1e6:.1f} million readings through the real engine. "
            f"Rules and models `{'`, `'.join(hashes)}` (printed by the command).",
            "",
            *_together(runs, days),
            "",
            *_by_seed(runs),
            "",
            "By fault: recall over all seeds, and the medians of the lead in days, from the seed with the least to the "
            "one with the most.",
            "",
            *_by_fault(runs),
            "",
            "A simulated day of a car with its judgement and both baselines costs "
            f"{_span([r['ms_per_vehicle_day_and_core'] for r in runs])} ms of one core, other work going on beside it.",
        ]
    )


def _ways(runs: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [list(runs), *([facts["baselines"][peer] for facts in runs] for peer in PEERS)]


def _together(runs: Sequence[dict[str, Any]], days: float) -> list[str]:
    rows: dict[str, list[str]] = {"recall": [], "false": [], "wrong": [], "cost": []}
    for way in _ways(runs):
        hits, total, wrong = _hits([one["by_fault"] for one in way])
        low, high = wilson(hits, total)
        false = sum(one["false_alerts"] for one in way)
        rows["recall"].append(f"{hits / total:.1%} ({low:.1%} to {high:.1%}), {hits} of {total}")
        rows["false"].append(f"{1000 * false / days:.3f} ({false} in all)")
        rows["wrong"].append(str(wrong))
        rows["cost"].append(f"{sum(one['cost'] for one in way):,}")
    titles = {
        "recall": "recall, 95 % interval (Wilson)",
        "false": "false alerts per 1,000 vehicle-days",
        "wrong": "first alert blamed another part",
        "cost": "cost, 10 per false alert and 500 per missed fault",
    }
    head = ["| | Telltale | trouble codes only | fixed thresholds |", "|---|---|---|---|"]
    return head + [f"| {titles[name]} | {' | '.join(cells)} |" for name, cells in rows.items()]


def _by_seed(runs: Sequence[dict[str, Any]]) -> list[str]:
    head = [
        "| seed | episodes | recall | median lead, days | p10 | false per 1,000 vehicle-days | cost | not better on | "
        "wall, s |",
        "|" + "---|" * 9,
    ]
    return head + [
        f"| {r['seed']} | {r['episodes']} | {r['recall']:.1%} | {r['median_lead_days']:.1f} | {r['p10_lead_days']:.1f} "
        f"| {r['false_per_1000_vehicle_days']:.3f} "
        f"| {r['cost']:,} | {', '.join(r['not_better_on']) or 'nothing'} | {r['wall_seconds']:.0f} |"
        for r in runs
    ]


def _by_fault(runs: Sequence[dict[str, Any]]) -> list[str]:
    found = [
        "| fault | episodes | open | Telltale | lead | codes only | lead | fixed thresholds | lead |",
        "|" + "---|" * 9,
    ]
    for name in sorted({name for facts in runs for name in facts["by_fault"]}):
        cells: list[str] = []
        for way in _ways(runs):
            own = [one["by_fault"][name] for one in way if name in one["by_fault"]]
            hits, total, _ = _hits([{name: one} for one in own])
            leads = [one["median_lead_days"] for one in own if one["median_lead_days"] is not None]
            cells += [f"{hits / total:.0%}" if total else "–", _span(leads)]
        own = [facts["by_fault"][name] for facts in runs if name in facts["by_fault"]]
        found.append(
            f"| {name} | {sum(one['episodes'] for one in own)} | {sum(one['open'] for one in own)} | "
            f"{' | '.join(cells)} |"
        )
    return found


def by_feed(runs: Sequence[dict[str, Any]]) -> str:
    """What real feeds bring, all seeds together: recall, what cannot be watched, false alerts."""
    runs = sorted(runs, key=lambda facts: facts["seed"])
    hashes = sorted({facts["rules_hash"] for facts in runs})
    seeds, days = ", ".join(str(facts["seed"]) for facts in runs), sum(facts["vehicle_days"] for facts in runs)
    found = [
        f"Seeds {seeds}: {runs[0]['vehicles']:,} cars, {runs[0]['days']} days each, {days:,.0f} vehicle-days. Rules "
        f"and models `{'`, `'.join(hashes)}`.",
        "",
        "| feed | cars | episodes | recall, 95 % interval (Wilson) | not watched | median lead, days, by seed | "
        "false per 1,000 vehicle-days |",
        "|" + "---|" * 7,
    ]
    for feed in sorted({feed for facts in runs for feed in facts["by_feed"]}):
        found.append(_of_feed(feed, [facts["by_feed"][feed] for facts in runs if feed in facts["by_feed"]]))
    found.append(_of_feed("all", runs))
    spoiled, told, urgent = (
        sum(facts[name] for facts in runs) for name in ("sensor_faults", "sensor_faults_told", "now_from_sensor_faults")
    )
    words = f"Faults of sensors: {spoiled}, of which {told} were told at the desk and {urgent} to an owner as urgent."
    return "\n".join([*found, "", words])


def _of_feed(name: str, own: Sequence[dict[str, Any]]) -> str:
    hits = sum(round((one["recall"] or 0) * one["episodes"]) for one in own)
    total, false = (sum(one[count] for one in own) for count in ("episodes", "false_alerts"))
    low, high = wilson(hits, total)
    recall = f"{hits / total:.1%} ({low:.1%} to {high:.1%}), {hits} of {total}" if total else "–"
    leads = [one["median_lead_days"] for one in own if one["median_lead_days"] is not None]
    cars, days = (sum(one[count] for one in own) for count in ("vehicles", "vehicle_days"))
    unwatched = sum(one["unwatched"] for one in own)
    return (
        f"| {name} | {cars} | {total} | {recall} | {unwatched} | {_span(leads)} | {1000 * false / days:.3f} ({false}) |"
    )


def _hits(by_fault: Sequence[dict[str, dict[str, Any]]]) -> tuple[int, int, int]:
    """Found, all, and first blamed on another part."""
    each = [one for faults in by_fault for one in faults.values()]
    return (
        sum(round((one["recall"] or 0) * one["episodes"]) for one in each),
        sum(one["episodes"] for one in each),
        sum(one["wrong_component"] for one in each),
    )


def _span(values: Sequence[float]) -> str:
    if not values:
        return "–"
    low, high = f"{min(values):.1f}", f"{max(values):.1f}"
    return low if low == high else f"{low} to {high}"


def main(paths: Sequence[str]) -> None:
    """Put the tables between the page's marks."""
    runs = [json.loads(Path(path).read_text()) for path in paths]
    for plain, begin, end, made in ((True, BEGIN, END, tables), (False, REAL_BEGIN, REAL_END, by_feed)):
        own = [facts for facts in runs if facts["plain"] is plain]
        if own:
            page = PAGE.read_text()
            PAGE.write_text(f"{page[: page.index(begin)]}{begin}\n{made(own)}\n{page[page.index(end) :]}")


if __name__ == "__main__":
    main(sys.argv[1:])
