"""The times of a recording made absolute: a logger whose clock was never set counts from 1970, 1980 or 2000.

A log may hold both: a few frames before the clock was set, then real times. What is real is kept; what is not is moved
to lie before or after it, with its own spacing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC).timestamp()  #: also above what GPS receivers say whose weeks have wrapped
_AHEAD_S = 2 * 86_400.0  #: a logger's zone may be wrong by half a day
_JUMP_S = 86_400.0  #: a step this long, or this far back, is a clock that was set


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames `begin` to `end` (exclusive) of one clock, and what must be added to their times."""

    begin: int
    end: int
    shift: float


def stretches(times: Sequence[float], *, start: datetime | None, now: datetime) -> list[Stretch]:
    """One entry per clock that the log was written by, in order.

    Without any real time the log starts at `start`, or ends at `now`.
    """
    cuts = [0, *(n for n in range(1, len(times)) if abs(times[n] - times[n - 1]) > _JUMP_S), len(times)]
    parts = [(a, b) for a, b in pairwise(cuts) if a < b]
    real = [_is_real(times[a], now) and _is_real(times[b - 1], now) for a, b in parts]
    shifts: list[float] = [0.0] * len(parts)
    if not any(real):
        return _all_moved(times, parts, start, now)
    first = real.index(True)
    before = times[parts[first][0]]
    for n in range(first - 1, -1, -1):
        a, b = parts[n]
        shifts[n] = before - 1.0 - times[b - 1]
        before = times[a] + shifts[n]
    after = times[parts[first][1] - 1]
    for n in range(first + 1, len(parts)):
        a, b = parts[n]
        if not real[n]:
            shifts[n] = after + 1.0 - times[a]
        after = times[b - 1] + shifts[n]
    return [Stretch(a, b, shift) for (a, b), shift in zip(parts, shifts, strict=True)]


def _all_moved(
    times: Sequence[float], parts: list[tuple[int, int]], start: datetime | None, now: datetime
) -> list[Stretch]:
    """No real time anywhere: the stretches follow each other, a second apart."""
    found, at = [], 0.0
    for a, b in parts:
        found.append(Stretch(a, b, at - times[a]))
        at += times[b - 1] - times[a] + 1.0
    length = at - 1.0
    base = start.timestamp() if start is not None else now.timestamp() - length
    return [Stretch(s.begin, s.end, s.shift + base) for s in found]


def _is_real(at: float, now: datetime) -> bool:
    return _EARLIEST <= at <= now.timestamp() + _AHEAD_S


def told(found: Sequence[Stretch]) -> list[str]:
    """What was done, for the person who plays it."""
    moved = sum(s.end - s.begin for s in found if s.shift)
    if not moved:
        return []
    if all(s.shift for s in found):
        return ["the log's clock was never set: its times are counted from its beginning"]
    return [f"{moved} frame(s) were logged before or after the clock was set and lie beside the others now"]
