"""What tests of the desk and of the workers stand on: a clock that only they move, and a house at that time."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from actions.context import House
from store.house_key import KeyHolder
from store.photo_shelf import Folder
from store.pool import Pool
from telltale import data

SECRET = "tests-only-secret"
PoolAs = Callable[..., Awaitable[Pool]]


class Clock:
    """Business time that stands still until a test moves it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def on(self, **delta: float) -> None:
        self.at += timedelta(**delta)


async def house_of(
    pool_as: PoolAs, clock: Clock, wording: Any, *, size: int = 8, owner_size: int = 4, **more: Any
) -> House:
    """A house over a test's database, acting with the desk's and the owner page's rights."""
    facts = {
        "base_url": "http://desk.example",
        "secret": "test",
        "keys": KeyHolder(SECRET),  # the test's database was migrated with it
        "profiles": data.profiles(),
        "photos": Folder(Path(tempfile.mkdtemp(prefix="telltale-photos-"))),
        **more,
    }
    return House(
        pool=await pool_as("desk", size=size),
        owner_pool=await pool_as("owner_page", size=owner_size),
        clock=clock,
        wording=wording,
        **facts,
    )
