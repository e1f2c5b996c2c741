"""The stand-in workshop of the demo: when a case says repaired, the simulated car is really healed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion

from schemas.errors import Unavailable
from store import notifications, workshop
from store.pool import line

log = structlog.get_logger()
TICK_SECONDS = 1.0  # in case a bell was missed


class Mechanic:
    """Tells the simulator on `workshop/<vin>`: {"component": "front_left", "rule": "tyre_leak", "case": 5}."""

    def __init__(self, database_url: str, workshop_url: str) -> None:
        self._database_url = database_url
        where = urlsplit(workshop_url)
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"mechanic-{secrets.token_hex(4)}")
        if where.username:
            self._client.username_pw_set(where.username, where.password)
        self._address = (where.hostname or "127.0.0.1", where.port or 1883)
        self._told: set[workshop.Repaired] = set()

    async def run(self) -> None:
        """Until cancelled; a lost database or broker is met again."""
        self._client.connect_async(*self._address)
        self._client.loop_start()
        try:
            while True:
                with contextlib.suppress(Unavailable):
                    await self._listen()
                await asyncio.sleep(TICK_SECONDS)
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    async def _listen(self) -> None:
        rung = asyncio.Event()
        async with line(self._database_url, name="mechanic") as connection:
            await notifications.listen(
                connection, notifications.DESK, lambda payload: rung.set() if payload.get("noun") == "case" else None
            )
            while not connection.is_closed():
                rung.clear()
                for repaired in await workshop.repaired(connection):
                    self._heal(repaired)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TICK_SECONDS):
                        await rung.wait()

    def _heal(self, repaired: workshop.Repaired) -> None:
        if repaired in self._told or not self._client.is_connected():
            return
        self._client.publish(
            f"workshop/{repaired.vin}",
            json.dumps({"component": repaired.component, "rule": repaired.rule, "case": repaired.case_id}),
            qos=1,
        )
        self._told.add(repaired)
        log.debug("healed a simulated car", vin=repaired.vin, rule=repaired.rule, component=repaired.component)
