"""Two furnished dealers behind the desk's doors, and whoever knocks there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import aiohttp
from aiohttp import web

from actions import bookings
from actions.context import House
from dealer_api.application import build
from dealer_api.live import Live
from dealer_api.permissions import ROLES
from proofs.doors.callers import Answer, Caller, knock, person
from proofs.doors.dealers import Furnished, furnish
from proofs.doors.requests import Knock, Requests
from schemas.booking import BookingKind
from store.pool import Pool


@dataclass
class Ground:
    """Where the doors are, who stands before them, and what may be asked."""

    url: str
    http: aiohttp.ClientSession
    house: House
    admin: Pool
    dealers: tuple[Furnished, Furnished]
    people: dict[tuple[int, str], Caller]
    windows: dict[int, dict[str, Sequence[datetime]]]  #: dealer -> way in which the car comes -> what is free

    @property
    def now(self) -> datetime:
        """Business time."""
        return self.house.now()

    @property
    def requests(self) -> dict[int, Requests]:
        """Fresh ones for each dealer's own rows."""
        return {made.id: Requests(made, self.now, self.windows[made.id]) for made in self.dealers}

    async def knock(self, caller: Caller, ask: Knock) -> Answer:
        """One request."""
        return await knock(self.http, self.url, caller, ask)


@asynccontextmanager
async def open_doors(house: House, admin: Pool, live_url: str) -> AsyncIterator[Ground]:
    """The desk on a port of its own, with Canary B and Canary C behind it."""
    first, second = await furnish(house, admin, letter="B"), await furnish(house, admin, letter="C")
    runner = web.AppRunner(build(house, Live(live_url)), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), connector=aiohttp.TCPConnector(limit=20))
    try:
        people = {
            (one.id, role): await person(http, url, role, one.cookies[role])
            for one in (first, second)
            for role in ROLES
        }
        windows = {one.id: await _free(house, one.id) for one in (first, second)}
        yield Ground(url, http, house=house, admin=admin, dealers=(first, second), people=people, windows=windows)
    finally:
        await http.close()
        await runner.cleanup()


async def _free(house: House, dealer_id: int) -> dict[str, Sequence[datetime]]:
    return {
        kind.value: [free.window.starts_at for free in await bookings.free_windows(house, dealer_id, kind)]
        for kind in BookingKind
    }
