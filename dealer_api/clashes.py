"""What the database ended for another's sake is done again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from store.pool import Clashed, counting_commits

_TRIES = 3  #: of a call that the database ended for another's sake
_T = TypeVar("_T")


async def unclashed(work: Callable[[], Awaitable[_T]]) -> _T:
    """Work that has committed nothing yet may be done again when the database ended its transaction for another's
    sake; the third time its caller decides, and after a commit at once: half of it would be done twice.
    """
    for n in range(_TRIES - 1):
        with counting_commits() as commits:
            try:
                return await work()
            except Clashed:
                if commits.count:
                    raise
        await asyncio.sleep(random.uniform(0, 0.05 * (n + 1)))
    return await work()
