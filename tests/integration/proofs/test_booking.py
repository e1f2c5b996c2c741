"""The proof of booking: green as it stands, red as soon as one of its guards is taken away."""

from __future__ import annotations

import pytest

from proofs.booking import SWITCHES, run
from tests.conftest import Database


async def test_no_time_is_given_away_twice_and_every_rival_is_answered(database: Database):
    facts = await run(database.url, database.secret, 12, 1, None)
    assert facts["violations"] == 0, facts
    assert facts["won"] > 20 and facts["refused"] > 60 and facts["deadlocks"] == 0


@pytest.mark.parametrize("switch", SWITCHES)
async def test_it_turns_red_without(database: Database, switch):
    facts = await run(database.url, database.secret, 12, 1, switch)
    assert facts["violations"] > 0, facts
