"""What the commands of a real dealer share: one transaction with the office's rights, the clock, and the dealer
meant.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar, cast

from schemas.account import Dealer
from schemas.errors import BadInput, NotFound
from store import accounts
from store.house_key import KeyHolder
from store.migrate import role_url
from store.pool import Connection, Pool, connect
from telltale import clock, data
from telltale.settings import Settings

if TYPE_CHECKING:
    from actions.context import House

Result = TypeVar("Result")
_NO_POOL = cast(Pool, None)  # every act of a command runs in the command's own transaction


@dataclass(frozen=True)
class Office:
    """One piece of work on the database."""

    connection: Connection
    now: datetime
    settings: Settings

    @property
    def house(self) -> House:
        """For the desk's own acts, done by a command: in this transaction, with the machines' rights."""
        from actions.context import House
        from rules.service.wording import Wording

        return House(
            pool=_NO_POOL,
            owner_pool=_NO_POOL,
            clock=lambda: self.now,
            wording=Wording(data.texts()),
            secret=self.settings.key,
            base_url=self.settings.public_url.rstrip("/") or "http://localhost:8080",
            usual_channel=self.settings.usual_channel,
            mails=bool(self.settings.smtp_url.get_secret_value()),
            ambient=self.connection,
            profiles=data.profiles(),
            photos=self.settings.photo_shelf(self.settings.home),
        )

    async def house_key(self) -> bytes:
        """The key that history is sealed with."""
        return await KeyHolder(*self.settings.secrets).key(self.connection)

    async def dealer(self, dealer_id: int | None) -> Dealer:
        """The one that was named, or the only one there is."""
        dealers = await accounts.dealers(self.connection)
        if dealer_id is not None:
            return next((dealer for dealer in dealers if dealer.id == dealer_id), None) or _no_dealer()
        if not dealers:
            raise BadInput("--dealer", "there is no dealer yet: make one with `telltale dealer create`")
        if len(dealers) > 1:
            raise BadInput("--dealer", "which one? " + ", ".join(f"{dealer.id} is {dealer.name}" for dealer in dealers))
        return dealers[0]


def _no_dealer() -> Dealer:
    raise NotFound("dealer")


async def at(settings: Settings, work: Callable[[Office], Awaitable[Result]], *, snapshot: bool = False) -> Result:
    """Do the work in one transaction; whatever it raises leaves nothing behind.

    With `snapshot` it only reads, all of it as of one moment.
    """
    connection = await connect(
        role_url(settings.database, settings.key, "telltale_office", settings.secret_previous.get_secret_value()),
        name="command",
    )
    try:
        now = (await clock.read(connection))()
        async with connection.transaction(isolation="repeatable_read" if snapshot else None, readonly=snapshot):
            return await work(Office(connection, now, settings))
    finally:
        await asyncio.wait_for(connection.close(), 5)
