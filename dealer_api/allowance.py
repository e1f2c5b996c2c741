"""How many calls a key may make: so many a minute, and as many at once after a quiet minute.

Each process counts its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from aiohttp import web

from schemas.errors import TooMany

_MOST = 10_000  #: keys that are remembered


class Allowance:
    """`a_minute` calls; 0: no limit. By machine time."""

    def __init__(self, a_minute: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_minute, self._clock = a_minute, clock
        self._left: dict[tuple[int, str], tuple[float, float]] = {}  # key -> what is left, as of when

    def take(self, dealer_id: int, actor: str) -> None:
        """One call; raises TooMany with the seconds until there is another."""
        if not self._a_minute:
            return
        now, who = self._clock(), (dealer_id, actor)
        if who not in self._left and len(self._left) >= _MOST:
            self._left.clear()
        left, since = self._left.get(who, (float(self._a_minute), now))
        left = min(float(self._a_minute), left + (now - since) * self._a_minute / 60)
        if left < 1:
            self._left[who] = (left, now)
            raise TooMany(self._a_minute, seconds=int((1 - left) * 60 / self._a_minute) + 1)
        self._left[who] = (left - 1, now)


ALLOWANCE: web.AppKey[Allowance] = web.AppKey("allowance", Allowance)
