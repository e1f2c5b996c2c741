"""Oil pressure that is lost, told from a sensor: it moves, and the car was heard with what its engine needs."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from rules.detectors.oil_sensor import NEVER
from rules.detectors.pressure import share_of_need
from rules.detectors.sudden import Also, Quick, _Also
from rules.detectors.usage_pattern import _Habitual
from rules.engine.detector import STILL, Fitted, Judged
from rules.engine.memory import Cell
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import ENGINE, signal_of
from schemas.profile import Profile
from schemas.verdict import Holds, Unsure

_PRESSURE = signal_of(f"{ENGINE}.EOP")
LOW, MOVED, KNOWN = 1, 2, 4
MOVES = 0.01  #: of what is needed at idle: a sensor that works differs by more from one sample to the next


@dataclass(frozen=True, slots=True)
class OilPressure(Also):
    """A slow look and a quick one at pressure that moves, of a car that has had it."""

    def fit(self, profile: Profile) -> Fitted | None:
        slow, quick = self.slow.fit(profile), self.quick.fit(profile)
        if not isinstance(slow, _Habitual) or quick is None:
            return slow
        return _OilPressure(slow, quick, profile)


class _OilPressure(_Also):
    low = Struct("<eB")  #: the pressure when it first was low, and whether it is, and has moved since

    def __init__(self, slow: _Habitual, quick: Quick, profile: Profile) -> None:
        super().__init__(slow, quick)
        self.begun = self.size
        self.size += self.low.size
        self.grain = MOVES * profile.limits.get("oil_pressure_idle_kpa", 80.0)

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        judged = super().judge(seen, cell)
        known = self._known(seen, cell)
        if judged is STILL and not cell.memory[cell.at + self.begun + 2] & (LOW | MOVED):
            return judged
        if not known:
            words = f"{_PRESSURE.title} was never enough since it was first heard"
            return [(c, Unsure(words) if isinstance(v, Holds) else v) for c, v in judged]
        value = seen.now(_PRESSURE.id)
        held = [v for _, v in judged if isinstance(v, Holds) and not v.at_once]
        if value is None or self._moves(value, bool(held), cell) or not held:
            return judged
        words = f"{_PRESSURE.title} has not moved from {value:.0f} kPa since it is low"
        return [(c, Unsure(words) if isinstance(v, Holds) and not v.at_once else v) for c, v in judged]

    def _known(self, seen: Snapshot, cell: Cell) -> bool:
        """Whether the car was ever heard with pressure; until it is, each message is looked at."""
        at = cell.at + self.begun + 2
        if not cell.memory[at] & KNOWN:
            share = share_of_need(seen)
            if share is None or share < NEVER:
                cell.memory[cell.at] ^= 0x80
                return False
            cell.memory[at] |= KNOWN
        return True

    def _moves(self, value: float, is_low: bool, cell: Cell) -> bool:
        """Whether it has moved since it is low; the first word that is low begins a hold."""
        first, state = cell.read(self.low, self.begun)
        if not is_low:
            if state != KNOWN:
                cell.write(self.low, 0.0, KNOWN, offset=self.begun)
            return True
        if not state & LOW:
            cell.write(self.low, value, KNOWN | LOW, offset=self.begun)
            return True
        if abs(value - first) >= self.grain:
            state |= MOVED
        cell.write(self.low, first, state, offset=self.begun)
        return bool(state & MOVED)
