"""Notices what looks connected and is not: each session hears its own pulse through the whole broker, or is renewed."""

from __future__ import annotations

import asyncio
import time

from gateway.mqtt.broker import Broker

PULSE_EVERY_S = 3.0
SILENCE_S = 9.0


async def watch(broker: Broker) -> None:
    """For ever."""
    while True:
        await asyncio.sleep(PULSE_EVERY_S)
        now = time.monotonic()
        for session in list(broker.sessions.values()):
            if session.silent_for(now) > SILENCE_S:
                session.reconnect(
                    f"it does not hear its own pulse ({session.pulse_topic})"
                    if session.subscribed.is_set()
                    else "the broker does not answer"
                )
            elif session.subscribed.is_set():
                session.pulse(now)
