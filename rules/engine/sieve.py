"""Before any rule: is this what such a car can say at all? A value that is doubted reaches no rule that judges the
car.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rules.engine.detector import Fitted
from rules.engine.memory import Cell
from rules.engine.snapshot import LATEST, Snapshot
from schemas.reading import Reading

DOUBTS, READ_ANEW = 1, 2  #: bits of byte 0: something is doubted; something is read in another unit than it is said in


@dataclass(frozen=True, slots=True)
class Wider:
    """Up to `high` a value is believed as well, while the signal `beside` it has `least` in the same message.

    `needed`: not in a message without it, for an earlier one may have said less.
    """

    high: float
    beside: int
    least: float
    needed: bool


@dataclass(frozen=True, slots=True)
class NowAndThen:
    """A look at the first message of a period that has one of these signals, unless another says that it need not."""

    byte: int  #: of the cell: the last such period
    period_s: int
    signals: frozenset[int]
    reads: tuple[int, ...]  #: what is read of the message
    unless: int  #: in a message where this signal is …
    above: float  #: … above this, there is nothing to see


class Sieve(Fitted):
    """The detector of a rule about sensors.

    It is asked first, and sees of each signal the value that was believed before.
    """

    bands: Mapping[int, tuple[float, float]] = {}  #: within them a value needs no second look
    wider: Mapping[int, Wider] = {}  #: … nor above, where all else is well
    now_and_then: NowAndThen | None = None  #: … but the first message of each such period

    def sift(self, seen: Snapshot, cell: Cell) -> frozenset[int]:
        """The signals of this message that are not believed.

        Byte 0 of the cell is 0 only while nothing is doubted of this car, and nothing read anew: then a message within
        the bands changes nothing.
        """
        raise TypeError("a sieve sifts")

    def heard_lately(self, memory: bytearray, at: int, slots: Mapping[int, int], second: int) -> bool:
        """Whether all signals that are looked at now and then were said within a period: then that was the look."""
        looks = self.now_and_then
        if looks is None:
            return True
        if any(second - LATEST.unpack_from(memory, slots[i])[1] > looks.period_s for i in looks.signals):
            return False
        memory[at + looks.byte] = second // looks.period_s & 255
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
