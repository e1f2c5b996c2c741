"""What the database ended for another's sake is done again, unless half of it stands already."""

from __future__ import annotations

import pytest

from dealer_api.clashes import unclashed
from store import pool
from store.pool import Clashed, counting_commits


def _committed() -> None:
    commits = pool._commits.get()
    assert commits is not None
    commits.count += 1


async def test_it_is_done_again_until_it_succeeds() -> None:
    tries = []

    async def work() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise Clashed("the database", "deadlock")
        return "done"

    assert await unclashed(work) == "done"


async def test_the_third_clash_is_its_callers() -> None:
    tries = []

    async def work() -> None:
        tries.append(1)
        raise Clashed("the database", "deadlock")

    with pytest.raises(Clashed):
        await unclashed(work)
    assert len(tries) == 3


async def test_work_that_has_committed_a_part_is_not_done_again() -> None:
    tries = []

    async def work() -> None:
        tries.append(1)
        _committed()
        raise Clashed("the database", "deadlock")

    with pytest.raises(Clashed):
        await unclashed(work)
    assert len(tries) == 1


async def test_what_was_committed_inside_counts_outside() -> None:
    async def inner() -> None:
        _committed()

    with counting_commits() as commits:
        await unclashed(inner)
        assert commits.count == 1
