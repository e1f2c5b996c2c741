"""The proof of the outbox: green as built, and its checker sees each way in which it could be wrong."""

from __future__ import annotations

import pytest

from proofs import messages
from proofs.messages import History, check

NEVER = float("inf")


@pytest.mark.slow
async def test_killed_workers_lose_nothing_send_nothing_twice_and_nothing_unwanted() -> None:
    facts = await messages.main(None, trials=3, seed=11, sabotage=None)
    assert facts["violations"] == 0, facts["first"]
    assert facts["checked"] >= 90
    assert facts["handed_over"] > 0


@pytest.mark.parametrize(
    ("state", "handed", "unwanted_since", "kinds"),
    [
        ("sent", [5.0], NEVER, []),
        ("cancelled", [], 4.0, []),
        ("sent", [3.0], 4.0, []),
        ("sent", [5.0, 6.0], NEVER, ["twice"]),
        ("sent", [], NEVER, ["lost"]),
        ("sent", [], 4.0, ["lost"]),
        ("cancelled", [], NEVER, ["lost"]),
        ("claimed", [5.0], NEVER, ["unsettled"]),
        ("sent", [9.0], 4.0, ["forbidden"]),
        ("", [], NEVER, ["unsettled"]),
    ],
)
def test_the_checker_sees_it(state: str, handed: list[float], unwanted_since: float, kinds: list[str]) -> None:
    history = History(owner_of={"t": 1}, case_of={"t": 7}, over_since={7: unwanted_since})
    assert [kind for kind, _ in check(history, {"t": handed}, {"t": (state, None)})] == kinds
