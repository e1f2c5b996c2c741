"""What would be logged again and again is logged now and then, with how often it was."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

EVERY_S = 10.0


class Seldom:
    """One line for each thing said in `every_s` seconds; the next one says how many were left out."""

    def __init__(self, every_s: float = EVERY_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s, self._clock = every_s, clock
        self._said: dict[
            tuple[str, str], list[float]
        ] = {}  #: event and reason -> when it was logged, and how many since were not

    def say(self, log: Callable[..., Any], event: str, *, reason: str, **more: Any) -> None:
        """`log` is a method of a logger: info, warning."""
        now = self._clock()
        last = self._said.get((event, reason))
        if last is not None and now - last[0] < self._every_s:
            last[1] += 1
            return
        if len(self._said) > 100:  # reasons come from outside
            self._said.clear()
        self._said[(event, reason)] = [now, 0]
        log(event, reason=reason, **more, **({"times_before": int(last[1])} if last is not None and last[1] else {}))
