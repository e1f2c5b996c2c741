"""What devices without counters have said: told apart by the keys of their messages (vehicle, key).

A message has been said before if it is stored, if it stands in the batch that is being written at this moment, or if it
stood earlier in this one. No more than that is remembered, so a device that repeats its whole memory costs nobody
anything.
"""

from __future__ import annotations

from collections.abc import Iterable

Key = tuple[int, int]  # vehicle, key


class Keys:
    """Of the batch that is being judged and the one before."""

    def __init__(self) -> None:
        self._stored: set[Key] = set()
        self._flying: set[Key] = set()
        self._fresh: set[Key] = set()

    def turn(self) -> None:
        """Another batch begins; what stood in the last one is being written, and what was being written is stored."""
        self._stored, self._flying, self._fresh = set(), self._fresh, set()

    def forget(self) -> None:
        """Back to what the database says: nothing is being written."""
        self._stored, self._flying, self._fresh = set(), set(), set()

    def stored(self, keys: Iterable[Key]) -> None:
        """The database has these."""
        self._stored.update(keys)

    def said_before(self, key: Key) -> bool:
        """Whether this is a repetition; takes note of it if it is none."""
        if key in self._stored or key in self._flying or key in self._fresh:
            return True
        self._fresh.add(key)
        return False
