"""`telltale prove sudden`, small: green as it is, red without each guard, and the same twice."""

from __future__ import annotations

import pytest

from proofs import sudden
from schemas.errors import Misconfigured
from telltale.settings import Settings


@pytest.mark.parametrize("switch", [None, *sudden.SWITCHES])
async def test_it_is_green_and_without_each_guard_red(switch: str | None) -> None:
    facts = await sudden.main(Settings(), events=30, days=30, seed=2, sabotage=switch)
    assert (facts["violations"] > 0) is (switch is not None), facts["first_violations"]
    assert facts["checked"] == 90


async def test_the_same_seed_is_the_same_proof() -> None:
    one, other = [await sudden.main(Settings(), events=6, days=0, seed=3) for _ in range(2)]
    assert {**one, "seconds": 0} == {**other, "seconds": 0} and one["told_in_time"] == 6


async def test_a_switch_that_is_none_is_refused() -> None:
    with pytest.raises(Misconfigured, match="one of"):
        await sudden.main(Settings(), events=1, days=0, seed=1, sabotage="nothing")
