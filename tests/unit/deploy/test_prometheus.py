"""The rules and the dashboard that we ship say only what our services really tell, and ring when they should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from telltale.metrics_page import Metric, metrics, name
from telltale.settings import HEALTH_PORTS

ROOT = Path(__file__).resolve().parents[3]
RULES, ALERTS, SCRAPES = (ROOT / "deploy" / "prometheus" / f"{part}.yml" for part in ("rules", "alerts", "prometheus"))
BOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "telltale.json").read_text())
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
QUERIES = {f"{panel['title']} {target['refId']}": target["expr"] for panel in PANELS for target in panel["targets"]}
STANDARD = {
    "up",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
}  #: what Prometheus and its client give to everybody

promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool on this machine (on Debian: apt-get install prometheus)"
)


def rules(file: Path) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def told() -> set[str]:
    """Every series that a service of ours tells."""

    def series(metric: Metric) -> list[str]:
        result = name(metric)
        return (
            [f"{result}_{part}" for part in ("bucket", "sum", "count")]
            if type(metric).__name__ == "Histogram"
            else [result]
        )

    return {one for found in metrics().values() for metric in found for one in series(metric)}


EXPRESSIONS = {
    **{rule["record"]: rule["expr"] for rule in rules(RULES)},
    **{rule["alert"]: rule["expr"] for rule in rules(ALERTS)},
    **QUERIES,
}


@pytest.mark.parametrize("title", EXPRESSIONS)
def test_whatever_is_asked_for_is_told_by_somebody(title: str) -> None:
    asked = set(re.findall(r"\b(?:telltale[:_][\w:]+|process_\w+|up(?=\{))", EXPRESSIONS[title]))
    assert asked, "an expression that asks for nothing of ours"
    assert asked - STANDARD - told() - {rule["record"] for rule in rules(RULES)} == set()


@pytest.mark.parametrize("title", EXPRESSIONS)
def test_whatever_is_counted_is_asked_by_its_rate_and_a_gauge_is_not(title: str) -> None:
    grows = set(re.findall(r"(\w+_(?:total|bucket|sum|count))\b", EXPRESSIONS[title]))
    rated = set(re.findall(r"(?:rate|increase)\((\w+)", EXPRESSIONS[title]))
    assert {one for one in grows if not one.startswith("telltale:")} == rated


def test_every_alert_says_how_bad_it_is_and_where_it_is_written_what_to_do() -> None:
    page = (ROOT / "docs" / "howto" / "monitor.md").read_text()
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", page, re.M)}
    for rule in rules(ALERTS):
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
        file, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert file == "docs/howto/monitor.md" and anchor == rule["alert"].lower() and anchor in headings


def test_every_service_is_scraped_at_its_usual_port() -> None:
    jobs = {
        job["job_name"]: job["static_configs"][0]["targets"]
        for job in yaml.safe_load(SCRAPES.read_text())["scrape_configs"]
    }
    assert jobs == {f"telltale-{service}": [f"{service}:{port}"] for service, port in HEALTH_PORTS.items()}


def test_the_dashboard_has_no_two_panels_in_one_place_and_each_says_its_unit() -> None:
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    taken = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in BOARD["panels"]
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken)) and max(x for x, _ in taken) < 24
    assert all(
        panel["fieldConfig"]["defaults"]["unit"] and panel["datasource"]["uid"] == "${datasource}" for panel in PANELS
    )


@promtool
def test_each_alert_rings_when_it_should_and_not_otherwise() -> None:
    done = subprocess.run(
        ["promtool", "test", "rules", "alerts.yml"], cwd=Path(__file__).parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_tried_both_ways() -> None:
    trials = [
        trial
        for test in yaml.safe_load((Path(__file__).parent / "alerts.yml").read_text())["tests"]
        for trial in test["alert_rule_test"]
    ]
    every = {rule["alert"] for rule in rules(ALERTS)}
    assert {trial["alertname"] for trial in trials if trial.get("exp_alerts")} == every
    assert {trial["alertname"] for trial in trials if not trial.get("exp_alerts")} == every


@promtool
def test_prometheus_takes_the_files_and_every_query_of_the_dashboard(tmp_path: Path) -> None:
    result = subprocess.run(["promtool", "check", "config", str(SCRAPES)], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    queries = [
        {"record": f"query:{n}", "expr": expr.replace("$__rate_interval", "5m")}
        for n, expr in enumerate(QUERIES.values())
    ]
    (tmp_path / "queries.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": queries}]}))
    result = subprocess.run(
        ["promtool", "check", "rules", "--lint-fatal", str(tmp_path / "queries.yml")], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
