"""What every service counts about itself.

Names and labels are a promise: docs/reference/metrics.md is made from them.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

SERVICE = Gauge("telltale_service_info", "1, with the name of the service that answers here", ("service",))
LOOP_LAG = Histogram(
    "telltale_loop_lag_seconds",
    "How late the event loop came to a timer of one second: longer than a second is a service that stutters",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
LOOK_FAILED = Counter(
    "telltale_metrics_incomplete_total",
    "Scrapes for which the database did not answer in time: what only it knows is missing in them",
)
