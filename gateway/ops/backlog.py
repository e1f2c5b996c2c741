"""What waited while no gateway was there: since when it is being worked off, and how much is still owed, where the
broker says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from gateway.mqtt.broker import Broker
from gateway.ops.auth_callout import AuthCallout

LOOK_S = 1.0


class CatchingUp:
    """Says it in words, for the health page.

    MQTT has no question for it, so only a broker that asks our auth callout is asked.
    """

    def __init__(self, broker: Broker, committed: Callable[[], int], auth_callout: AuthCallout | None) -> None:
        self._broker, self._committed, self._auth_callout = broker, committed, auth_callout
        self._since: datetime | None = None
        self._before = 0  #: messages committed when it began
        self.owed: int | None = None  #: messages that the broker still has for us; None: it does not say

    async def run(self) -> None:
        """For ever."""
        while True:
            since = self._broker.behind_since
            if since != self._since:
                self._since, self._before, self.owed = since, self._committed(), None
            if since is not None and self._auth_callout is not None:
                self.owed = await self._auth_callout.owed(
                    [session.filter for session in self._broker.sessions.values()]
                )
            await asyncio.sleep(LOOK_S)

    def words(self) -> list[str]:
        """One sentence, or none when nothing waits."""
        since = self._broker.behind_since
        if since is None:
            return []
        if self.owed is not None:
            much = f"{self.owed} owed"
        else:
            taken = self._committed() - self._before if since == self._since else 0
            much = f"{taken} taken, the broker does not say how many are still owed"
        return [f"catching up: {much} (since {since:%Y-%m-%dT%H:%M:%SZ})"]
