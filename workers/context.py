"""What every worker needs: the database, two clocks, the words and the ways to a person."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from providers.provider import Provider
from providers.roads.asking import Roads
from rules.service.permission import Permission, may_send
from rules.service.wording import Wording
from schemas.message import Message, MessageKind
from store import message_validity
from store.house_key import KeyHolder
from store.pool import Connection, Pool

#: About the conversation itself, or an end of what was agreed with just this person: whoever owns the car by now.
ABOUT_THE_LINE = frozenset(
    {
        MessageKind.STOPPED,
        MessageKind.STARTED,
        MessageKind.HELP,
        MessageKind.SOLD,
        MessageKind.WRONG,
        MessageKind.PASSED_ON,
        MessageKind.FREE,
        MessageKind.CANCELLED,
    }
)
Truth = Callable[[Connection, Message, datetime], Awaitable[str | None]]


def machine_now() -> datetime:
    """Machine time: claims, retries and time-outs, whatever the business clock does."""
    return datetime.now(UTC)


async def untrue(connection: Connection, message: Message, now: datetime) -> str | None:
    """Why this text is no longer true, or would reach the wrong person; None when all is well."""
    if message.owner_id is not None and message.kind is not MessageKind.WRONG:  # that goes where nobody of ours is
        about = None if message.kind in ABOUT_THE_LINE else message.case_id
        wrong = await message_validity.misdirected(
            connection, message.dealer_id, owner_id=message.owner_id, address=message.to_address, case_id=about
        )
        if wrong is not None:
            return wrong
    return await message_validity.untrue(connection, message.dealer_id, message.facts.get("asserts", ()), now)


@dataclass(frozen=True)
class Context:
    """Made once where the service starts.

    `permitted` and `untrue` are parts, so that a proof can show what happens without them.
    """

    pool: Pool
    clock: Callable[[], datetime]
    wording: Wording
    channels: Mapping[str, Provider]
    desk_url: str  #: for the links in notices to staff
    staff_channel: str = "phone"
    machine: Callable[[], datetime] = machine_now
    permitted: Callable[..., Permission] = may_send
    untrue: Truth = untrue
    send_s: float = 4.5  #: longer than a channel's own time-out, shorter than the time a STOP waits for the owner's row
    grace: timedelta = timedelta(seconds=12)  #: a claim this old is nobody's: longer than any hand-over takes
    luck: Callable[[], float] = field(default=random.random)
    roads: Roads = field(default_factory=lambda: Roads(None))  #: how long a way takes; estimated without a service
    house_key: KeyHolder | None = None  #: opens the key that history is sealed with; without it nothing is sealed

    @property
    def staff_channels(self) -> tuple[str, ...]:
        """How our own people hear of work: by text where we know the number, else by mail."""
        return (self.staff_channel, "email")
