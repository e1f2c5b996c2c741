"""What the desk and its API count. Names and labels are a promise: docs/reference/metrics.md is made from them."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "telltale_api_requests_total", "Answers; 499 is a caller who did not wait", ("method", "route", "status")
)
SECONDS = Histogram(
    "telltale_api_request_seconds",
    "How long an answer took; streams do not count",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
STREAMS = Gauge("telltale_api_open_streams", "Pages that are listening right now")
SIGN_INS_FAILED = Counter(
    "telltale_api_sign_in_failures_total", "Sign-ins with a wrong address, password or second factor"
)
LIMITED = Counter("telltale_api_rate_limited_total", "Requests refused because there were too many", ("route",))
POOL = Gauge(
    "telltale_api_pool_connections",
    "Connections to the database, by pool: in use, idle, and the most there may be",
    ("pool", "state"),
)
POOL_WAITING = Gauge("telltale_api_pool_waiting", "Requests that wait for a free connection right now", ("pool",))
POOL_REFUSED = Counter(
    "telltale_api_pool_refused_total", "Requests that waited in vain and were answered 503", ("pool",)
)
