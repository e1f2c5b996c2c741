"""The demo phone: texts lie in a table and are shown on a page. Nothing leaves the machine."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from providers.provider import Lookup, Receipt
from schemas.message import Message
from store import phone
from store.pool import Pool, transaction


class DemoPhone:
    """A provider that takes each reference once, as a good provider would."""

    def __init__(self, pool: Pool, clock: Callable[[], datetime]) -> None:
        self._pool, self._clock = pool, clock

    @property
    def sender(self) -> str:
        """The demo phone knows the dealer's own."""
        return ""

    @property
    def missed(self) -> None:
        """Nothing goes missing between two tables."""

    async def send(self, message: Message, sender: str) -> Receipt:
        """Its own transaction, as if it were somebody else's machine."""
        async with transaction(self._pool) as connection:
            found = await phone.put(
                connection,
                message.dealer_id,
                reference=message.reference,
                from_address=sender,
                to_address=message.to_address,
                body=message.body,
                at=self._clock(),
            )
        return Receipt(f"phone-{found}")

    async def lookup(self, message: Message, taken: Collection[str] = ()) -> Receipt | Lookup:
        async with transaction(self._pool) as connection:
            found = await phone.find(connection, message.reference)
        return Lookup.NEVER_CAME if found is None else Receipt(f"phone-{found}")

    async def close(self) -> None:
        """Nothing to close: the pool is the worker's."""
