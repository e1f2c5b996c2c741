"""One tyre against the other three: pressures made comparable over temperature, height and placard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log
from struct import Struct

from rules.detectors.trend import DAY_S, Line, fit
from rules.engine.detector import CALM, STILL, Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell, Ring
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import OUTSIDE, WHEELS, number, signal_of
from schemas.alert import Limit
from schemas.moment import from_epoch
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

SAMPLE_S = 3_600
AIR_KPA = 101.3
FAILED = 0.75  #: of the placard: the car's own lamp comes on here
SHORTEST = 5  #: days of a trend
SURE_DAYS = 7  #: … that may be a slow one
Days = list[tuple[int, dict[str, float], dict[str, float]]]
Trends = dict[str, tuple[Line, float] | None]
UNIT = 1e-4  #: resolution of a stored logarithm
FILLED = 0.012  #: a wheel that rises by so much from one day to the next was filled: what was before is another story
SWAPPED = 0.012  #: all four falling so much at once were changed or let down


@dataclass(frozen=True, slots=True)
class TyreLeak(Detector):
    """ln(absolute pressure / temperature) of a wheel below its partner and the median of the others; by level and by
    trend.
    """

    low: float = -0.075  #: this far below the others: about 25 kPa of a car's tyre
    very_low: float = -0.25
    clear: float = -0.050
    drop: float = -0.022  #: a trend must have lost so much …
    per_day: float = -0.0022  #: … at least this fast (a healthy tyre loses 0.001 a day, and so do its neighbours)
    #: the last few days alone must show more: a change of wheels with its noise is soon a short trend
    fast_drop: float = -0.033
    fast_per_day: float = -0.0044
    sure: float = 5.0  #: slope over its standard error

    def fit(self, profile: Profile) -> Fitted | None:
        pressures = {w: f"{branch}.Tire.Pressure" for w, branch in WHEELS.items()}
        return _TyreLeak(self, profile) if all(p in profile.fitted for p in pressures.values()) else None


class _TyreLeak(Fitted):
    period_s: int | None = SAMPLE_S
    ring = Ring("HB4h", 16, offset=1)  # day, samples of that day, mean logarithm of each wheel
    size = 1 + Ring("HB4h", 16).size
    own = Struct("<" + 16 * "3x4h")  #: the means of all days, in one piece

    def __init__(self, detector: TyreLeak, profile: Profile) -> None:
        self.detector = detector
        self.pressure = {w: signal_of(f"{branch}.Tire.Pressure").id for w, branch in WHEELS.items()}
        self.warmth = {w: signal_of(f"{branch}.Tire.AirTemperature").id for w, branch in WHEELS.items()}
        self.air = signal_of("Vehicle.OBD.BarometricPressure").id
        self.outside = signal_of(OUTSIDE).id
        self.placard = {w: profile.limits.get(f"tyre_placard_{w.partition('_')[0]}_kpa", 230.0) for w in WHEELS}
        self.triggers, self.warmths, self.full = (
            tuple(self.pressure.values()),
            tuple(self.warmth.values()),
            tuple(p + AIR_KPA for p in self.placard.values()),
        )
        fitted = {signal_of(p).id for p in profile.fitted}
        self.carries = tuple(i for i in (*self.triggers, *self.warmth.values(), self.air, self.outside) if i in fitted)

    def _logs(self, seen: Snapshot) -> tuple[float, ...] | None:
        """ln of each tyre's pressure at 20 Celsius as a share of its placard; None when a wheel is missing. Two rules
        ask.
        """
        if "tyres" not in seen.shared:
            seen.shared["tyres"] = self._measured(seen)
        found: tuple[float, ...] | None = seen.shared["tyres"]
        return found

    def _measured(self, seen: Snapshot) -> tuple[float, ...] | None:
        now, get = seen.now, seen.get
        pressures = [now(signal_id) for signal_id in self.triggers]
        if None in pressures:
            pressures = [
                get(signal_id, DAY_S) for signal_id in self.triggers
            ]  # by change: what was not said again still holds
            if None in pressures:
                return None
        air = get(self.air, DAY_S) or AIR_KPA
        warmths = [now(signal_id) for signal_id in self.warmths]
        if None in warmths:
            warmths = [get(signal_id, DAY_S) for signal_id in self.warmths]
            if None in warmths:
                outside = get(self.outside, DAY_S)
                warmths = [20.0 if outside is None else outside] * 4
        wheels = zip(pressures, warmths, self.full)
        return tuple([log((p + air) / (w + 273.15) * 293.15 / full) for p, w, full in wheels])  # type: ignore[operator]

    @staticmethod
    def _deviations(logs: Sequence[float]) -> dict[str, float]:
        """How far each wheel lies below both its partner and the median of the others: loads on one axle are no
        leak.
        """
        _, low, high, _ = sorted(logs)
        found = {}
        for wheel, own, partner in zip(WHEELS, logs, (logs[1], logs[0], logs[3], logs[2])):
            others = high if own <= low else low  # the median of the other three
            found[wheel] = own - others if others <= partner else own - partner
        return found

    def remember(self, seen: Snapshot, cell: Cell) -> None:
        logs = self._logs(seen)
        if logs is not None:
            self._take_in(int(seen.ts) // DAY_S, logs, cell)

    def _take_in(self, day: int, logs: tuple[float, ...], cell: Cell) -> None:
        new = [round(v / UNIT) for v in logs]  # a logarithm of a pressure ratio stays within ±3
        newest = self.ring.newest(cell)
        if newest is not None and newest[0] == day:
            _, count, one, two, three, four = newest
            a, b, c, d = new
            more = count + 1
            self.ring.replace(
                cell,
                day,
                min(250, more),
                round((one * count + a) / more),
                round((two * count + b) / more),
                round((three * count + c) / more),
                round((four * count + d) / more),
            )
            return
        if newest is None or newest[0] < day:
            self.ring.push(cell, day, 1, *new)
            return
        records = self.ring.records(cell)
        for n, record in enumerate(records):
            if record[0] == day:
                count = record[1]
                means = [round((old * count + v) / (count + 1)) for old, v in zip(record[2:], new)]
                records[n] = (day, min(250, count + 1), *means)
                break
        else:
            records.append((day, 1, *new))
        self.ring.keep(cell, records)

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        logs = self._logs(seen)
        if logs is None:
            return [(w, Unsure("no reading of all four tyre pressures", missing=True)) for w in WHEELS]
        if seen.fresh:
            self._take_in(int(seen.ts) // DAY_S, logs, cell)
        days = self._days(self.ring.records(cell)) if not seen.open and self._may_fall(cell) else []
        if not days and not seen.open and max(logs) - min(logs) < -self.detector.clear:
            return STILL  # no wheel can lie further below another than the whole spread
        deviations = self._deviations(logs)
        trends = _trends(self, self.ring.kept(cell)) if seen.open else None
        return [(w, self._one(w, own, deviations[w], days, trends, seen)) for w, own in zip(WHEELS, logs)]

    def _days(self, records: Iterable[tuple[int, ...]]) -> Days:
        """Day, own logarithms and deviations of each wheel, newest first, back to the last time that tyres were filled
        or changed.
        """
        found: Days = []
        after: list[float] = []
        later = 0
        for day, _, *units in records:
            own = [v * UNIT for v in units]
            if found:
                moved = [b - a for b, a in zip(after, own)]
                if max(moved) > FILLED or sum(moved) / 4 < -SWAPPED * max(1, later - day):
                    break
            found.append((day, dict(zip(WHEELS, own)), self._deviations(own)))
            after, later = own, day
        return found

    def _one(
        self, wheel: str, own: float, deviation: float, days: Days, trends: Trends | None, seen: Snapshot
    ) -> Verdict:
        detector, placard = self.detector, self.placard[wheel]
        if not seen.open and deviation > detector.clear and not self._falling(wheel, days):
            return CALM
        at_20 = exp(own) * (placard + AIR_KPA) - AIR_KPA
        words = f"{wheel.replace('_', ' ')} tyre {at_20:.0f} kPa at 20 °C, placard {placard:.0f} kPa"
        if deviation <= detector.low:
            if seen.now(self.pressure[wheel]) is None:  # one lost sample stands for hours in a feed by change
                return Unsure(f"{words}, said once so far", missing=True)
            severity = Severity.NOW if at_20 < 0.70 * placard or deviation <= detector.very_low else Severity.SOON
            return Holds(severity, f"{words}; {-deviation * 100:.0f} % below the other tyres")
        trend = self._trend(wheel, days) if trends is None else trends[wheel]
        if trend is not None:
            line_, lost = trend
            left = (own - log((FAILED * placard + AIR_KPA) / (placard + AIR_KPA))) / -line_.slope
            when = from_epoch(seen.ts + max(0.0, left) * DAY_S).date()
            return Holds(
                Severity.SOON,
                f"{words}; lost {-lost * 100:.1f} % more than the others in {line_.points} days, three quarters of "
                f"placard about {when}",
            )
        if deviation > detector.clear:
            return Clear(f"{words}, as the others")
        return Unsure(f"{words}; {-deviation * 100:.1f} % below the other tyres is between the levels")

    def _may_fall(self, cell: Cell) -> bool:
        """Whether any wheel lies so far below its best day that it could have a trend at all: most never do."""
        count = self.ring.count(cell)
        if count < 5:
            return False
        enough, own = 0.6 * self.detector.drop / UNIT, self.own.unpack_from(cell.memory, cell.at + 2)
        one, two, three, four = (
            own[0 : 4 * count : 4],
            own[1 : 4 * count : 4],
            own[2 : 4 * count : 4],
            own[3 : 4 * count : 4],
        )
        if one[0] <= max(one) + enough or two[0] <= max(two) + enough:
            return True
        return bool(three[0] <= max(three) + enough or four[0] <= max(four) + enough)

    def _falling(self, wheel: str, days: Days) -> bool:
        """Whether it lies so far below its own best of the last days that a trend is worth computing."""
        return len(days) >= SHORTEST and days[0][2][wheel] <= max(d[2][wheel] for d in days) + self.detector.drop

    def _trend(self, wheel: str, days: Days) -> tuple[Line, float] | None:
        """A leak over all days, or a fast one that has begun lately: the quiet days before it would hide its slope."""
        length, found = len(days), None
        if length >= SURE_DAYS:
            found = self._leak(wheel, days, self.detector.drop, self.detector.per_day, 0.65)
        else:
            length += (
                1  # of so few days a sensor's coarse steps make a line: they must show as much as the newest of many
            )
        while found is None and length > SHORTEST:
            length -= 1
            found = self._leak(wheel, days[:length], self.detector.fast_drop, self.detector.fast_per_day, 0.6)
        return found

    def _leak(self, wheel: str, days: Days, drop: float, per_day: float, most: float) -> tuple[Line, float] | None:
        """Steep, sure and even enough; `most` is the share of the loss that two days may make up."""
        points = [(day, deviations[wheel]) for day, _, deviations in days]
        found = fit(points)
        if found is None or found.slope > per_day or -found.slope < self.detector.sure * found.sigma:
            return None
        lost = found.slope * (points[0][0] - points[-1][0])
        own = days[0][1][wheel] - days[-1][1][wheel]
        at_once = max(c[1] - a[1] for a, c in zip(points, points[2:]))
        if lost > drop or own > 0.6 * lost or at_once > most * min(-lost, points[-1][1] - points[0][1]):
            return (
                None  # too little, or it is the others that rose, or most of it went at once: other wheels, not a leak
            )
        return found, lost

    def sample(self, component: str, seen: Snapshot) -> float | None:
        return seen.now(self.pressure[component])

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        days = [
            (d[0] * DAY_S + DAY_S // 2, round(d[2][component] * 100, 2))
            for d in reversed(self._days(self.ring.records(cell)))
        ]
        if len(days) >= 3:
            return (line(f"{component.replace('_', ' ')} tyre against the others", "percent", days),), (
                Limit(label="soon", value=self.detector.low * 100),
            )
        return (line(f"tyre pressure {component.replace('_', ' ')}", "kPa", samples),), (
            Limit(label="placard", value=self.placard[component]),
            Limit(label="lamp", value=FAILED * self.placard[component]),
        )


@lru_cache(maxsize=1_024)
def _trends(bound: _TyreLeak, kept: bytes) -> Trends:
    """The trend of each wheel in such a history.

    A car with a leak asks with every message, and its history moves once an hour.
    """
    days = bound._days(bound.ring.unpacked(kept))
    return {wheel: bound._trend(wheel, days) for wheel in WHEELS}


@dataclass(frozen=True, slots=True)
class TyresLow(Detector):
    """Pressure at 20 Celsius against the placard, each wheel for itself: the air that goes with the months."""

    soon: float = 0.80
    now: float = 0.68
    clear: float = 0.86

    def fit(self, profile: Profile) -> Fitted | None:
        return _TyresLow(self, profile) if TyreLeak().fit(profile) else None


class _TyresLow(_TyreLeak):
    period_s: int | None = 1_200
    size = 1

    def __init__(self, detector: TyresLow, profile: Profile) -> None:
        super().__init__(TyreLeak(), profile)
        self.levels = detector
        self.all_well = max(log((detector.clear * p + AIR_KPA) / (p + AIR_KPA)) for p in self.placard.values())

    def remember(self, seen: Snapshot, cell: Cell) -> None:
        """Keeps no history."""

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        logs = self._logs(seen)
        if logs is None:
            return [(w, Unsure("no reading of all four tyre pressures", missing=True)) for w in WHEELS]
        if not seen.open and min(logs) > self.all_well:
            return STILL
        # what was not said again is no second sample
        said = [(w, own, seen.now(self.pressure[w]) is not None) for w, own in zip(WHEELS, logs)]
        return [
            (w, self._level(w, own) if again else Unsure("said once so far", missing=True)) for w, own, again in said
        ]

    def _level(self, wheel: str, own: float) -> Verdict:
        placard = self.placard[wheel]
        share = (exp(own) * (placard + AIR_KPA) - AIR_KPA) / placard
        words = (
            f"{wheel.replace('_', ' ')} tyre {number(share * placard)} kPa at 20 °C is {share * 100:.0f} % of its "
            "placard"
        )
        if share >= self.levels.clear:
            return Clear(words)
        if share < self.levels.soon:
            return Holds(Severity.NOW if share < self.levels.now else Severity.SOON, words)
        return Unsure(f"{words}, between the levels")

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        limits = (
            Limit(label="placard", value=self.placard[component]),
            Limit(label="soon", value=self.levels.soon * self.placard[component]),
        )
        return (line(f"tyre pressure {component.replace('_', ' ')}", "kPa", samples),), limits
