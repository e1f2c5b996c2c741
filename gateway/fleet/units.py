"""To whom counters belong: to the unit that counts, not to the car.

A car may get a new unit, and a unit may lose its counter; either begins below what we have. Each line of counters has a
number; it stands in the high bits of the boot by which a message is kept (`schemas.reading.UNIT`), so that a later
unit's messages come after those of the one before, wherever messages are put in order. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from schemas.reading import UNIT

#: the last word of a boot may come behind the first of the next, when that one's clock is behind by this much
CONTINUES_S: Final = 600.0
#: nobody restarts faster: what comes again under a time this little newer was stamped when it was sent, not when it was
#: made …
RESTART_S: Final = 2.0
AGAIN_S: Final = 30.0  #: … and the very last message may come again after an answer that was waited for
#: When two units are certain: an older line of counters has come back three times, or numbers that were heard long
#: before have come thirty times as if they were new (a device that stamps what it sends again does that, too).
CERTAIN, RETURNED, ECHOED = 30, 10, 1
FORGET_S: Final = 3_600.0  #: between two such returns
#: Numbers that no unit loses just before it says the very number with which another unit's line goes on.
MADE_APART: Final = 16
MOST: Final = 500  #: units of one car; what begins anew more often is a device whose counters say nothing


@dataclass(frozen=True, slots=True)
class Unit:
    """When a later unit began: its first message was made at `since`, the newest of all before it at `until` (epoch
    seconds).
    """

    until: float
    since: float
    enrolled: bool = False  #: it was enrolled; otherwise it gave itself away by its counters


class Heard(Protocol):
    """What has arrived of a car (`gateway.fleet.sequence.MessageSequence`)."""

    boot: int
    units: list[Unit]
    enrolled: float
    beside: Beside

    @property
    def tops(self) -> dict[int, int]: ...
    def missing(self, boot: int, seq: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class Numbered:
    """What one message says of who speaks.

    `sure`: its time is the car's own and believed; None: it has none that can be read.
    """

    boot: int
    seq: int
    ts: float | None
    another: bool = False  #: a message with this number is stored, and it is another one


def is_another(made: float, ts: float | None, stored: float, newest: float) -> bool:
    """Whether a message made at `made` by its own clock is another one than what is `stored` under its number (the
    clock's word for that). `ts`: what is believed of `made`; None: it is impossible. What a device stamps anew when it
    sends it again bears the newest time of all; another unit's clock may lie behind that of the unit before.
    """
    if ts is None:
        return abs(made - stored) > AGAIN_S
    return stored + RESTART_S < ts < newest - RESTART_S


def began(newest: float, ts: float, *, enrolled: bool = False) -> Unit:
    """A unit that begins with a message made at `ts`, though the one before it may have been ahead of that."""
    return Unit(min(newest, ts - 0.001), ts, enrolled)


def kept_boot(heard: Heard, message: Numbered, newest: float, enrolled: float) -> tuple[int, bool]:
    """The boot by which this message is kept, and whether a unit begins with it.

    `newest` is when the car made the newest message that we heard, `enrolled` when it was enrolled last.
    """
    base = len(heard.units) * UNIT
    kept = base + message.boot
    if heard.boot < 0:
        return kept, False
    if heard.units and (older := _older(heard, message, base)) is not None:
        return older, False
    top = heard.tops.get(kept)
    apart = AGAIN_S if message.seq == top and kept == heard.boot else RESTART_S
    fresh = message.ts is not None and message.ts > newest + (0.0 if heard.beside.certain else apart)
    known = top is not None and message.seq <= top and not heard.missing(kept, message.seq)
    if message.another:
        return kept + UNIT, True
    if kept >= heard.boot and not known:
        restarted = kept > heard.boot >= base and enrolled > heard.enrolled
        return (kept + UNIT, True) if restarted and fresh else (kept, False)
    if heard.boot < base:  # a unit that has just begun
        return kept, False
    if enrolled > heard.enrolled and (fresh or message.ts is None):
        return kept + UNIT, True
    if message.ts is not None and fresh and (known or top is None or message.ts > newest + CONTINUES_S):
        return kept + UNIT, True
    return kept, False


def _older(heard: Heard, message: Numbered, base: int) -> int | None:
    """Where this is a late word of a unit before: by its time, and where that lies between, by whose number it
    continues.
    """
    if message.ts is None:
        return None
    last = heard.units[-1]
    if message.ts <= last.until:
        return sum(unit.until < message.ts for unit in heard.units) * UNIT + message.boot
    before, now = base - UNIT + message.boot, base + message.boot
    if heard.tops.get(before) == message.seq - 1 and message.seq - heard.tops.get(now, message.seq) > MADE_APART:
        return before  # both units count the same boot, and it is the other's very next number
    continues = before in heard.tops and message.seq > heard.tops[before]
    if message.ts < last.since:
        if heard.missing(now, message.seq) and not (continues and message.seq == heard.tops[before] + 1):
            return None
        return before if continues or heard.missing(before, message.seq) else None
    alone = now not in heard.tops and heard.boot >= base and now > heard.boot + 1
    return before if alone and continues else None


@dataclass(slots=True)
class Beside:
    """What shows that two units speak as one car: a line of counters goes on that was left for a newer one, with what
    was made after the newer one had spoken; and both go on. A reboot never returns to the boot before, and what a unit
    sends late was made before. Time stamps are the car's own (epoch seconds).
    """

    times: int = 0  #: how sure it is, up to CERTAIN
    since: float = 0.0  #: when it first did
    last: float = 0.0
    newer: tuple[int, int] = (-1, -1)  #: the newer line and how far it had come, the last time

    @property
    def certain(self) -> bool:
        """Whether two units speak."""
        return self.times >= CERTAIN

    def came_back(self, ts: float, newer: tuple[int, int], sure: int = RETURNED) -> bool:
        """An older line went on with a message made at `ts`, the newest of all; `newer` is the line that it should have
        been left for, and how far that is. Whether this was needed to be certain that two units speak.
        """
        if self.times and ts - self.last > FORGET_S:
            self.times = 0
        if self.times and newer == self.newer:
            return False  # only one of them speaks: the other may have been started for a moment
        self.since = self.since if self.times else ts
        before, self.times = self.times, min(CERTAIN, self.times + sure)
        self.last, self.newer = ts, newer
        return before < CERTAIN <= self.times
