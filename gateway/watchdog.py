"""Notices what looks connected and is not: each session hears its own pulse through the whole broker, or is renewed."""

from __future__ import annotations

import asyncio
import time

from gateway.broker import PAUSE_GRACE_S, Broker

PULSE_EVERY_S = 3.0
SILENCE_S = 9.0


async def watch(broker: Broker) -> None:
    """For ever."""
    while True:
        await asyncio.sleep(PULSE_EVERY_S)
        now = time.monotonic()
        paused = now - broker.paused_at < PAUSE_GRACE_S  # we are not reading, on purpose
        for session in list(broker.sessions.values()):
            if not session.subscribed.is_set():
                continue
            if paused:
                session.pulse(now)
                session.pulse_seen = now
            elif session.pulse_sent - session.pulse_seen > SILENCE_S:
                session.pulse_sent = session.pulse_seen = now
                session.reconnect("it does not hear its own pulse")
            else:
                session.pulse(now)
