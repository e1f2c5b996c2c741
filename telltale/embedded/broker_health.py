"""How the embedded broker is, when it runs as a service of its own: asked over its system account, as the gateway asks
it.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import nats
from nats.aio.client import Client
from prometheus_client import Counter, Gauge

from monitoring.page import HealthPage, State
from telltale.embedded.broker import EmbeddedBroker

UP = Gauge("telltale_broker_up", "1 while the broker's program runs and answers")
CONNECTIONS = Gauge(
    "telltale_broker_connections", "Connections to the broker: cars, gateways, the gateways' auth callouts"
)
MESSAGES = Counter("telltale_broker_messages_total", "Messages into and out of the broker", ("direction",))
BYTES = Counter("telltale_broker_bytes_total", "Bytes of messages into and out of the broker", ("direction",))
MEMORY = Gauge("telltale_broker_memory_bytes", "Memory of the broker's program")
SLOW = Gauge(
    "telltale_broker_slow_consumers", "Connections that the broker cut because they did not take what was theirs"
)
ANSWER_S = 1.0
_ASK = "$SYS.REQ.SERVER.PING.VARZ"


class BrokerHealth:
    """What `/health/live`, `/health/ready` and `/metrics` say."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._broker = broker
        self._client: Client | None = None
        self._counted = dict[str, int]()

    def page(self) -> HealthPage:
        """The page of this broker."""
        return HealthPage("broker", live=list, ready=self.state, look=self.look)

    async def state(self) -> State:
        """Whether cars can be heard at this moment."""
        return State([] if await self._facts() else ["the broker's program does not answer"])

    async def look(self) -> None:
        """Gauges, before a scrape."""
        facts = await self._facts()
        UP.set(bool(facts))
        if facts:
            CONNECTIONS.set(facts["connections"])
            MEMORY.set(facts["mem"])
            SLOW.set(facts["slow_consumers"])
            for name, counter in (("msgs", MESSAGES), ("bytes", BYTES)):
                for direction in ("in", "out"):
                    so_far = int(facts[f"{direction}_{name}"])
                    counter.labels(direction).inc(max(0, so_far - self._counted.get(f"{direction}_{name}", 0)))
                    self._counted[f"{direction}_{name}"] = so_far

    async def _facts(self) -> dict[str, Any] | None:
        if self._broker.pid is None:
            await self.close()
            return None
        try:
            async with asyncio.timeout(ANSWER_S):
                if self._client is None or not self._client.is_connected:
                    more = {"tls": self._broker.tls.ourselves()} if self._broker.tls else {}
                    self._client = await nats.connect(
                        self._broker.auth_url, name="health", allow_reconnect=False, error_cb=_quiet, **more
                    )
                payload: dict[str, Any] = json.loads((await self._client.request(_ASK, b"", timeout=ANSWER_S)).data)[
                    "data"
                ]
        except (OSError, TimeoutError, nats.errors.Error):
            await self.close()
            return None
        return payload

    async def close(self) -> None:
        """Let the connection go."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):
                await asyncio.wait_for(client.close(), ANSWER_S)


async def _quiet(_error: Exception) -> None:
    """What goes wrong is told by the answer that is missing."""
