"""How near whoever comes is: by road where it is known where to, and only while it is fresh."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.service.nearing import STANDS, near
from rules.service.travel import minutes
from schemas.place import Place

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
HERE, THERE = Place(latitude=53.55, longitude=9.99), Place(latitude=53.57, longitude=10.02)


@given(old=st.integers(0, 3600))
def test_nobody_is_told_where_somebody_was(old: int) -> None:
    found = near(HERE, NOW - timedelta(seconds=old), THERE, NOW)
    assert (found is None) is (timedelta(seconds=old) >= STANDS)


def test_distance_and_minutes_are_those_of_the_estimate_and_at_the_door_it_is_still_a_minute() -> None:
    found = near(HERE, NOW, THERE, NOW)
    assert found is not None and found.minutes == minutes(HERE, THERE) and found.km is not None and 3 < found.km < 6
    at_the_door = near(HERE, NOW, HERE, NOW)
    assert at_the_door is not None and (at_the_door.minutes, at_the_door.km) == (1, 0.0)


def test_without_a_known_address_the_place_is_shown_and_no_time_is_guessed() -> None:
    found = near(HERE, NOW, None, NOW)
    assert found is not None and (found.km, found.minutes, found.place) == (None, None, HERE)
