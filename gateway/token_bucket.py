"""How much one of many may have of something that all pay for: so much at once, then so much in a time.

Pure; the caller brings machine time.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

#: keys that are remembered; whoever was quiet for long has its whole allowance back and need not be
_MOST: Final = 10_000


class Allowance:
    """`burst` at once, and one more every `every_s`; for each key by itself.

    One number per key: when its debt will be paid off. Somebody who makes up ever new keys gets a burst for each, so
    whatever can be made up needs a second allowance above it that cannot.
    """

    __slots__ = ("_burst", "_every_s", "_paid_at")

    def __init__(self, burst: int, every_s: float) -> None:
        self._burst, self._every_s = burst, every_s
        self._paid_at: dict[Hashable, float] = {}

    def take(self, key: Hashable, now: float, much: int = 1) -> bool:
        """Whether `key` may have `much` more now; then it has it. What is refused costs nothing."""
        if not self.left(key, now, much):
            return False
        if len(self._paid_at) >= _MOST and key not in self._paid_at:
            self._forget(now)
        self._paid_at[key] = max(now, self._paid_at.get(key, now)) + much * self._every_s
        return True

    def left(self, key: Hashable, now: float, much: int = 1) -> bool:
        """Whether it could have `much`."""
        debt = max(0.0, self._paid_at.get(key, now) - now) / self._every_s
        return debt + much <= self._burst + 1e-9

    def _forget(self, now: float) -> None:
        self._paid_at = {key: at for key, at in self._paid_at.items() if at > now}
        while len(self._paid_at) >= _MOST:
            del self._paid_at[next(iter(self._paid_at))]
