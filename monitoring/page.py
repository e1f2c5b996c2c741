"""One small web page for each service, for machines that watch it: is it alive, can it serve, what has it counted.

*Live* asks whether a restart would help: it fails only when the service itself hangs, never because the database, the
broker or a provider is away, and not while it catches up. *Ready* asks whether it can keep its promise at this moment.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from aiohttp import web
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder

from monitoring.metrics import LOOK_FAILED, SERVICE
from schemas.errors import Misconfigured

log = structlog.get_logger()

LOOK_S = 3.0  #: a scrape waits no longer for what must be asked from a database


@dataclass(frozen=True, slots=True)
class Address:
    """Where a health page listens.

    A port that somebody asked for is taken or refused; a usual one gives way when it is taken.
    """

    host: str = "127.0.0.1"
    port: int = 0
    usual: bool = False


@dataclass(slots=True)
class State:
    """Whether a service can serve now. `faults` say why not, `words` what else somebody who looks should know."""

    faults: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


async def _nothing() -> None: ...


class HealthPage:
    """`live` says why only a restart helps (nothing: it lives), `ready` how it stands, `look` sets gauges before a
    scrape.
    """

    def __init__(
        self,
        service: str,
        *,
        live: Callable[[], list[str]],
        ready: Callable[[], Awaitable[State]],
        look: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self.service, self._live, self._ready, self._look = service, live, ready, look

    @asynccontextmanager
    async def open(self, address: Address) -> AsyncIterator[str]:
        """Listen while the block runs; its address without a path."""
        SERVICE.labels(self.service).set(1)
        app = web.Application()
        for path, handler in (
            ("/health/live", self._say_live),
            ("/health/ready", self._say_ready),
            ("/metrics", self._say_metrics),
        ):
            app.router.add_get(path, handler)
        app.router.add_get("/healthz", self._say_live)  # as other systems call them
        app.router.add_get("/readyz", self._say_ready)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await runner.setup()
        try:
            yield f"http://{bracketed(address.host)}:{await self._listen(runner, address)}"
        finally:
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner, address: Address) -> int:
        try:
            await web.TCPSite(runner, address.host, address.port).start()
        except OSError as error:
            if not (address.usual and error.errno == errno.EADDRINUSE):
                raise Misconfigured(
                    "TELLTALE_HEALTH_PORT", f"{address.host}:{address.port} cannot be listened on: {error.strerror}"
                ) from None
            await web.TCPSite(runner, address.host, 0).start()
            log.warning(
                "health_port_taken",
                usual=address.port,
                taken=runner.addresses[0][1],
                hint="name one: TELLTALE_HEALTH_PORT",
            )
        port: int = runner.addresses[0][1]
        return port

    async def _say_live(self, _request: web.Request) -> web.Response:
        return _answer(State(self._live()))

    async def _say_ready(self, _request: web.Request) -> web.Response:
        return _answer(await self._ready())

    async def _say_metrics(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(LOOK_S):
                await self._look()
        except Exception as error:  # what is counted here is still told
            LOOK_FAILED.inc()
            log.info("metrics_incomplete", reason=type(error).__name__)
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(REGISTRY), headers={"Content-Type": content_type})


def bracketed(host: str) -> str:
    """A host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def _answer(state: State) -> web.Response:
    body = {"ok": not state.faults, "faults": state.faults} | ({"words": state.words} if state.words else {})
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": "2"} if state.faults else {})
    return web.json_response(body, status=503 if state.faults else 200, headers=headers)
