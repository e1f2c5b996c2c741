"""What every act needs: the database, the clock, the words, and how people reach us."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

import structlog

from actions import links
from schemas.profile import Profile
from store.house_key import KeyHolder
from store.photo_shelf import NoShelf, Shelf
from store.pool import Connection, Pool, transaction

log = structlog.get_logger()


def machine_now() -> datetime:
    """Machine time. Sessions, tries and resets are not business: they end by this clock, however fast a demo's day
    runs.
    """
    return datetime.now(UTC)


class Afterwards:
    """Work that goes on after the answer has been given, so that the answer's time says nothing about it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def soon(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin it now and wait for it when the house closes."""
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def done(self) -> None:
        """Until nothing is left of what has begun."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            log.error("afterwards_failed", exc_info=error)


@dataclass(frozen=True)
class House:
    """`pool` is the role that acts: the desk's, or after `as_owner()` the owner page's."""

    pool: Pool
    owner_pool: Pool
    clock: Callable[[], datetime]
    wording: Any  # rules.service.wording.Wording
    base_url: str
    secret: str
    demo: bool = False
    usual_channel: str = "phone"  #: how an owner who chose none is reached by number
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    mails: bool = False  #: whether mail leaves this house
    machine: Callable[[], datetime] = machine_now
    afterwards: Afterwards = field(default_factory=Afterwards)
    photos: Shelf = field(default_factory=NoShelf)  #: where the pictures of handover records lie
    developing: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(2)
    )  #: a large photo takes memory while it is made smaller
    counting: asyncio.Lock = field(
        default_factory=asyncio.Lock
    )  #: tries are counted one after the other in this process
    keys: KeyHolder | None = None  #: opens the house's own key, by which numbers of people who were erased are known
    ambient: Connection | None = None  #: the transaction that a repeatable request runs in

    def __post_init__(self) -> None:
        if self.keys is None:
            object.__setattr__(self, "keys", KeyHolder(self.secret))

    @property
    def key_holder(self) -> KeyHolder:
        """Opens the house's own key, and remembers it."""
        assert self.keys is not None
        return self.keys

    def now(self) -> datetime:
        """Business time."""
        return self.clock()

    @asynccontextmanager
    async def at(self, dealer_id: int | None) -> AsyncIterator[Connection]:
        """One transaction that sees this dealer's rows only; inside a repeatable request it is that request's own."""
        if self.ambient is not None:
            async with self.ambient.transaction():  # a savepoint: what fails here is undone here
                yield self.ambient
            return
        async with transaction(self.pool, dealer_id) as connection:
            yield connection

    def within(self, connection: Connection) -> House:
        """The same house, acting in a transaction that is already open."""
        return replace(self, ambient=connection)

    def alone(self) -> House:
        """The same house, with transactions of its own."""
        return replace(self, ambient=None)

    def as_owner(self) -> House:
        """The same house, acting with the owner page's rights."""
        return replace(self, pool=self.owner_pool, ambient=None)

    def acting(self, dealer_id: int, actor: str) -> Acting:
        """Somebody who acts in this house: see `Acting`."""
        return Acting(self, dealer_id, actor)

    def link(self, opens: links.Opens, token: str) -> str:
        """The address that `token` opens."""
        return links.secret(self.base_url, opens, token)

    def sign(self, *parts: str) -> str:
        """A short keyed digest: CSRF tokens, cursors."""
        return hmac.new(self.secret.encode(), "\n".join(parts).encode(), hashlib.sha256).hexdigest()[:32]


@dataclass(frozen=True)
class Acting:
    """Who acts, for which dealer, in which house. A door makes it once and hands it to each action.

    `actor` is what history says: `staff:7`, `api:till`, `owner`, `system`. The business time is asked of the house when
    it is needed, after rows have been locked: who waited for a rival is judged by the time at which their turn came.
    """

    house: House
    dealer_id: int
    actor: str

    def now(self) -> datetime:
        """Business time."""
        return self.house.now()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction that sees this dealer's rows only; see `House.at`."""
        async with self.house.at(self.dealer_id) as connection:
            yield connection

    def within(self, connection: Connection) -> Self:
        """The same, in a transaction that is already open."""
        return replace(self, house=self.house.within(connection))
