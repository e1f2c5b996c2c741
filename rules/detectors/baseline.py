"""A value against the car's own past: the starter's voltage drop, made comparable over temperature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct

from rules.detectors.trend import DAY_S
from rules.engine import feed
from rules.engine.detector import STILL, Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell, Ring
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import BATTERY, OUTSIDE, RPM, middle, number, signal_of
from schemas.alert import Limit
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

MODULE = "Vehicle.OBD.ControlModuleVoltage"
_MODULE, _RPM = signal_of(MODULE).id, signal_of(RPM).id
TURNED_RPM = feed.TURNED_RPM
TOGETHER_S = 3.0  #: a dongle asks for one after the other; a start takes no longer
DIP_S = 10.0  #: who looks less often sees no start
DROP_V = 0.2  #: between battery and control unit, at most
FULL_V = 12.65  #: a full battery at rest
COLD = 0.010  #: internal resistance grows 1 % per Kelvin below 25 Celsius


@dataclass(frozen=True, slots=True)
class Cranking(Detector):
    """Median of the last starts at 25 Celsius below a level, or below what this car used to show.

    One start proves nothing. Where a car has no lowest voltage of its starts, the control module's counts while the
    starter turns. What a dongle sees of a dip is a piece of it, never deeper than the dip was: a piece that is too low
    proves that its start was, and one that is not proves nothing. So not their middle counts, but how many are too low.
    """

    soon: float = 9.75
    now: float = 8.7
    clear: float = 10.05
    fallen: float = 0.75  #: below the car's own best
    starts: int = 3
    dips: int = 5  #: … of which a dongle has seen a piece, within two weeks
    deep: int = 3  #: so many of the last eight of these are too low

    def fit(self, profile: Profile) -> Fitted | None:
        fitted = set(profile.fitted)
        known = f"{BATTERY}.CrankingVoltageMin" in fitted or {MODULE, RPM} <= fitted
        return _Cranking(self, profile) if known else None


class _Cranking(Fitted):
    best = Struct("<f")
    ring = Ring("Iff", 8, offset=4)  # second, voltage as read, voltage at 25 Celsius
    mornings = Ring("Hff", 20, offset=4 + ring.size)  # day, its first start: as read, at 25 Celsius

    def __init__(self, detector: Cranking, profile: Profile) -> None:
        self.detector, self.scale = detector, profile.limits.get("battery_nominal_v", 12.0) / 12.0
        self.signal, self.outside = signal_of(f"{BATTERY}.CrankingVoltageMin"), signal_of(OUTSIDE).id
        self.module = {MODULE, RPM} <= set(profile.fitted)
        self.triggers = (self.signal.id, _MODULE) if self.module else (self.signal.id,)
        self.size = 4 + self.ring.size + self.mornings.size
        self.carries = (self.outside, _RPM) if self.module else (self.outside,)
        self.quieted_by = _RPM if self.module else None

    def quiet(self, names: Mapping[int, str], at: int) -> str:
        if self.signal.id in names:
            return ""
        return f"{names[_RPM]} >= {TURNED_RPM[1]!r} or {names[_RPM]} < {TURNED_RPM[0]!r}" if _RPM in names else ""

    def asleep(self, seen: Snapshot) -> bool:
        """A message without a start."""
        return seen.now(self.signal.id) is None and self._dip(seen) is None

    @staticmethod
    def _dip(seen: Snapshot) -> float | None:
        """The module's voltage while the starter turns the engine."""
        rpm = seen.get(_RPM, TOGETHER_S)
        return seen.now(_MODULE) if rpm is not None and TURNED_RPM[0] <= rpm < TURNED_RPM[1] else None

    def _seen_by_module(self, seen: Snapshot, cell: Cell) -> None:
        """A piece of a dip; `best` is below 0 while nothing else is known of this car's starts."""
        volts, best, newest = self._dip(seen), cell.read(self.best)[0], self.ring.newest(cell)
        if volts is None or volts < 2.0 * self.scale or best > 0 or (best == 0 and newest is not None):
            return
        cell.write(self.best, -1.0)
        outside = seen.get(self.outside, DAY_S)  # a dongle asks for it later: what the last drive said
        warm = self.at_25((volts / self.scale) + DROP_V, 10.0 if outside is None else outside) * self.scale
        if newest is not None and 0 <= seen.ts - newest[0] <= feed.ONE_START_S:
            if warm < newest[2]:
                self.ring.replace(cell, newest[0], volts, warm)
            return
        self.ring.push(cell, int(seen.ts), volts, warm)

    def remember(self, seen: Snapshot, cell: Cell) -> None:
        value = seen.now(self.signal.id)
        if value is None:
            if self.module and not seen.late:
                self._seen_by_module(seen, cell)
            return
        if value < 2.0 * self.scale:  # nothing cranks at two volts: a lost sample
            return
        if cell.read(self.best)[0] < 0:  # the car says it itself from now on
            self.ring.keep(cell, [])
            cell.write(self.best, 0.0)
        outside = seen.get(self.outside, DAY_S / 4)
        warm = self.at_25(value / self.scale, 10.0 if outside is None else outside) * self.scale
        self.ring.push(cell, int(seen.ts), value, warm)
        day, newest = int(seen.ts) // DAY_S, self.mornings.newest(cell)
        if newest is None or day > newest[0]:
            self.mornings.push(cell, day, value, warm)
        if self.ring.count(cell) == self.ring.room:
            usual, best = middle(self.ring.column(cell, 2)), cell.read(self.best)[0]
            if usual > best:
                cell.write(self.best, usual)

    @staticmethod
    def at_25(volts: float, celsius: float) -> float:
        """What this start would have shown at 25 Celsius."""
        return FULL_V - (FULL_V - volts) / (1 + COLD * max(0.0, 25.0 - celsius))

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        self.remember(seen, cell)
        if cell.read(self.best)[0] < 0:
            return self._sampled(seen, cell)
        wanted = self.detector.starts
        newest = self.ring.column(cell, 2)[:wanted]
        if len(newest) < wanted:
            return [("", Unsure(f"{len(newest)} of {wanted} starts seen"))]
        typical, best, scale = middle(newest), cell.read(self.best)[0], self.scale
        if typical > self.detector.clear * scale and (not best or typical > best - 0.6 * self.detector.fallen * scale):
            return (
                [("", Clear(f"{number(typical)} V at 25 °C in the last {self.detector.starts} starts"))]
                if seen.open
                else STILL
            )
        return [("", self._verdict(typical, best, cell))]

    def _sampled(self, seen: Snapshot, cell: Cell) -> Judged:
        """Of pieces of dips: so many of them as low as a whole one must not be."""
        told, dips, deep = bool(seen.open), self.detector.dips, self.detector.deep
        lately = [r[2] for r in self.ring.records(cell) if seen.ts - r[0] <= feed.LOOKED_BACK_S]
        if len(lately) < dips:
            return [("", Unsure(f"{len(lately)} of {dips} starts seen within two weeks"))] if told else STILL
        typical, limit = sorted(lately)[deep - 1], self.detector.soon * self.scale
        words = f"{number(typical)} V at 25 °C or less in {deep} of {len(lately)} starts, as far as was seen"
        if typical < limit:
            return [("", Holds(Severity.SOON, f"starter pulls the battery down to {words}; limit {number(limit)} V"))]
        if not told:
            return STILL
        return [("", Clear(words) if typical > self.detector.clear * self.scale else Unsure(words))]

    def _verdict(self, typical: float, best: float, cell: Cell) -> Verdict:
        scale = self.scale
        longer = middle(self.ring.column(cell, 2))
        words = f"{number(typical)} V at 25 °C in the last {self.detector.starts} starts"
        for severity, limit in ((Severity.NOW, self.detector.now * scale), (Severity.SOON, self.detector.soon * scale)):
            if typical < limit:
                return Holds(severity, f"starter pulls the battery down to {words}, limit {number(limit)} V")
        if best and longer < best - self.detector.fallen * scale and typical < best - self.detector.fallen * scale:
            return Holds(
                Severity.SOON, f"starter pulls the battery down to {words}; this car used to show {number(best)} V"
            )
        return Unsure(f"{words} is between the levels")

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        mornings = [(r[0] * DAY_S + DAY_S // 4, r[1], r[2]) for r in reversed(self.mornings.records(cell))]
        points = mornings if len(mornings) >= 4 else list(reversed(self.ring.records(cell)))
        what = "the first start of each day" if points is mornings else "each start"
        warm = line(
            f"lowest voltage at {what}, as at 25 °C", "V", [(r[0], round(r[2], 2)) for r in points]
        )  # what is judged comes first
        read = line("as read", "V", [(r[0], round(r[1], 2)) for r in points])
        return (warm, read), (
            Limit(label="soon", value=self.detector.soon * self.scale),
            Limit(label="now", value=self.detector.now * self.scale),
        )
