"""What the database ended for another's sake is done again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from store.pool import Clashed

_TRIES = 3  #: of a call that the database ended for another's sake
_T = TypeVar("_T")


async def unclashed(work: Callable[[], Awaitable[_T]]) -> _T:
    """What is one transaction may be done again when the database ended it for another's sake; the third time its
    caller decides.
    """
    for n in range(_TRIES - 1):
        try:
            return await work()
        except Clashed:
            await asyncio.sleep(random.uniform(0, 0.05 * (n + 1)))
    return await work()
