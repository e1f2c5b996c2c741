"""What this process counts for its scraper: answers by door and status, and how long they took."""

from __future__ import annotations

import time

from aiohttp import web
from prometheus_client import Counter, Gauge, Histogram

from dealer_api.route import Handler

ANSWERS = Counter("telltale_desk_answers_total", "Answers by door and status", ("method", "door", "status"))
SECONDS = Histogram(
    "telltale_desk_seconds", "How long a door took to answer", ("door",), buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
)
PAGES = Gauge("telltale_desk_open_streams", "Pages that are listening right now")


@web.middleware
async def counting(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Around everything, errors included; a door is named by its path in the register, never by what was typed."""
    began = time.perf_counter()
    response = await handler(request)
    resource = request.match_info.route.resource
    door = resource.canonical if resource is not None else "unknown"
    ANSWERS.labels(request.method, door, response.status).inc()
    if response.content_type != "text/event-stream":
        SECONDS.labels(door).observe(time.perf_counter() - began)
    return response
