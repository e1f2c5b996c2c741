"""docs/reference/metrics.md, made from the metrics themselves: `python -m telltale.metrics_page` writes it."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

import dealer_api.metrics
import gateway.metrics
import monitoring.metrics
import telltale.embedded.broker_health
import workers.metrics
from telltale.data import ROOT

PAGE = ROOT / "docs" / "reference" / "metrics.md"
Metric = Counter | Gauge | Histogram

#: Who answers with them, and where they are written down.
SERVICES = {
    "Every service": monitoring.metrics,
    "The gateway": gateway.metrics,
    "The workers": workers.metrics,
    "The desk and its API": dealer_api.metrics,
    "The embedded broker, as a service of its own": telltale.embedded.broker_health,
}
#: What each label may say. None of them names a person, a car, a number or an address, and each has few values.
LABELS = {
    "answer": "what the gateway or a provider answered, in a few words",
    "application": "the part of Telltale that holds a connection, or `other`",
    "channel": "`phone`, `sms`, `twilio`, `email`, or `other`",
    "direction": "`in` or `out`",
    "kind": "`publish` or `subscribe`",
    "loop": "a loop of the workers, as the log names it",
    "method": "of HTTP, or `other`",
    "outcome": "what came of a turn or a piece of work",
    "pool": "`desk` or `owner_page`",
    "reason": "one of a few words; for refused messages as in [the contract](mqtt.md)",
    "replica": "the name under which a replica of the database connects",
    "route": "the path as it stands in the register, with `{id}` in the place of ids; `unknown` for what is none",
    "rule": "a rule of [the catalogue](rules.md)",
    "service": "`gateway`, `workers`, `dealer-api`, `broker`",
    "severity": "`advice`, `soon` or `now`",
    "stage": "`live`, or `shadow` for a rule that is only being tried",
    "state": "of a [lifecycle](lifecycles.md), a session or a connection",
    "status": "of HTTP",
    "sweep": "a loop that looks for what time alone makes due",
    "topic": "the kind of work",
}
_HEAD = """# Metrics

What each service tells at `/metrics` on its health port (the ports: [settings](settings.md), how to watch:
[monitor](../howto/monitor.md)), in the
form of Prometheus. The names are a promise: one that is renamed stands in the changelog. Beside them every service has
the usual
`process_…` (memory: `process_resident_memory_bytes`, processor, open files) and `python_…`. A counter begins at zero
with each start. No label holds
personal data or a car. This page is made by `python -m telltale.metrics_page`.
"""


def metrics() -> dict[str, list[Metric]]:
    """The metrics of each service, in the order in which they are written down."""
    return {
        title: [value for value in vars(module).values() if isinstance(value, Metric)]
        for title, module in SERVICES.items()
    }


def name(metric: Metric) -> str:
    """As a scraper sees it; of a histogram without _bucket, _sum and _count."""
    [family] = metric.describe()
    return f"{family.name}_total" if isinstance(metric, Counter) else family.name


def labels(metric: Metric) -> tuple[str, ...]:
    """The names of its labels."""
    return tuple(metric._labelnames)


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for title, found in metrics().items():
        parts.append(f"\n## {title}\n\n| metric | kind | labels | what it tells |\n|---|---|---|---|\n")
        for metric in found:
            kind = type(metric).__name__.lower()
            label_list = ", ".join(f"`{label}`" for label in labels(metric)) or "–"
            parts.append(f"| `{name(metric)}` | {kind} | {label_list} | {metric._documentation} |\n")
    parts.append("\n## Labels\n\n| label | what it says |\n|---|---|\n")
    parts += [f"| `{label}` | {meaning} |\n" for label, meaning in LABELS.items()]
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
