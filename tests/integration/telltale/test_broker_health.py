"""The embedded broker as a service of its own says how it is."""

from __future__ import annotations

from pathlib import Path

import aiohttp

from monitoring.page import Address
from telltale.embedded.broker import EmbeddedBroker
from telltale.embedded.broker_health import BrokerHealth


async def test_a_broker_is_ready_while_its_program_answers_and_alive_also_without(home: Path) -> None:
    async with EmbeddedBroker(home / "broker") as broker, aiohttp.ClientSession() as session:
        health = BrokerHealth(broker)

        async def ask(path: str) -> tuple[int, str]:
            async with session.get(url + path) as response:
                return response.status, await response.text()

        async with health.page().open(Address()) as url:
            assert (await ask("/health/ready"))[0] == 200
            _, text = await ask("/metrics")
            assert "telltale_broker_up 1.0" in text and "telltale_broker_memory_bytes" in text
            broker.kill()
            status, text = await ask("/health/ready")
            assert status == 503 and "does not answer" in text
            assert (await ask("/health/live"))[0] == 200
            assert "telltale_broker_up 0.0" in (await ask("/metrics"))[1]
            await broker.start()
            assert (await ask("/health/ready"))[0] == 200
            await health.close()
