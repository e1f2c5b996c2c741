"""What a car says of a drive becomes a line, and what is odd about it is named."""

from __future__ import annotations

from typing import Any

import pytest

from rules.service.witness import Line, Said, line, odd
from schemas.witness import Trip

PLAIN = Line(12.0, 20, 84.0, ("P0301",), ("P0301",))
TRIP = Trip(planned_minutes=60, workshop_km=4.0, recorded_km=41_230, car_km=41_229.6)


def test_the_line_says_distance_minutes_top_speed_and_codes() -> None:
    speed = [(60.0 * n, 50.0 if 0 < n < 12 else 0.0) for n in range(15)]
    found = line(Said([(0.0, 1_000.0), (800.0, 13_040.0)], speed, {"P0301"}, {"P0301", "C0035"}))
    assert found == Line(12.0, 11, 50.0, ("P0301",), ("C0035", "P0301"))


def test_a_silent_car_says_nothing_and_nothing_of_it_is_odd() -> None:
    silent = line(Said([], [], (), ()))
    assert silent == Line(None, None, None, (), ()) and odd(silent, Trip(planned_minutes=60)) == ()


def test_silence_in_between_is_no_driving() -> None:
    assert line(Said([], [(0.0, 50.0), (7_200.0, 50.0)], (), ())).minutes == 5


def test_an_ordinary_drive_is_not_odd() -> None:
    assert odd(PLAIN, TRIP) == ()


@pytest.mark.parametrize(
    ("changed", "trip", "words"),
    [
        ({"top_speed_kmh": 171.0}, {}, "up to 171 km/h"),
        ({"distance_km": 112.0}, {}, "112 km on a drive that is planned for 60 minutes"),
        ({"codes_after": ("P0301", "U0100")}, {}, "new since the keys changed hands: U0100"),
        ({}, {"workshop_km": 64.0}, "64 km while it was in the workshop"),
        ({}, {"recorded_km": 41_430}, "the record says 41,430 km, the car 41,230 km"),
    ],
)
def test_each_kind_of_odd_use_is_named(changed: dict[str, Any], trip: dict[str, Any], words: str) -> None:
    found = Line(**{**{name: getattr(PLAIN, name) for name in Line.__slots__}, **changed})
    assert odd(found, TRIP.model_copy(update=trip)) == (words,)
