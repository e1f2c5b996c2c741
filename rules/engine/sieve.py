"""Before any rule: is this what such a car can say at all? A value that is doubted reaches no rule that judges the
car.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rules.engine.detector import Fitted
from rules.engine.memory import Cell
from rules.engine.snapshot import LATEST, Snapshot
from schemas.reading import Reading

DOUBTS, READ_ANEW = 1, 2  #: bits of byte 0: something is doubted; something is read in another unit than it is said in


class Sieve(Fitted):
    """The detector of a rule about sensors.

    It is asked first, and sees of each signal the value that was believed before.
    """

    bands: Mapping[int, tuple[float, float]] = {}  #: within them a value needs no second look
    #: … but the first of each such period, of these signals: the byte of the cell that says which period, its seconds
    now_and_then: tuple[int, int, frozenset[int]] | None = None

    def sift(self, seen: Snapshot, cell: Cell) -> frozenset[int]:
        """The signals of this message that are not believed.

        Byte 0 of the cell is 0 only while nothing is doubted of this car, and nothing read anew: then a message within
        the bands changes nothing.
        """
        raise TypeError("a sieve sifts")

    def heard_lately(self, memory: bytearray, at: int, slots: Mapping[int, int], second: int) -> bool:
        """Whether all signals that are looked at now and then were said within a period: then that was the look."""
        if self.now_and_then is None:
            return True
        byte, period, signals = self.now_and_then
        if any(second - LATEST.unpack_from(memory, slots[i])[1] > period for i in signals):
            return False
        memory[at + byte] = second // period & 255
        return True

    def look(self, seen: Snapshot, cell: Cell) -> None:
        """The first message of a period, before it is taken in: `sift` does the same where the gate is not asked."""

    def speaks(self, cell: Cell) -> bool:
        """Whether `judge` could raise anything: else it need not be asked of a car without an item of it."""
        return True

    def component(self, signal_id: int) -> str | None:
        """The part of this rule that speaks of that signal."""
        return None

    def clear(self, signal_id: int, cell: Cell) -> None:
        """Forget what was doubted of a signal."""


def without(reading: Reading, doubted: frozenset[int]) -> Reading:
    """The message as the other rules see it."""
    kept = [(i, v) for i, v in zip(reading.ids, reading.values) if i not in doubted]
    return replace(reading, ids=tuple(i for i, _ in kept), values=tuple(v for _, v in kept), packed=None)
