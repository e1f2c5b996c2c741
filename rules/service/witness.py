"""What a car itself says of a drive that we made with it, and what of that is odd. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from schemas.witness import Trip

MOST_KMH = 150.0  #: nobody needs more with a customer's car
MOST_KM_PER_MINUTE = 1.0  #: of the time that a drive is planned for, there and back: an average of 60 km/h
IN_THE_WORKSHOP_KM = 30.0  #: a test drive is shorter
APART_KM = 5.0  #: between what the driver wrote down and what the car says
_STANDS_KMH = 3.0
_GAP = timedelta(minutes=5)  #: between two readings the car is not believed to have moved all the time


@dataclass(frozen=True, slots=True)
class Said:
    """Telemetry of one span: (epoch seconds, value) of odometer in metres and speed in km/h, and codes at both ends."""

    odometer: Sequence[tuple[float, float]]
    speed: Sequence[tuple[float, float]]
    codes_before: Collection[str]
    codes_after: Collection[str]


@dataclass(frozen=True, slots=True)
class Line:
    """The witness line. None: the car did not say."""

    distance_km: float | None
    minutes: int | None  #: for which it moved
    top_speed_kmh: float | None
    codes_before: tuple[str, ...]
    codes_after: tuple[str, ...]


def line(said: Said) -> Line:
    """Out of what was said between the keys and the keys."""
    metres = [value for _, value in said.odometer]
    speeds = [value for _, value in said.speed]
    return Line(
        round((max(metres) - min(metres)) / 1000, 1) if len(metres) > 1 else None,
        _moving(said.speed) if len(speeds) > 1 else None,
        top_speed_kmh=round(max(speeds), 1) if speeds else None,
        codes_before=tuple(sorted(said.codes_before)),
        codes_after=tuple(sorted(said.codes_after)),
    )


def _moving(speed: Sequence[tuple[float, float]]) -> int:
    seconds = 0.0
    for (at, value), (after, _) in pairwise(speed):
        if value > _STANDS_KMH:
            seconds += min(after - at, _GAP.total_seconds())
    return round(seconds / 60)


def odd(found: Line, trip: Trip) -> tuple[str, ...]:
    """What somebody at the desk should look at, each in a sentence; nothing when the drive was a drive."""
    words = []
    if found.top_speed_kmh is not None and found.top_speed_kmh > MOST_KMH:
        words.append(f"up to {found.top_speed_kmh:.0f} km/h")
    most = trip.planned_minutes * MOST_KM_PER_MINUTE
    if found.distance_km is not None and found.distance_km > most:
        words.append(f"{found.distance_km:.0f} km on a drive that is planned for {trip.planned_minutes} minutes")
    if trip.workshop_km is not None and trip.workshop_km > IN_THE_WORKSHOP_KM:
        words.append(f"{trip.workshop_km:.0f} km while it was in the workshop")
    if new := sorted(set(found.codes_after) - set(found.codes_before)):
        words.append(f"new since the keys changed hands: {', '.join(new)}")
    if trip.recorded_km is not None and trip.car_km is not None and abs(trip.recorded_km - trip.car_km) > APART_KM:
        words.append(f"the record says {trip.recorded_km:,} km, the car {trip.car_km:,.0f} km")
    return tuple(words)
