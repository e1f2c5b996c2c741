"""A rule that does not come back: found by the processor time it burns, at no cost to the rules that do.

The process looks at itself once in TICK_S of its own computing: the judgement that it already met at the last look has
run for that long, where an honest one takes a ten-thousandth. Counting lines under `sys.settrace` was a second guard
for the same danger: it cost a tenth of every rule that writes its own judge, and saw nothing of measures and other
detectors. It is broken off there, as an error of that rule. C code that never returns is beyond this: then the health
page says so.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rules.engine.detector import Overrun

TICK_S = 1.0


@contextmanager
def broken_off(step: Callable[..., Any], tick_s: float = TICK_S) -> Iterator[None]:
    """While this is open, no single call of `step` computes for longer than two ticks."""
    code = getattr(getattr(step, "__func__", step), "__code__", None)
    # signals come to the main thread only
    if code is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    met: FrameType | None = None

    def look(signum: int, frame: FrameType | None) -> None:
        nonlocal met
        while frame is not None and frame.f_code is not code:
            frame = frame.f_back
        before, met = met, frame
        if frame is not None and frame is before:
            met = None
            raise Overrun(f"more than {tick_s:g} s of computing for one reading")

    signal.signal(signal.SIGVTALRM, look)
    signal.siginterrupt(signal.SIGVTALRM, False)
    signal.setitimer(signal.ITIMER_VIRTUAL, tick_s, tick_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, signal.SIG_IGN)  # one tick may be under way: its default would end the process
