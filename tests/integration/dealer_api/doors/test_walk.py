"""The slice of `telltale prove doors` that fits into ./test, and that it turns red."""

from __future__ import annotations

import logging
import random

import pytest
import structlog

from proofs.doors.breaking import broken
from proofs.doors.proof import prove
from proofs.doors.walk import Walk


@pytest.fixture
def quiet():
    """A line for each of thousands of calls costs more than the call."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    yield
    structlog.configure(**before)


@pytest.mark.slow
async def test_thousands_of_calls_find_no_bug_and_nothing_of_the_other_dealer(doors, quiet, record_property):
    facts = await prove(doors, calls=600, seed=random.randrange(10**6))
    record_property(
        "shown",
        ", ".join(
            f"{name} {facts[name]}"
            for name in (
                "calls",
                "made_up_from_our_description",
                "server_errors",
                "foreign_reads",
                "violations",
                "seed",
            )
        ),
    )
    assert facts["violations"] == 0, (facts["seed"], facts["first"])
    assert facts["calls"] >= 600 and facts["doors_that_opened"] > 90


@pytest.mark.parametrize(
    ("switch", "what"),
    [("other-dealer", "foreign_reads"), ("every-role", "let_in"), ("bug-for-refusal", "server_errors")],
)
async def test_the_walk_turns_red_when_a_guard_is_taken_out(doors, quiet, switch, what):
    with broken(switch, [made.id for made in doors.dealers]):
        tally = await Walk(doors, 400, random.Random(1)).run()
    assert getattr(tally, what), tally.statuses
