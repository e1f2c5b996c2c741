"""How long a drive takes where nobody asks a road service, how far we collect cars, and until when a driver must set
out. Pure.

The estimate: the great circle times 1.35, for roads bend (between 1.2 and 1.5 in European and American towns and
country), at a speed that grows with the distance as roads do: 25 km/h for the first five kilometres, 45 for the next
fifteen, 80 beyond. Three minutes are added for getting to the car and parking it. It needs no network and errs on the
slow side.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt
from typing import Final

from schemas.booking import BookingKind
from schemas.errors import BadInput
from schemas.pickup import Leg, LegState
from schemas.place import Place

ESTIMATE: Final = "estimate"  #: who says how long a way takes, where nobody is asked
EARTH_KM: Final = 6371.0088
DETOUR: Final = 1.35  #: roads against the great circle
#: (km of road driven at this speed, km/h): the first are town, the last have no end.
_SPEEDS: Final = ((5.0, 25.0), (15.0, 45.0), (float("inf"), 80.0))
_TO_THE_CAR_S: Final = 180
HANDOVER: Final = timedelta(minutes=10)  #: keys, pictures, a word at the door
Matrix = Sequence[Sequence[int | None]]  #: seconds from each place to each; None: there is no road


def kilometres(one: Place, other: Place) -> float:
    """Along the great circle."""
    north, east = radians(other.latitude - one.latitude), radians(other.longitude - one.longitude)
    chord = sin(north / 2) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(east / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(min(1.0, chord)))


def seconds(one: Place, other: Place) -> int:
    """An estimate; nothing from a place to itself."""
    left = kilometres(one, other) * DETOUR
    if left < 0.03:
        return 0
    spent = 0.0
    for span, speed in _SPEEDS:
        driven = min(left, span)
        spent, left = spent + driven / speed * 3600, left - driven
    return round(spent) + _TO_THE_CAR_S


def estimate(places: Sequence[Place]) -> list[list[int]]:
    """The whole matrix of estimates."""
    return [[seconds(one, other) for other in places] for one in places]


def minutes(one: Place | None, other: Place | None) -> int | None:
    """Whole minutes, rounded up; None where one of the two is not known."""
    return None if one is None or other is None else -(-seconds(one, other) // 60)


def within(kind: BookingKind, dealer: Place | None, radius_km: int, customer: Place | None) -> None:
    """BadInput where a car is to be collected, or repaired where it stands, farther away than we drive.

    Without both places, or a limit, nobody can say.

    A tow truck goes anywhere: a car that must not be driven has no other way.
    """
    if (
        kind not in (BookingKind.PICKUP, BookingKind.MOBILE_REPAIR, BookingKind.SHUTTLE)
        or not radius_km
        or dealer is None
        or customer is None
    ):
        return
    away = kilometres(dealer, customer)
    if away > radius_km:
        raise BadInput(
            "address",
            f"lies {away:.0f} km from us, and we come to cars within {radius_km} km: let them bring it, or tow it"
            if kind is not BookingKind.SHUTTLE
            else f"lies {away:.0f} km from us, and our shuttle goes {radius_km} km: let them take a loaner, or wait",
        )


def set_out_by(leg: Leg) -> datetime | None:
    """Until when the driver must be under way to keep the end of the window; None once they are, or if nobody knows."""
    if leg.state is not LegState.PLANNED or leg.travel_minutes is None:
        return None
    return leg.ends_at - HANDOVER - timedelta(minutes=leg.travel_minutes)
