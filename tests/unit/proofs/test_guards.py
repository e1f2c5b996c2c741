"""`telltale prove guards`, with one guard out: the tests that ask for it fail, and nothing else of the proof does."""

from __future__ import annotations

import pytest

from proofs import guards
from proofs.guards import GUARDS
from schemas.errors import Misconfigured
from telltale.data import ROOT
from telltale.settings import Settings


async def test_the_proof_is_red_without_the_guard() -> None:
    facts = await guards.main(Settings(), sabotage="hours-that-are-not")
    assert facts["violations"] == len(facts["failed"]) > 0 and facts["checked"] > facts["violations"]


async def test_a_guard_that_is_none_is_refused() -> None:
    with pytest.raises(Misconfigured, match="no switch"):
        await guards.main(Settings(), sabotage="nothing")


@pytest.mark.parametrize("name", GUARDS)
def test_each_guard_has_tests_that_exist(name: str) -> None:
    for test in GUARDS[name].tests:
        file, _, function = test.partition("::")
        assert f"def {function}(" in (ROOT / "tests" / file).read_text(encoding="utf-8")
