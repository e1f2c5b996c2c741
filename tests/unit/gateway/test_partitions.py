"""Which days have a leaf of their own, and what counts as said before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.intake.message_keys import Keys
from gateway.intake.partitions import NEW_BURST, NEW_EVERY_S, Leaves

DAY = 86_400.0
TODAY = 20_778
NOW = TODAY * DAY + 3_600


def made(kept: int = 400) -> Leaves:
    leaves = Leaves(kept)
    leaves.turn(NOW)
    return leaves


def test_today_and_tomorrow_are_always_open_and_other_kept_days_when_somebody_speaks_of_them():
    leaves = made()
    assert leaves.open == {TODAY, TODAY + 1}
    assert leaves.of(TODAY - 400, 0.0) == TODAY - 400 and TODAY - 400 in leaves.open
    assert leaves.of(TODAY - 401, 0.0) == leaves.of(TODAY + 2, 0.0) == leaves.of(0, 0.0) == 0


def test_two_thousand_days_of_one_car_make_few_leaves():
    leaves = made()
    went = [leaves.of(TODAY - n, n * 0.0001) for n in range(2, 2_002)]
    assert sum(day != 0 for day in went) == NEW_BURST
    assert leaves.of(TODAY, 1.0) == TODAY and leaves.of(TODAY + 1, 1.0) == TODAY + 1  # the others' days
    assert sum(leaves.of(TODAY - 2 - NEW_BURST - n, 60.0 + NEW_EVERY_S * n) != 0 for n in range(10)) == 10  # later


def test_a_leaf_that_is_there_already_costs_nothing():
    leaves = made()
    leaves.exist(range(TODAY - 1_000, TODAY + 300))
    assert leaves.open == set(range(TODAY - 400, TODAY + 2))
    assert all(leaves.of(day, 0.0) == day for day in range(TODAY - 400, TODAY + 2))


def test_what_passes_retention_is_no_longer_written_to():
    leaves = made()
    leaves.of(TODAY - 400, 0.0)
    leaves.turn(NOW + DAY)
    assert TODAY - 400 not in leaves.open and TODAY + 2 in leaves.open and leaves.of(TODAY - 400, 0.0) == 0


def test_what_was_said_in_this_batch_or_the_one_before_or_is_stored_was_said_before():
    keys = Keys()
    keys.turn()
    assert not keys.said_before((1, 7)) and keys.said_before((1, 7)) and not keys.said_before((2, 7))
    keys.turn()  # the last one is being written
    assert keys.said_before((1, 7))
    keys.turn()  # it is stored: the database knows
    keys.stored({(1, 7)})
    assert keys.said_before((1, 7)) and not keys.said_before((2, 7))
    keys.forget()
    assert not keys.said_before((1, 7))


@given(st.lists(st.lists(st.integers(0, 400), max_size=60), max_size=12))
def test_however_often_a_device_repeats_itself_each_message_is_new_once(batches: list[list[int]]):
    """The database learns of a batch when the next but one begins."""
    keys, database, new = Keys(), set[tuple[int, int]](), list[int]()
    flying: set[tuple[int, int]] = set()
    for batch in batches:
        keys.turn()
        keys.stored({(1, key) for key in batch} & database)
        fresh = [key for key in batch if not keys.said_before((1, key))]
        new += fresh
        database |= flying
        flying = {(1, key) for key in fresh}
    assert len(new) == len(set(new)) == len({key for batch in batches for key in batch})
