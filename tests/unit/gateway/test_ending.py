"""A gateway that is told to end ends, whatever happens in the same turn of its loop."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.running import _closed_or_rung


@pytest.mark.parametrize("turns", range(5))
async def test_told_to_end_while_the_bell_rings_it_ends(turns: int) -> None:
    """The end may come in any turn between the bell and what waits for it."""
    gateway = SimpleNamespace(rung=asyncio.Event(), asked=set[int]())
    waiting = asyncio.create_task(_closed_or_rung(cast(Any, gateway), SimpleNamespace(is_closed=lambda: False)))
    for _ in range(3):
        await asyncio.sleep(0)  # it waits for the bell
    gateway.rung.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    waiting.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    assert waiting.cancelled()
