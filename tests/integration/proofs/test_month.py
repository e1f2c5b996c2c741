"""The random month: green as it stands, red when what settles a sale is taken out.

Whole months: `telltale prove month`.
"""

from __future__ import annotations

from proofs.month.proof import run
from tests.conftest import Database


async def test_two_days_in_which_everybody_does_what_people_do(database: Database):
    facts = await run(database.url, database.secret, 1, None, 2)
    assert facts["violations"] == 0, facts
    assert facts["granted"] > 150 and facts["visits"] > 15 and facts["texts"] > 100


async def test_it_turns_red_when_nobody_is_warned_by_themselves(database: Database):
    facts = await run(database.url, database.secret, 1, "unwarned", 1)
    assert facts["by_kind"].get("an owner who agreed is left not knowing that their car must not be driven on"), facts


async def test_it_turns_red_without_what_settles_a_sale(database: Database):
    facts = await run(database.url, database.secret, 1, "stranger-sale", 2)
    assert facts["by_kind"].get("an offer or a visit is another's than who was told of it"), facts
