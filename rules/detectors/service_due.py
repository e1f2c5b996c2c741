"""Service due by the first of distance, date and hours, told as a date from how the car is used."""

from __future__ import annotations

from dataclasses import dataclass

from rules.detectors.trend import DAY_S
from rules.engine.detector import CALM, STILL, Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell, Ring
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import ODOMETER, number, signal_of
from schemas.alert import Limit
from schemas.moment import from_epoch
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

MOST_KM = 1_500.0  #: nobody drives more in a day


@dataclass(frozen=True, slots=True)
class ServiceDue(Detector):
    """Told when the forecast date is nearer than `days`; overdue is soon, before it is advice."""

    days: float = 30.0
    overdue_km: float = 500.0
    clear_days: float = 45.0
    sure_km: float = 1_500.0  #: so near it is told even before the usage is known

    def fit(self, profile: Profile) -> Fitted | None:
        wanted = ("Vehicle.Service.DistanceToService", "Vehicle.Service.TimeToService")
        return _ServiceDue(self) if any(p in profile.fitted for p in wanted) else None


class _ServiceDue(Fitted):
    period_s: int | None = 12 * 3600
    ring = Ring("Hi", 10, offset=1)  # day, odometer in 100 m

    def __init__(self, detector: ServiceDue) -> None:
        self.detector, self.size = detector, 1 + self.ring.size
        self.distance, self.time = (
            signal_of("Vehicle.Service.DistanceToService"),
            signal_of("Vehicle.Service.TimeToService"),
        )
        self.odometer = signal_of(ODOMETER).id
        self.triggers = (self.distance.id, self.time.id)
        self.carries = (*self.triggers, self.odometer)

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        far = seen.get(self.odometer, DAY_S)
        if seen.fresh and far is not None:
            self._use(int(seen.ts) // DAY_S, far, cell)
        verdict = self._verdict(seen, cell)
        return STILL if verdict is CALM else [("", verdict)]

    def _use(self, day: int, metres: float, cell: Cell) -> None:
        newest = self.ring.newest(cell)
        if newest is not None and not 0 <= (metres / 100 - newest[1]) / 10 <= MOST_KM * max(1, day - newest[0]):
            self.ring.keep(cell, [])  # another cluster counts: what this car drives in a day is learned anew
            newest = None
        if newest is None or (metres / 100 >= newest[1] and day - newest[0] >= 3):
            self.ring.push(cell, day, int(metres / 100))

    def _km_per_day(self, cell: Cell) -> float | None:
        newest, oldest = self.ring.newest(cell), self.ring.oldest(cell)
        if newest is None or oldest is None or newest[0] - oldest[0] < 6:
            return None
        per_day: float = (newest[1] - oldest[1]) / 10 / (newest[0] - oldest[0])
        return per_day

    def _verdict(self, seen: Snapshot, cell: Cell) -> Verdict:
        km, seconds = seen.get(self.distance.id, DAY_S), seen.get(self.time.id, DAY_S)
        if km is None and seconds is None:
            return Unsure("no reading of the distance or time to service", missing=True)
        per_day = self._km_per_day(cell)
        days, by = (float("inf"), "") if seconds is None else (seconds / DAY_S, "date")
        if km is not None and (per_day or km <= 0):
            by_distance = km / per_day if per_day else km / 50.0
            if by_distance < days or seconds is None:
                days, by = by_distance, "distance"
        if km is not None and not per_day and km < self.detector.sure_km and days > self.detector.days:
            return Holds(Severity.ADVICE, f"service due in {number(km)} km")
        if days <= 0:
            late = by == "distance" and km is not None and km < -self.detector.overdue_km
            over = f"{number(-km)} km" if by == "distance" and km is not None else f"{-days:.0f} days"
            return Holds(Severity.SOON if late or days < -30 else Severity.ADVICE, f"service overdue by {over}")
        if days <= self.detector.days:
            when = from_epoch(seen.ts + days * DAY_S).date()
            usage = f" at {per_day:.0f} km a day" if by == "distance" and per_day else ""
            return Holds(Severity.ADVICE, f"service due about {when}, by {by}{usage}")
        if days >= self.detector.clear_days:
            return (
                CALM
                if not seen.open
                else Clear("service is not due yet" if days == float("inf") else f"service due in {days:.0f} days")
            )
        return Unsure(f"service due in {days:.0f} days, between the levels")

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        points = [(r[0] * DAY_S, r[1] / 10) for r in reversed(self.ring.records(cell))]
        km = seen.get(self.distance.id, DAY_S)
        due = () if km is None or not points else (Limit(label="service", value=round(points[-1][1] + km, 1)),)
        return (line("odometer", "km", points),), due
