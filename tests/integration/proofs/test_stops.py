"""STOP belongs to a number and a dealer: green as it stands, red without each guard. More: `telltale prove stops`."""

from __future__ import annotations

from typing import Any

import pytest

from proofs.stops import SWITCHES, run


async def test_no_history_brings_a_text_to_a_number_that_said_stop(database: Any) -> None:
    facts = await run(database.url, database.secret, 6, 20, 1, None)
    assert facts["violations"] == 0, facts["first"]
    assert facts["acts"]["text"] > 30 and facts["confirmations"] > 10


@pytest.mark.parametrize("switch", SWITCHES)
async def test_it_turns_red_without(database: Any, switch: str) -> None:
    facts = await run(database.url, database.secret, 6, 1, 1, switch)
    assert facts["violations"] > 0, facts
