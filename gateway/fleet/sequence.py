"""What has arrived of one car: per boot the highest sequence number and what is missing below it, and how far it is
judged.

Pure: the caller brings machine time. Rows are stored as they come; *judgement* takes them in the order (boot, seq).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from gateway.fleet.units import Beside, Unit
from schemas.reading import UNIT, Reading

REORDER_S = 30.0  #: how long judgement waits for a gap; longer than the broker's redelivery
FIRST_ASK_S = 1.0  #: what comes out of order by itself comes within this
ASK_EVERY_S = 4.0  #: three asks span more than the broker's redelivery
ASKS = 3
YOUNG = 256  #: a counter first heard below this has a head that is rather on its way than never sent
NOTHING = -1  #: is expected: a number is missing, or the car has not spoken
KEPT_BOOTS = 4  #: older boots are looked up in the database, should they speak again

Key = tuple[int, int]  # boot, seq


class Arrival(Enum):
    """What a row is when it comes."""

    NEXT = "next"  #: judge it now
    WAITS = "waits"  #: behind a gap
    LATE = "late"  #: behind what is judged already
    DUPLICATE = "duplicate"
    STRANGER = "stranger"  #: of a boot we do not remember: learn it first


@dataclass(slots=True)
class Gap:
    """A run of missing numbers; `left` shrinks as they come."""

    boot: int
    first: int
    last: int
    seen: float  #: machine time
    left: list[list[int]] = field(default_factory=list)
    asked: int = 0
    asked_at: float = 0.0
    asked_ts: float = 0.0  #: business time of the last ask: only what the car made later can be an answer
    kept: bool = False  #: stands in the ledger
    lost: bool = False  #: some of it will never come

    @property
    def key(self) -> Key:
        return self.boot, self.left[0][0]


class MessageSequence:
    """What has arrived of one car.

    While nothing is missing, `boot` and `expected` say it all, and a message moves one number; `tops` and `cursor` are
    brought up to it when somebody asks.
    """

    __slots__ = (
        "_cursor",
        "_tops",
        "base",
        "beside",
        "boot",
        "closed",
        "enrolled",
        "expected",
        "gaps",
        "lost",
        "units",
        "waiting",
    )

    def __init__(self) -> None:
        self.boot = -1
        self.expected = NOTHING  #: of `boot`: the number that is simply the next one
        self._tops: dict[int, int] = {}
        self._cursor: Key = (-1, -1)
        self.gaps: list[Gap] = []
        self.lost: list[list[int]] = []  #: [boot, first, last] given up as lost at the car
        self.waiting: dict[Key, Reading] = {}
        self.closed: list[Gap] = []  #: for the ledger
        self.units: list[Unit] = []  #: those after the car's first
        self.base = 0  #: of the unit that speaks: what its boots are kept above
        self.beside = Beside()  #: whether another unit speaks at the same time
        self.enrolled = 0.0  #: when the car had been enrolled by whom we hear (epoch seconds)

    @property
    def tops(self) -> dict[int, int]:
        """boot -> highest number seen"""
        if self.expected != NOTHING:
            self._tops[self.boot] = self.expected - 1
        return self._tops

    @property
    def cursor(self) -> Key:
        """Judged up to here."""
        return self._cursor if self.expected == NOTHING else (self.boot, self.expected - 1)

    def _stop_expecting(self) -> None:
        self._tops, self._cursor, self.expected = self.tops, self.cursor, NOTHING

    def _expect(self) -> None:
        """Whether there is a number that would simply be the next."""
        if not self.gaps and not self.waiting and self._cursor == (self.boot, self._tops.get(self.boot)):
            self.expected = self._cursor[1] + 1

    def begin_unit(self, unit: Unit, enrolled: float) -> None:
        """Another unit speaks.

        Nobody is asked for what the one before it did not send; the broker may still have it.
        """
        self._stop_expecting()
        self.units.append(unit)
        if unit.enrolled:
            self.beside = Beside()  # it alone knows the new secret
        self.base, self.enrolled = len(self.units) * UNIT, enrolled
        for gap in self.gaps:
            gap.asked, gap.asked_ts = ASKS, 0.0

    def missing(self, boot: int, seq: int) -> bool:
        """Whether it would fill a gap, or what was given up."""
        return any(gap.boot == boot and any(a <= seq <= b for a, b in gap.left) for gap in self.gaps) or any(
            run[0] == boot and run[1] <= seq <= run[2] for run in self.lost
        )

    def hold(self, row: Reading) -> None:
        """This row waits for one before it."""
        self._stop_expecting()
        self.waiting[(row.boot, row.seq)] = row

    def judged(self, boot: int, seq: int) -> None:
        """A stored row has its place: judgement went past what was missing before it."""
        self._stop_expecting()
        self._cursor = max(self._cursor, (boot, seq))

    def arrive(self, boot: int, seq: int, oldest: int | None, now: float) -> Arrival:
        """Take note of a row and say what it is.

        After WAITS, it must be put on `hold`; `ready` says what may be judged.
        """
        self._stop_expecting()
        found = self._arrive(boot, seq, oldest, now)
        if found is not Arrival.WAITS:
            self._expect()
        return found

    def _arrive(self, boot: int, seq: int, oldest: int | None, now: float) -> Arrival:
        top = self._tops.get(boot)
        if top is None:
            if boot < self.boot:
                return Arrival.STRANGER
            base = min(oldest, seq) if oldest is not None else min(1, seq) if seq <= YOUNG else seq
            top = self._begin(boot, base)
            if (
                base > 0
                # what came before may still be with the broker, as after a gateway that died: not a duplicate when it
                # comes
            ):
                self.lost.append([boot, 0, base - 1])
        if seq > top:
            if seq > top + 1:
                self.gaps.append(Gap(boot, top + 1, last=seq - 1, seen=now, left=[[top + 1, seq - 1]]))
            self._tops[boot] = seq
            if not self.gaps and not self.waiting and (boot, seq) > self._cursor:
                self._cursor = (boot, seq)
                return Arrival.NEXT
        elif not self._fill(boot, seq) and not self._found_again(boot, seq):
            return Arrival.DUPLICATE
        return Arrival.LATE if (boot, seq) <= self._cursor else Arrival.WAITS

    def _begin(self, boot: int, base: int) -> int:
        self.boot = boot
        self._tops[boot] = base - 1
        for old in sorted(self._tops)[:-KEPT_BOOTS]:
            if not any(gap.boot == old for gap in self.gaps):
                del self._tops[old]
        return base - 1

    def learn(self, boot: int, seqs: list[int]) -> None:
        """A boot we had forgotten, from its stored rows: what is missing between them was given up long ago."""
        self.tops[boot] = seqs[-1] if seqs else -1
        for before, after in zip([-1, *seqs], seqs, strict=False):
            if after > before + 1:
                self.lost.append([boot, before + 1, after - 1])

    def _fill(self, boot: int, seq: int) -> bool:
        for gap in self.gaps:
            if gap.boot == boot and gap.first <= seq <= gap.last and _cut(gap.left, seq):
                if not gap.left:
                    self._close(gap)
                return True
        return False

    def _found_again(self, boot: int, seq: int) -> bool:
        for run in self.lost:
            if run[0] == boot and run[1] <= seq <= run[2]:
                self.lost.remove(run)
                self.lost += [[boot, a, b] for a, b in ((run[1], seq - 1), (seq + 1, run[2])) if a <= b]
                return True
        return False

    def _close(self, gap: Gap) -> None:
        self.gaps.remove(gap)
        self.closed.append(gap)

    def give_up_below(self, boot: int, oldest: int) -> None:
        """The car's spool begins at `oldest`: what is missing below is lost at the car."""
        for gap in [g for g in self.gaps if g.boot == boot and g.left[0][0] < oldest]:
            self._give_up(gap, oldest - 1)

    def _give_up(self, gap: Gap, upto: int) -> None:
        gone = [[a, min(b, upto)] for a, b in gap.left if a <= upto]
        gap.left = [[max(a, upto + 1), b] for a, b in gap.left if b > upto]
        gap.lost = True
        self.lost += [[gap.boot, a, b] for a, b in gone]
        if not gap.left:
            self._close(gap)

    def asks(self, now: float, ts: float, car_ts: float) -> list[tuple[int, int, int]]:
        """What to ask the car for now (boot, first, last).

        `ts` is business time, `car_ts` when the car last made a message: a silent car is not asked in vain, and a gap
        that three answered asks did not close is given up.
        """
        wanted: list[tuple[int, int, int]] = []
        for gap in list(self.gaps):
            if now < (gap.asked_at + ASK_EVERY_S if gap.asked else gap.seen + FIRST_ASK_S):
                continue
            if gap.asked and car_ts <= gap.asked_ts:
                continue
            if gap.asked >= ASKS:
                if now >= gap.seen + REORDER_S:  # a broker may redeliver what a car cannot send again
                    self._give_up(gap, gap.last)
                continue
            gap.asked, gap.asked_at, gap.asked_ts = gap.asked + 1, now, ts
            wanted += [(gap.boot, a, b) for a, b in gap.left[:20]]
        return wanted

    def ready(self, now: float) -> list[Reading]:
        """The waiting rows that may be judged, in order; a gap older than the reorder window blocks no longer."""
        if not self.waiting:
            return []
        block = min(
            (gap.key for gap in self.gaps if gap.seen + REORDER_S > now and gap.key > self.cursor), default=None
        )
        keys = sorted(key for key in self.waiting if block is None or key < block)
        if keys:
            self._cursor = keys[-1]
        rows = [self.waiting.pop(key) for key in keys]
        self._expect()
        return rows

    def upto(self, boot: int) -> int:
        """Everything of `boot` up to here is stored for good, or lost for good."""
        first = min((gap.left[0][0] for gap in self.gaps if gap.boot == boot), default=None)
        return self.tops[boot] if first is None else first - 1

    def dump(self) -> dict[str, Any]:
        """For the checkpoint, and a copy: while it is written, the next batch moves on.

        Waiting rows stand in the database without a place.
        """
        return {
            "boots": sorted(self.tops.items()),
            "cursor": list(self.cursor),
            "gaps": [[g.boot, g.first, g.last, [list(run) for run in g.left], g.lost] for g in self.gaps],
            "lost": [list(run) for run in self.lost[-50:]],
            "units": [[unit.until, unit.since, unit.enrolled] for unit in self.units],
            "enrolled": self.enrolled,
            **({"beside": [b.times, b.since, b.last, list(b.newer)]} if (b := self.beside).times else {}),
        }

    @classmethod
    def load(cls, kept: dict[str, Any], now: float) -> MessageSequence:
        """From a checkpoint; the patience with its gaps begins anew."""
        made = cls()
        made._tops = dict(kept["boots"])
        made.boot = max(made._tops, default=-1)
        made._cursor = (kept["cursor"][0], kept["cursor"][1])
        made.gaps = [
            Gap(b, f, last=t, seen=now, left=[list(run) for run in left], lost=lost)
            for b, f, t, left, lost in kept["gaps"]
            if left
        ]
        made.lost = [list(run) for run in kept["lost"]]
        made.units = [Unit(*unit) for unit in kept.get("units", ())]
        made.base, made.enrolled = len(made.units) * UNIT, kept.get("enrolled", 0.0)
        if "beside" in kept:
            times, since, last, newer = kept["beside"]
            made.beside = Beside(times, since, last, (newer[0], newer[1]))
        made._expect()
        return made


def _cut(runs: list[list[int]], seq: int) -> bool:
    for n, (a, b) in enumerate(runs):
        if a <= seq <= b:
            runs[n : n + 1] = [[x, y] for x, y in ((a, seq - 1), (seq + 1, b)) if x <= y]
            return True
    return False
