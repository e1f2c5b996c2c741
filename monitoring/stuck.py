"""An event loop that does not turn any more: said with the place where it hangs, then ended, so that whoever supervises
starts it anew.

A thread looks once a second whether the loop has turned since its last look. It counts its own looks, not seconds: a
process that was stopped as a whole, or a laptop that slept, is not stuck.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from monitoring.metrics import LOOP_LAG

log = structlog.get_logger()

BEAT_S = 1.0
SAID_AFTER, ENDED_AFTER = (
    15,
    120,
)  #: looks without a turn; the longest honest pause is some seconds, with a million cars
TRY_AGAIN = 75  #: exit status (EX_TEMPFAIL): starting again may help


def _end() -> None:
    os._exit(TRY_AGAIN)


@asynccontextmanager
async def watched(
    ping: Callable[[], None] = lambda: None, *, beat_s: float = BEAT_S, end: Callable[[], None] = _end
) -> AsyncIterator[None]:
    """While the block runs.

    `ping` is called with each turn (a supervisor's own watchdog), `end` when there is no hope.
    """
    watch = _Watch(beat_s, end)
    thread = threading.Thread(target=watch.look, name="stuck", daemon=True)
    thread.start()
    beating = asyncio.create_task(watch.beat(ping), name="loop beat")
    try:
        yield
    finally:
        watch.over.set()
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating


class _Watch:
    def __init__(self, beat_s: float, end: Callable[[], None]) -> None:
        self._beat_s, self._end = beat_s, end
        self._turns = 0
        self.over = threading.Event()

    async def beat(self, ping: Callable[[], None]) -> None:
        while True:
            self._turns += 1
            ping()
            began = time.monotonic()
            await asyncio.sleep(self._beat_s)
            LOOP_LAG.observe(max(0.0, time.monotonic() - began - self._beat_s))

    def look(self) -> None:
        seen, still = -1, 0
        while not self.over.wait(self._beat_s):
            still = still + 1 if self._turns == seen else 0
            seen = self._turns
            if still == SAID_AFTER:
                log.error("loop_stuck", looks=still, hint="where it hangs is written below")
                faulthandler.dump_traceback(sys.__stderr__ or sys.stderr, all_threads=True)
            if still >= ENDED_AFTER:
                log.error("loop_stuck_ended", looks=still, hint="it is ended now, to be started anew")
                self._end()
                return
