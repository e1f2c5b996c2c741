"""Travel estimated without a network, how far cars are fetched, and until when a driver must set out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from rules.service import travel
from schemas.booking import BookingKind
from schemas.errors import BadInput
from schemas.place import Place, place_of

HAMBURG = Place(latitude=53.5503, longitude=9.9920)
LUEBECK = Place(latitude=53.8655, longitude=10.6866)
places = some.builds(Place, latitude=some.floats(-89, 89), longitude=some.floats(-180, 180))


def test_a_known_distance() -> None:
    assert travel.kilometres(HAMBURG, LUEBECK) == pytest.approx(57.6, abs=0.5)


@given(places, places)
def test_distance_is_symmetric_and_time_grows_from_nothing(one: Place, other: Place) -> None:
    assert travel.kilometres(one, other) == pytest.approx(travel.kilometres(other, one), abs=1e-6)
    assert travel.seconds(one, one) == 0 and travel.seconds(one, other) >= 0


def test_farther_is_never_sooner() -> None:
    times = [travel.seconds(HAMBURG, Place(latitude=53.5503 + n / 500, longitude=9.9920)) for n in range(400)]
    assert all(a <= b for a, b in pairwise(times))


@pytest.mark.parametrize(
    ("there", "least", "most"),
    [
        (Place(latitude=53.5610, longitude=10.0130), 5, 15),  # two kilometres of town
        (LUEBECK, 50, 90),  # 65 km of road, mostly motorway
    ],
)
def test_an_estimate_is_of_the_size_that_people_know(there: Place, least: int, most: int) -> None:
    assert least <= (travel.minutes(HAMBURG, there) or 0) <= most


def test_what_is_not_known_is_not_guessed() -> None:
    assert travel.minutes(HAMBURG, None) is None and travel.minutes(None, LUEBECK) is None
    for dealer, radius, customer in ((None, 5, LUEBECK), (HAMBURG, 0, LUEBECK), (HAMBURG, 5, None)):
        travel.within(BookingKind.PICKUP, dealer, radius, customer)


def test_an_address_beyond_the_radius_is_refused_with_its_distance_but_a_truck_goes() -> None:
    with pytest.raises(BadInput) as refused:
        travel.within(BookingKind.PICKUP, HAMBURG, 40, LUEBECK)
    assert refused.value.field == "address" and "58 km" in refused.value.reason and "40 km" in refused.value.reason
    travel.within(BookingKind.PICKUP, HAMBURG, 60, LUEBECK)
    for kind in (BookingKind.TOW, BookingKind.DROP_OFF, BookingKind.WAITING):
        travel.within(kind, HAMBURG, 40, LUEBECK)


@pytest.mark.parametrize(
    "written", ["53.5503, 9.9920", "53.5503,9.992", " 53.5503 ; 9.9920 ", "53.5503 9.9920", "+53.5503 +9.9920"]
)
def test_a_place_is_read_as_people_paste_it(written: str) -> None:
    assert place_of(written) == HAMBURG and str(place_of(written)) == "53.55030,9.99200"


@pytest.mark.parametrize(
    "written",
    ["53.5503", "north", "53,5503, 9,9920", "91, 0", "0, 181", "1e3, 5", "nan, nan", "٥٣.٥, ٩.٩", "53.5, 9.9, 3"],
)
def test_what_is_no_place_is_refused_by_its_field(written: str) -> None:
    with pytest.raises(BadInput) as refused:
        place_of(written, "home")
    assert refused.value.field == "home"


@given(places)
def test_a_place_survives_being_written(place: Place) -> None:
    again = place_of(str(place))
    assert again is not None and str(again) == str(place)


def test_nothing_is_no_place() -> None:
    assert place_of("") is None and place_of(None) is None and place_of("  ") is None
