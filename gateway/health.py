"""Health and metrics pages. Alive means *committed lately*, not *connected*."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from gateway.broker import Broker
from gateway.intake import Intake
from gateway.writer import Writer

COMMIT_S = 15.0  #: the beat commits every second, so a gap this long means that nothing can be promised
PULSE_S = 15.0


class Health:
    """What `/health/live`, `/health/ready` and `/metrics` say."""

    def __init__(self, broker: Broker, intake: Intake, writer: Writer) -> None:
        self.broker, self.intake, self.writer = broker, intake, writer
        self.beaten = time.monotonic()
        self.serving = False

    def beat(self) -> None:
        """The lease's beat was committed."""
        self.beaten = time.monotonic()

    def faults(self, *, ready: bool) -> list[str]:
        """Why we are not alive (or not ready); nothing when we are."""
        now = time.monotonic()
        found = []
        last = max(self.beaten, self.intake.last_commit)
        if now - last > COMMIT_S:
            found.append(f"nothing committed for {now - last:.0f} s")
        if self.intake.oldest_pending is not None and now - self.intake.oldest_pending > COMMIT_S and now - self.intake.last_commit > COMMIT_S:
            found.append("messages wait for their commit")
        if ready:
            if not self.serving:
                found.append("starting")
            if self.writer.down_since is not None:
                found.append("the database is away")
            for session in self.broker.sessions.values():
                if not session.subscribed.is_set():
                    found.append(f"bucket {session.bucket:02d} has no session")
                elif session.pulse_sent - session.pulse_seen > PULSE_S:
                    found.append(f"bucket {session.bucket:02d} hears nothing")
        return found

    def collect(self) -> Any:
        """For Prometheus."""
        intake = self.intake
        yield CounterMetricFamily("telltale_messages", "Messages committed and acknowledged", value=intake.messages)
        yield CounterMetricFamily("telltale_duplicates", "Messages that had come before", value=intake.duplicates)
        yield GaugeMetricFamily("telltale_backlog", "Messages taken and not yet committed", value=self.broker.backlog())
        yield GaugeMetricFamily("telltale_gappy_cars", "Cars with an open gap", value=len(intake.fleet.gappy))
        yield GaugeMetricFamily("telltale_seconds_since_commit", "Since anything was committed", value=time.monotonic() - max(self.beaten, intake.last_commit))
        yield CounterMetricFamily("telltale_sessions_lost", "Sessions that the broker forgot", value=sum(s.losses for s in self.broker.sessions.values()))

    async def serve(self, host: str, port: int) -> tuple[web.AppRunner, int]:
        """Listen; returns the port."""
        registry = CollectorRegistry()
        registry.register(self)

        async def live(_request: web.Request) -> web.Response:
            return _answer(self.faults(ready=False))

        async def ready(_request: web.Request) -> web.Response:
            return _answer(self.faults(ready=True))

        async def metrics(_request: web.Request) -> web.Response:
            return web.Response(body=generate_latest(registry), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

        app = web.Application()
        app.add_routes([web.get("/health/live", live), web.get("/health/ready", ready), web.get("/metrics", metrics)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        await site.start()
        taken: int = runner.addresses[0][1]
        return runner, taken


def _answer(faults: list[str]) -> web.Response:
    return web.json_response({"ok": not faults, "faults": faults}, status=503 if faults else 200)
