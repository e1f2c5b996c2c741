"""A machine whose clock contradicts the database's does nothing that cannot be taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schemas.errors import Unavailable
from store import witness
from store.pool import transaction
from tests.standing import PoolAs


class Wrong:
    """This machine's clock, so much off."""

    def __init__(self) -> None:
        self.by = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.by


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Wrong:
    made = Wrong()
    monkeypatch.setattr(witness, "machine", made)
    monkeypatch.setattr(witness, "_agreed", witness._Agreed())
    return made


@pytest.mark.parametrize(
    ("by", "word"),
    [(timedelta(days=1), "ahead of"), (timedelta(days=-1), "behind"), (timedelta(seconds=90), "ahead of")],
)
async def test_a_clock_that_steps_while_we_run_stops_all_work_at_once_and_is_believed_again_when_it_is_right(
    pool_as: PoolAs, clock: Wrong, by: timedelta, word: str
) -> None:
    pool = await pool_as("worker")
    async with transaction(pool) as connection:
        assert await connection.fetchval("SELECT 1") == 1
    clock.by = by
    for _ in range(3):
        with pytest.raises(Unavailable, match=f"s {word} the database's"):
            async with transaction(pool):
                pytest.fail("it worked with a wrong clock")
    clock.by = timedelta()
    async with transaction(pool) as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_machine_that_starts_with_a_wrong_clock_never_begins(pool_as: PoolAs, clock: Wrong) -> None:
    clock.by = timedelta(days=500)
    with pytest.raises(Unavailable, match="43200000 s ahead"):
        async with transaction(await pool_as("desk")):
            pass


async def test_what_NTP_leaves_is_no_difference(pool_as: PoolAs, clock: Wrong) -> None:
    clock.by = timedelta(seconds=20)
    async with transaction(await pool_as("worker")) as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_the_witness_is_asked_rarely(pool_as: PoolAs, clock: Wrong, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = await pool_as("worker")
    async with transaction(pool):
        pass
    monkeypatch.setattr(witness, "_AT", "SELECT 1/0")
    for _ in range(5):
        async with transaction(pool):
            pass
