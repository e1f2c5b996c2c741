"""Something that should happen every so many kilometres happens too often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from struct import Struct

from rules.detectors.trend import DAY_S
from rules.engine.detector import STILL, Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell, Ring
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import ODOMETER, Level, level, number, signal_of
from schemas.alert import Limit
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

_ODOMETER = signal_of(ODOMETER).id
SHORTEST = 20.0  #: km: less is no run
#: percent: from so full it falls by so much; it fills again once it rose by so much
FULL, FALLS, RISES = 80.0, 20.0, 5.0
LEFT, OFTEN = 50.0, 3  #: percent: cleaned so often in a row, what still holds more than half is not clean


@dataclass(frozen=True, slots=True)
class Intervals(Detector):
    """A counter that falls back to 0 each time: `times` runs in a row shorter than `shortest`.

    Where the counter is not heard, what fills up and falls at once (`instead`) and the odometer give the same runs, and
    what each fall leaves behind: where that is above half again and again, it shows before the runs are short.
    """

    path: str
    shortest: Level
    times: int = 2
    instead: str = ""  #: percent of what is full at 100

    def fit(self, profile: Profile) -> Fitted | None:
        return _Intervals(self, profile) if self.path in profile.fitted else None


class _Intervals(Fitted):
    period_s: int | None = 300  # of the signal instead: it falls for longer than that
    #: after the period's byte: the counter when last seen; where the other signal turned (below 0: it falls since),
    #: and the kilometres at its last fall
    layout = Struct("<fff")
    ring = Ring("If", 8, offset=1 + layout.size)
    left = Ring("If", OFTEN, offset=1 + layout.size + ring.size)  # second, percent that a fall left behind

    def __init__(self, detector: Intervals, profile: Profile) -> None:
        self.detector, self.signal, self.limit = detector, signal_of(detector.path), level(detector.shortest, profile)
        self.triggers, self.size = (self.signal.id,), 1 + self.layout.size + self.ring.size + self.left.size
        self.instead = None
        if detector.instead in profile.fitted:
            self.instead = signal_of(detector.instead).id
            self.triggers, self.carries = (self.signal.id, self.instead), (self.signal.id, _ODOMETER)

    def quiet(self, names: Mapping[int, str], at: int) -> str:
        return "" if self.signal.id in names else f"m[{at}] == q{self.period_s}"

    def wakes(self, seen: Snapshot) -> bool:
        return seen.now(self.signal.id) is not None

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        value = seen.now(self.signal.id)
        if value is not None:
            last, turn, fell_km = cell.read(self.layout, 1)
            if value < 0.5 * last and last > SHORTEST:
                self.ring.push(cell, int(seen.ts), last)
            cell.write(self.layout, value, turn, fell_km, offset=1)
        elif self.instead is not None and seen.before(self.signal.id, DAY_S) is None:
            value = self._filled(seen.now(self.instead), seen.get(_ODOMETER, 3_600.0), seen, cell)
        runs, left = self.ring.column(cell, 1)[: self.detector.times], self.left.column(cell, 1)
        if not seen.open and (len(runs) < self.detector.times or max(runs) >= self.limit) and not self._dirty(left):
            return STILL
        return [("", self._verdict(value, runs, left))]

    @staticmethod
    def _dirty(left: Sequence[float]) -> bool:
        return len(left) == OFTEN and min(left) > LEFT

    def _filled(self, share: float | None, metres: float | None, seen: Snapshot, cell: Cell) -> float | None:
        """Kilometres since the other signal fell from nearly full; a fall ends a run."""
        if share is None or metres is None:
            return None
        last, turn, fell_km = cell.read(self.layout, 1)
        falls, ends, km = turn < 0, abs(turn), metres / 1000
        if falls and share > ends + RISES:
            self.left.push(cell, int(seen.ts), ends)
            falls, ends = False, share
        elif not falls and ends >= FULL and share < ends - self._fall(cell):
            if fell_km and km - fell_km > SHORTEST:
                self.ring.push(cell, int(seen.ts), km - fell_km)
            falls, ends, fell_km = True, share, km
        else:
            ends = min(ends, share) if falls else max(ends, share)
        cell.write(self.layout, last, -max(ends, 1e-3) if falls else ends, fell_km, offset=1)
        return km - fell_km if fell_km else None

    def _fall(self, cell: Cell) -> float:
        """What is a fall: half of what the last one made room for, where that is little."""
        left = self.left.newest(cell)
        return FALLS if left is None else max(RISES, min(FALLS, (100.0 - left[1]) / 2))

    def _verdict(self, value: float | None, runs: Sequence[float], left: Sequence[float]) -> Verdict:
        if self._dirty(left):
            what = signal_of(self.detector.instead).title
            return Holds(
                Severity.SOON, f"{what}: the last {OFTEN} falls left {', '.join(map(number, map(round, left)))} %"
            )
        if len(runs) < self.detector.times:
            return Unsure(f"{len(runs)} of {self.detector.times} runs seen")
        words = (
            f"{self.signal.title}: the last {len(runs)} runs lasted {', '.join(number(round(r)) for r in runs)} "
            f"{self.signal.unit}"
        )
        if all(r < self.limit for r in runs) and (value is None or value < self.limit):
            severity = Severity.SOON
            return Holds(severity, f"{words}, limit {number(self.limit)} {self.signal.unit}")
        if runs[0] >= 1.15 * self.limit or (value is not None and value >= 1.15 * self.limit):
            return Clear(words)
        return Unsure(f"{words}, between the levels")

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        points = [(r[0], r[1]) for r in reversed(self.ring.records(cell))]
        return (line("length of each run", self.signal.unit, points),), (Limit(label="soon", value=self.limit),)
